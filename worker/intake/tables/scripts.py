"""Scripts that texts are written in: a rough guess at their languages, by blocks of Unicode."""

import numpy as np
from numpy.typing import NDArray

CHUNK_TEXTS = 2**12
NO_LETTER = ""

# The first code point of each stretch, and what it is; punctuation, digits, signs are no letters.
STRETCHES: tuple[tuple[int, str], ...] = (
    (0x0000, NO_LETTER),
    (0x0041, "Latin"),
    (0x005B, NO_LETTER),
    (0x0061, "Latin"),
    (0x007B, NO_LETTER),
    (0x00C0, "Latin"),
    (0x02B0, NO_LETTER),
    (0x0370, "Greek"),
    (0x0400, "Cyrillic"),
    (0x0530, "Armenian"),
    (0x0590, "Hebrew"),
    (0x0600, "Arabic"),
    (0x0700, "other"),
    (0x0750, "Arabic"),
    (0x0780, "other"),
    (0x08A0, "Arabic"),
    (0x0900, "Devanagari"),
    (0x0980, "Bengali"),
    (0x0A00, "other"),
    (0x0B80, "Tamil"),
    (0x0C00, "Telugu"),
    (0x0C80, "other"),
    (0x0E00, "Thai"),
    (0x0E80, "other"),
    (0x10A0, "Georgian"),
    (0x1100, "Hangul"),
    (0x1200, "Ethiopic"),
    (0x13A0, "other"),
    (0x1E00, "Latin"),
    (0x1F00, "Greek"),
    (0x2000, NO_LETTER),
    (0x2C00, "other"),
    (0x2C60, "Latin"),
    (0x2C80, "other"),
    (0x2E00, NO_LETTER),
    (0x2E80, "Han"),
    (0x3000, NO_LETTER),
    (0x3040, "Hiragana and Katakana"),
    (0x3100, "Han"),
    (0x3130, "Hangul"),
    (0x3190, "Han"),
    (0x31F0, "Hiragana and Katakana"),
    (0x3200, NO_LETTER),
    (0x3400, "Han"),
    (0x4DC0, NO_LETTER),
    (0x4E00, "Han"),
    (0xA000, "other"),
    (0xA720, "Latin"),
    (0xA800, "other"),
    (0xAC00, "Hangul"),
    (0xD7B0, NO_LETTER),
    (0xF900, "Han"),
    (0xFB00, "Latin"),
    (0xFB1D, "Hebrew"),
    (0xFB50, "Arabic"),
    (0xFE00, NO_LETTER),
    (0xFE70, "Arabic"),
    (0xFEFF, NO_LETTER),
    (0xFF21, "Latin"),
    (0xFF3B, NO_LETTER),
    (0xFF41, "Latin"),
    (0xFF5B, NO_LETTER),
    (0xFF66, "Hiragana and Katakana"),
    (0xFFA0, NO_LETTER),
    (0x10000, "other"),
    (0x1D000, NO_LETTER),
    (0x20000, "Han"),
    (0x40000, NO_LETTER),
)
STARTS = np.array([start for start, _ in STRETCHES])
NAMES = tuple(dict.fromkeys(name for _, name in STRETCHES))
SCRIPT = np.array([NAMES.index(name) for _, name in STRETCHES])


def shares_of_scripts(texts: NDArray[np.int32]) -> dict[str, float]:
    """Shares of scripts among the letters of all texts (n, length); none where there are no
    letters."""
    counts = np.zeros(len(NAMES), np.int64)
    for start in range(0, len(texts), CHUNK_TEXTS):
        codes = np.asarray(texts[start : start + CHUNK_TEXTS])
        codes = codes[codes != 0]
        of_code = SCRIPT[np.searchsorted(STARTS, codes, "right") - 1]
        counts += np.bincount(of_code, minlength=len(NAMES))
    counts[NAMES.index(NO_LETTER)] = 0
    letters = int(counts.sum())
    return {name: int(count) / letters for name, count in zip(NAMES, counts, strict=True) if count}

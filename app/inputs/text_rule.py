"""The rule of what a text is to a network, one for the intake and for every protocol.

| what comes                                          | what becomes of it                         |
|-----------------------------------------------------|--------------------------------------------|
| more than 65,536 code points                        | the first 65,536 are looked at             |
| control characters, NUL among them; U+FEFF          | go away                                    |
| half of a surrogate pair                            | U+FFFD, where no reader has refused it yet |
| white space of any kind and length                  | one space; none at either end              |
| more than 30 combining marks in a row               | the first 30, as Unicode's Stream-Safe     |
|                                                     | Text Format has it (UAX 15, section 13)    |
| composed and decomposed forms                       | NFC                                        |
| nothing left                                        | no text                                    |

Letters keep their case, and every script its characters.
"""

import re
import unicodedata
from functools import cache

LOOKED_AT = 65_536
MARKS_IN_A_ROW = 30
LAST_MARK = 0x1F000  # no character from here on is a combining mark
DROPPED = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufeff]")
SURROGATES = re.compile("[\ud800-\udfff]")


def normalised(text: str) -> str:
    """The text by the rule; empty where there is none. It takes time in proportion to its
    length, and is its own normalised form."""
    text = text[:LOOKED_AT]
    if not text.isprintable():  # else it holds neither, nor white space but for single spaces
        text = SURROGATES.sub("\ufffd", DROPPED.sub("", text))
    text = " ".join(text.split())
    if text.isascii():
        return text
    few = _too_many_marks().sub(lambda found: found.group()[:MARKS_IN_A_ROW], text)
    return unicodedata.normalize("NFC", few)


@cache
def _too_many_marks() -> re.Pattern[str]:
    """Normalising sorts the marks of a row, in steps that are its length squared."""
    marks = [code for code in range(LAST_MARK) if unicodedata.combining(chr(code))]
    ranges = list[str]()
    start = marks[0]
    for code, following in zip(marks, [*marks[1:], -1], strict=True):
        if following != code + 1:
            ranges.append(f"{chr(start)}-{chr(code)}")
            start = following
    return re.compile(f"[{''.join(ranges)}]{{{MARKS_IN_A_ROW + 1},}}")

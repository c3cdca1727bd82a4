"""Yes and no, as text says them in five languages."""

import pyarrow as pa
import pyarrow.compute as pc

from worker.intake.tables.readings import Column

NEGATIVE = {"yes": "no", "y": "n", "true": "false", "t": "f", "ja": "nein", "j": "n"}
NEGATIVE |= {"wahr": "falsch", "oui": "non", "o": "n", "vrai": "faux", "si": "no", "s": "n"}
NEGATIVE |= {"sí": "no", "sì": "no"}
MOST = 16  # ways in which two words may be written


def as_flags(column: Column) -> Column | None:
    """True and false for text that says yes and no alone, in one language, or one of them alone;
    null where it is. None of other columns."""
    if not pa.types.is_string(column.type):
        return None
    texts = pc.unique(column.drop_null()).to_pylist()
    by_word = {text: text.strip().casefold() for text in texts} if len(texts) <= MOST else {}
    for true, false in NEGATIVE.items():
        if by_word and {*by_word.values()} <= {true, false}:
            positive = [text for text, word in by_word.items() if word == true]
            found = pc.is_in(column, pa.array(positive, pa.string()))
            return pc.if_else(pc.is_valid(column), found, pa.scalar(None, pa.bool_()))
    return None

"""`ktl predict` with texts: said on the command line, in files of their own, or a column of a CSV
file."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from app.cli.job_file import Unusable
from app.cli.rows import DELIMITERS, heading, text_of
from app.inputs.csv_rule import plain_name

ENDING = ".txt"
USUAL = "text"  # the name of a column of texts
LONGEST_FIELD = 2**24  # characters


def are_files_of_texts(files: Sequence[Path]) -> bool:
    """True where all are .txt. Raises Unusable for such ones beside others."""
    texts = [path for path in files if path.suffix.lower() == ENDING]
    if texts and len(texts) < len(files):
        other = next(path for path in files if path not in texts)
        raise Unusable(f"expected texts alone, got {other} among {len(files)} files")
    return bool(texts)


def read_files(files: Sequence[Path], encoding: str | None) -> list[str]:
    """Each file's text. Raises Unusable."""
    return [text_of(path, encoding) for path in files]


def read_column(path: Path, column: str | None, encoding: str | None) -> tuple[list[str], str]:
    """The texts of one column of a CSV file, and a sentence about which. Raises Unusable, with the
    line.

    Args:
        column: its name; None: `text`, or the only one.
    """
    text = text_of(path, encoding)
    top = text.lstrip().partition("\n")[0]
    by_count = "".join(sorted(DELIMITERS, key=top.count, reverse=True))
    before = csv.field_size_limit(LONGEST_FIELD)
    try:
        first, delimiter = heading(text, by_count, {column or USUAL})
        reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
        lines = [(reader.line_num, fields) for fields in reader if fields][first:]
    except csv.Error as error:
        raise Unusable(f"{path}: expected a CSV file, got: {error}") from error
    finally:
        csv.field_size_limit(before)
    names = [plain_name(name) for name in lines[0][1]] if lines else []
    wanted = column or (names[0] if len(names) == 1 else USUAL)
    if names.count(wanted) != 1:
        got = "none" if wanted not in names else "several"
        cure = "" if column else "; --column says which one holds the texts"
        raise Unusable(f"{path}: expected one column `{wanted}`, got {got}{cure}")
    place, texts = names.index(wanted), list[str]()
    for line, fields in lines[1:]:
        if len(fields) != len(names):
            raise Unusable(
                f"{path}: expected {len(names)} fields in the row that ends on line {line}, got "
                f"{len(fields)}"
            )
        if not fields[place].strip():
            raise Unusable(
                f"{path}: expected a text in the row that ends on line {line}, got an empty field"
            )
        texts.append(fields[place])
    if not texts:
        raise Unusable(f"{path}: expected rows below the names of columns, got none")
    return texts, f"texts of the column `{wanted}`"

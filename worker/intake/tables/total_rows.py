"""Rows below a table that sum up the others, as spreadsheets have them: none of them is an item."""

from collections.abc import Iterator

import pyarrow as pa

from worker.intake.tables.records import Records

# Words that a last row is called by in its first column, in the languages that flags are read in,
# and Chinese
TOTALS = {"total", "totals", "grand total", "subtotal", "sum", "mean", "average", "summe"}
TOTALS |= {"gesamt", "insgesamt", "somme", "totale", "moyenne", "media", "合计", "总计", "平均"}


def total_warnings(records: Records) -> Iterator[str]:
    """Looks at the last row of each file. It stays: a word alone does not tell what it is."""
    for part in records.parts:
        name = part.names[0]
        if not part.rows or not pa.types.is_string(part.type_of(name)):
            continue
        word = part.column(name)[part.rows - 1].as_py() or ""
        if word.strip().rstrip(":").casefold() in TOTALS:
            yield (
                f"The last row of `{part.name}`, {part.place(part.rows - 1)}, has `{word.strip()}` "
                f"in the column `{name}`: if it sums up the others, it is no item; leave it out of "
                "the file."
            )

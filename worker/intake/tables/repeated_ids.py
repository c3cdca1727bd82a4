"""Columns that name whom a row is of, where each has several rows: what comes of not saying so."""

import re
from collections.abc import Iterator

import numpy as np

from app.datasets.schemas import Schema
from app.datasets.table_spec import ColumnInfo
from worker.intake.tables.dividing import Divided
from worker.intake.tables.readings import Reading, distinct
from worker.intake.tables.records import Records

# Whom rows are of, in the languages that flags are read in, and Chinese
WHOM = (
    *("patient", "subject", "participant", "person", "individual", "donor", "animal", "mouse"),
    *("user", "customer", "client", "member", "household", "family", "pupil", "student", "mrn"),
    *("patientin", "proband", "kunde", "paziente", "cliente", "paciente"),
    *("患者", "病人", "被试", "受试者", "用户", "客户", "学生"),
)
ENDING = "id|ids|nr|no|number|code|key|uuid"
SUBJECT = re.compile(rf"(.*[_\W]|^)({'|'.join(WHOM)})s?([_\W]*({ENDING}))?$", re.I)
IDENTITY = re.compile(r".*([_\W](id|uuid|guid)|[a-z]I[Dd])$")
FEWEST_VALUES = 5
FEWEST_IDENTITIES = 20  # of a column that is named like an identity, whoever's
REPEATED_FROM = 0.2  # of the rows have a value that another row has too
MOST_ROWS_EACH = 50  # on the mean: of an identity with more it is a category, as of a town


def repeated_warnings(schema: Schema, records: Records, divided: Divided) -> Iterator[str]:
    """Sentences; none where the groups are said, or a column's role is."""
    if divided.cut.groups is not None:
        return
    for column in schema.columns:
        is_said = column.role == "label" or "the spec says" in column.reason
        if not is_said and (SUBJECT.match(column.name) or IDENTITY.match(column.name)):
            yield from _told(column, records, divided)


def _told(column: ColumnInfo, records: Records, divided: Divided) -> Iterator[str]:
    codes, _ = distinct(Reading().known(records.column(column.name)))
    train, test = codes[divided.rows["train"]], codes[divided.rows["test"]]
    known = np.concatenate([train, test])
    counts = np.bincount(known[known >= 0])
    rows, different = counts.sum(), np.count_nonzero(counts)
    if different < FEWEST_VALUES or counts[counts > 1].sum() < REPEATED_FROM * rows:
        return
    is_few = different < FEWEST_IDENTITIES or rows > MOST_ROWS_EACH * different
    if is_few and not SUBJECT.match(column.name):
        return
    learnt = np.isin(test, train[train >= 0]).sum()
    yield (
        f"The column `{column.name}` has {different} values in {rows} rows, up to {counts.max()} "
        f"of one, and {learnt} of {len(test)} test rows have one that training rows have: where "
        "rows of one value belong together, as visits of a patient, the test is easier than it "
        f'looks. `split`: {{"group": "{column.name}"}} in the spec keeps them on one side and '
        "counts them as one."
    )

"""A rule of CSV files that intake and command line share."""

import re

# A first line with which spreadsheets say what parts the fields; it is no record
DECLARED = re.compile(r"sep=(.)\r?\n", re.I)

"""The report from a downloaded archive of predictions, held against the stored one.

    python -m worker.evaluation evidence.zip

Prints the report as JSON. Ends with 1 where it differs from the stored one, 2 where the archive
cannot be read. Sentences may be another release's: where they alone differ it says so and ends with
0.
"""

import argparse
import sys
from pathlib import Path

from worker.evaluation.archive import WORDS, BadArchive, first_difference, recompute


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m worker.evaluation", description=__doc__)
    parser.add_argument("archive", type=Path, help="what GET /v1/jobs/{id}/predictions answers")
    try:
        report, stored = recompute(parser.parse_args().archive)
    except BadArchive as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{report.model_dump_json(indent=2)}\n")
    if stored is None:
        sys.stderr.write("the archive holds no stored report to compare with\n")
        return 0
    made = report.model_dump(mode="json")
    if difference := first_difference(stored, made, apart_from=WORDS):
        sys.stderr.write(f"the stored report differs: {difference}\n")
        return 1
    if difference := first_difference(stored, made):
        said = "the stored report says the same in other words, as another release may"
        sys.stderr.write(f"{said}: {difference}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

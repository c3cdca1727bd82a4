"""Two hospitals' CSV files, written on the spot -> datasets, a job, a report, answers.

    ktl up                                          # in another terminal
    python examples/hospital_to_hospital.py [FOLDER]

The rows are those of scikit-learn's breast cancer data (569 tumours, benign or malignant; Wolberg,
Street & Mangasarian, UCI, CC BY 4.0), dealt out to two hospitals by lot. The city's file is plain.
The country's has its columns in another order and spelling, decimal commas, radii that a device
measures a tenth too short, gaps, a column fewer and one more. Ten of its rows of each kind are
taken to have a label. The files stay in FOLDER, else in a temporary one.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ktl import Client
from service import ended, folder_of, run, spec_of, uploaded
from sklearn.datasets import load_breast_cancer

CITY = 300  # tumours; the country has the other 269
SHARED = ("mean radius", "mean texture", "mean smoothness", "mean concavity", "worst radius")
ALONE = "mean symmetry"  # measured in the city only
SHORT, GAPS = 0.9, 0.05


def make(folder: Path) -> tuple[Path, Path]:
    """Writes city.csv and country.csv."""
    data = load_breast_cancer()
    place = {name: at for at, name in enumerate(data.feature_names)}
    rng = np.random.default_rng(0)
    order = rng.permutation(len(data.target))
    kinds = [data.target_names[label] for label in data.target]
    city, country = folder / "city.csv", folder / "country.csv"
    names = [*SHARED, ALONE]
    lines: list[Sequence[object]] = [["tumour_id", *names, "diagnosis"]]
    for number, row in enumerate(order[:CITY]):
        values = [f"{data.data[row, place[name]]:.4f}" for name in names]
        lines.append([1000 + 7 * number, *values, kinds[row]])
    write(city, lines, ",")
    names = list(SHARED[::-1])
    lines = [["Diagnosis", "ward", *(name.title().replace(" ", "_") for name in names)]]
    for row in order[CITY:]:
        values = []
        for name in names:
            value = data.data[row, place[name]] * (SHORT if "radius" in name else 1)
            values.append("" if rng.random() < GAPS else f"{value:.4f}".replace(".", ","))
        lines.append([kinds[row], rng.choice(["north", "south"]), *values])
    write(country, lines, ";")
    return city, country


def write(path: Path, lines: Sequence[Sequence[object]], delimiter: str) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(lines)


def main() -> int:
    folder, spec = folder_of("hospitals"), spec_of(__file__)
    with Client() as client:
        columns = zip(make(folder), ("diagnosis", "Diagnosis"), strict=True)
        ready = [uploaded(client, path, target={"column": column}) for path, column in columns]
        spec["sources"][0]["dataset"], spec["target"]["dataset"] = ready
        job = ended(client, spec)
        if job.status != "succeeded":
            return 1
        report = client.jobs.report(job.id)
        print(report.reason)
        for matched in report.columns:
            pairs = (f"{each.source_name} = {each.name}" for each in matched.shared)
            print(f"shared columns: {', '.join(pairs)}")
    print(f"ask it: ktl predict tumours {folder / 'country.csv'}")
    return 0


if __name__ == "__main__":
    run(main)

"""Patients of two clinics, made on the spot, and the files that the clinics keep of them."""

import csv
import io
from typing import Any

import numpy as np


def people(seed: int, items: int) -> list[dict[str, Any]]:
    rng, rows = np.random.default_rng(seed), []
    for _ in range(items):
        age, smokes = float(rng.integers(25, 85)), bool(rng.random() < 0.4)
        pressure = round(rng.normal(110 + age / 2, 12), 1)
        risk = (age - 55) / 8 + (pressure - 138) / 8 + (2 if smokes else -1.2)
        city = str(rng.choice(["Rome", "Oslo", "Bonn", "Gent"]))
        rows.append(
            {"age": age, "pressure": pressure, "smokes": smokes, "city": city, "ill": risk > 0}
        )
    return rows


def english() -> bytes:
    """Commas, an identifier, a column of its own, a city the other lacks, pressures missing."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["patient_id", "age", "blood_pressure", "city", "smokes", "ward", "diagnosis"])
    for place, row in enumerate(people(1, 240)):
        pressure = "" if place % 20 == 3 else row["pressure"]
        said = "yes" if row["smokes"] else "no"
        told, ward = ("ill" if row["ill"] else "well"), "AB"[place % 2]
        writer.writerow([1000 + 3 * place, row["age"], pressure, row["city"], said, ward, told])
    return text.getvalue().encode()


def german(rows: list[dict[str, Any]], has_labels: bool = True) -> bytes:
    """cp1252, semicolons, decimal commas, another order, other names and a city called Köln."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    names = ["City", "Smokes", "admitted", "Blood Pressure", "Age"]
    writer.writerow(names + ["diagnosis"] * has_labels)
    for place, row in enumerate(rows):
        city = "Köln" if row["city"] == "Rome" else row["city"]
        fields = ["" if place % 15 == 4 else city, "ja" if row["smokes"] else "nein"]
        fields += [f"{1 + place % 28:02}.{1 + place % 12:02}.2024"]
        fields += [str(row["pressure"]).replace(".", ","), f"{row['age']:g}"]
        writer.writerow(fields + [("ill" if row["ill"] else "well")] * has_labels)
    return text.getvalue().encode("cp1252")

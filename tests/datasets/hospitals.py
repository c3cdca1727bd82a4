"""One file of heart patients of four hospitals, made on the spot."""

import numpy as np

HOSPITALS = {"cleveland": 90, "hungarian": 80, "switzerland": 40, "va": 60}
HEAD = "hospital,age,sex,pain,smokes,visited,pressure,num"


def heart_csv(seed: int = 0) -> bytes:
    """270 rows: text, numbers with holes, a flag, dates as Europeans write them, and labels 0 and 1
    which age tells in part. Pressure was not measured in Switzerland, and va has men alone."""
    random, lines = np.random.default_rng(seed), [HEAD]
    for hospital, patients in HOSPITALS.items():
        for _ in range(patients):
            age = int(random.integers(30, 80))
            sick = int(random.random() < (age - 20) / 70)
            sex = "m" if hospital == "va" or random.random() < 0.6 else "f"
            pain = random.choice(["typical", "atypical", "none"])
            smokes = random.choice(["yes", "no"])
            day = f"{random.integers(1, 28):02}.{random.integers(1, 13):02}.2024"
            pressure = "" if hospital == "switzerland" else f"{random.normal(130, 15):.1f}"
            row = (hospital, age, sex, pain, smokes, day, pressure, sick)
            lines.append(",".join(map(str, row)))
    order = random.permutation(len(lines) - 1) + 1
    return "\n".join([HEAD, *(lines[place] for place in order), ""]).encode()

"""Short reviews of hotels and kitchens, in English and in Chinese -> datasets, a job, a report,
answers.

    ktl up                                          # in another terminal
    python examples/english_to_chinese.py [FOLDER]

The 300 sentences of examples/reviews.json were written for this example, 75 good and 75 bad ones
in each language; those in Chinese are no translations. The two languages share hardly a character:
what carries over are the features of multilingual-e5-small, a frozen encoder of about a hundred
languages (the extra `text`). The files stay in FOLDER, else in a temporary one.
"""

import csv
import json
from pathlib import Path

import numpy as np
from ktl import Client
from service import ended, folder_of, run, spec_of, uploaded

REVIEWS = Path(__file__).with_name("reviews.json")
LANGUAGES = ("english", "chinese")
ASKED = "菜很好吃，下次再来"


def make(folder: Path) -> dict[str, Path]:
    """Writes english.csv and chinese.csv."""
    reviews, rng = json.loads(REVIEWS.read_text(encoding="utf-8")), np.random.default_rng(0)
    paths = {language: folder / f"{language}.csv" for language in LANGUAGES}
    for language, path in paths.items():
        rows = [(text, label) for label, texts in reviews[language].items() for text in texts]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows(rows[place] for place in rng.permutation(len(rows)))
    return paths


def main() -> int:
    folder, spec = folder_of("reviews"), spec_of(__file__)
    with Client() as client:
        ready = {
            language: uploaded(client, path, test_fraction=0.4)
            for language, path in make(folder).items()
        }
        spec["sources"][0]["dataset"] = ready["english"]
        spec["target"]["dataset"] = ready["chinese"]
        job = ended(client, spec)
        if job.status != "succeeded":
            return 1
        print(client.jobs.report(job.id).reason)
    print(f"ask it: ktl predict {spec['deploy']['name']} --text {ASKED}")
    return 0


if __name__ == "__main__":
    run(main)

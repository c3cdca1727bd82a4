"""English reviews -> Chinese: a frozen encoder of texts, with no Chinese label and with 50.

    python -m benchmarks.reviews [waimai] [hotel] [--share 1.0] [--seeds 5]

The source is all of UCI's sentences and of rt-polarity, 13,662 English ones, a tenth of them for
the test. Of waimai (11,987 reviews of meals) and of hotel (7,765) three tenths are training items
and seven tenths the test, drawn by class with seed 0; nothing was chosen on any of them.
no_labels  the Chinese training items have no label: source_only, and what adapts to them
labels_50  25 labels per class, drawn anew for each seed, and the source
Everything goes through the API. Accuracy and AUC of the arms as the reports have them, with their
95 % intervals over seeds and test items. Beside them TF-IDF of 1 to 4 characters with logistic
regression (scikit-learn's defaults): on the same English rows, on 50 Chinese labels (20 draws) and
on all Chinese training labels. `--share` takes so large a part of every file. Needs the extra
`text`, and the data in KTL_TEST_DATA or ../shared/data.
"""

import argparse
import json
import time
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from app.spec.report import Report
from benchmarks._service import Rows, Service, read, service
from benchmarks.hospitals import interval

ENGLISH = ("text_en_uci_sentiment_sentences.csv.gz", "text_en_rt_polarity.csv.gz")
CHINESE = {"waimai": "text_zh_waimai.csv.gz", "hotel": "text_zh_chnsenticorp_hotel.csv.gz"}
ENGLISH_TRAIN, CHINESE_TRAIN = 0.9, 0.3  # shares of the rows
LABELS = 25  # per class
DRAWS = 20
WITHOUT_LABELS = ("mcc", "coral")
WITH_LABELS = ("recalibrate", "linear_probe", "lp_ft", "multi_task")
MODEL = {"backbone": "sentence_encoder"}


def parted(files: tuple[str, ...], train: float, share: float) -> Rows:
    """Rows {text, label, part}, drawn by class."""
    rng = np.random.default_rng(0)
    rows = [row for file in files for row in read(file)]
    found: Rows = []
    for label in ("0", "1"):
        of = [row for row in rows if row["label"] == label]
        drawn = rng.permutation(len(of))[: round(share * len(of))]
        for place, row in enumerate(drawn):
            part = "train" if place < round(train * len(drawn)) else "test"
            word = "good" if label == "1" else "bad"
            found.append({"text": of[row]["text"], "label": word, "part": part})
    return found


def uploaded(opened: Service, name: str, rows: Rows) -> str:
    return opened.upload(
        name,
        rows,
        columns={"text": "text", "part": {"role": "ignored"}},
        target={"column": "label"},
        split={"column": "part"},
    )


def shown(title: str, report: Report) -> dict[str, float]:
    print(f"\n{title}: {report.verdict}; {report.reason}")
    figures = {}
    for name, arm in report.arms.items():
        for metric in ("accuracy", "auc"):
            of = arm.metrics[metric]
            figures[f"{title}/{name}/{metric}"] = of.mean
        accuracy, auc = arm.metrics["accuracy"], arm.metrics["auc"]
        print(
            f"  {name:16} accuracy {accuracy.mean:.3f} [{accuracy.low:.3f}, {accuracy.high:.3f}]"
            f"  AUC {auc.mean:.3f} [{auc.low:.3f}, {auc.high:.3f}]",
            flush=True,
        )
    return figures


def arms(opened: Service, name: str, source: str, target: str, seeds: int) -> dict[str, float]:
    common: dict[str, Any] = {
        "model": MODEL,
        "sources": [{"dataset": source}],
        "evaluation": {"seeds": seeds, "pretrain_seeds": seeds, "primary_metric": "accuracy"},
    }
    started = time.monotonic()
    report = opened.report(
        **common,
        target={"dataset": target, "use_labels": False},
        strategies=[*WITHOUT_LABELS],
    )
    figures = shown(f"{name} no_labels", report)
    print(f"  {time.monotonic() - started:.0f} s, features included")
    report = opened.report(
        **common,
        target={"dataset": target, "labels_per_class": LABELS},
        strategies=[*WITH_LABELS],
    )
    return figures | shown(f"{name} labels_50", report)


def rivals(name: str, english: Rows, chinese: Rows) -> dict[str, float]:
    """TF-IDF and logistic regression."""
    train = [row for row in chinese if row["part"] == "train"]
    test = [row for row in chinese if row["part"] == "test"]
    figures, rng = {}, np.random.default_rng(0)
    places = {w: [n for n, row in enumerate(train) if row["label"] == w] for w in ("bad", "good")}
    draws = [
        [train[n] for of in places.values() for n in rng.permutation(of)[:LABELS]]
        for _ in range(DRAWS)
    ]
    english = [row for row in english if row["part"] == "train"]
    for title, sets in (("english", [english]), ("50 labels", draws), ("all labels", [train])):
        found = np.array([_fitted(rows, test) for rows in sets])
        accuracy, auc = (interval([*column]) for column in found.T)
        print(f"  TF-IDF, {title:10} accuracy {accuracy}  AUC {auc}", flush=True)
        figures[f"{name} tf-idf {title}/accuracy"] = float(found[:, 0].mean())
    return figures


def _fitted(rows: Rows, test: Rows) -> tuple[float, float]:
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), max_features=200_000)
    model = make_pipeline(vectors, LogisticRegression(max_iter=1000))
    model.fit([row["text"] for row in rows], [row["label"] == "good" for row in rows])
    y = np.array([row["label"] == "good" for row in test])
    p = model.predict_proba([row["text"] for row in test])[:, 1]
    return float(((p > 0.5) == y).mean()), float(roc_auc_score(y, p))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=[])
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    figures: dict[str, float] = {}
    english = parted(ENGLISH, ENGLISH_TRAIN, asked.share)
    with service() as opened:
        source = uploaded(opened, "english", english)
        for name in asked.parts or CHINESE:
            chinese = parted((CHINESE[name],), CHINESE_TRAIN, asked.share)
            target = uploaded(opened, name, chinese)
            figures |= arms(opened, name, source, target, asked.seeds)
            figures |= rivals(name, english, chinese)
    print(json.dumps({"benchmark": "reviews", "ratios": {}, "figures": figures}))


if __name__ == "__main__":
    main()

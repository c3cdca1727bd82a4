import numpy as np

from worker.intake.duplicates import duplicates


def count(train: str, train_labels: str, test: str, test_labels: str) -> dict:
    """A letter is a picture, a digit its label, `-` none."""
    hashes = {"train": train, "test": test}
    labels = {"train": train_labels, "test": test_labels}
    return duplicates(
        {split: np.array([ord(each) for each in of], np.uint64) for split, of in hashes.items()},
        {
            split: np.array([-1 if each == "-" else int(each) for each in of], np.int32)
            for split, of in labels.items()
        },
    )


def test_counts_by_hand() -> None:
    # a: twice with one label; b: with two labels; c: three times, with two labels
    found = count("aabbcccd", "00010111", "abcde", "01012")
    assert found["train"] == 1 + 1 + 2
    assert found["test"] == 0
    assert found["across_splits"] == 4
    # b and c carry both labels; d is of class 1 in both; a of class 0
    assert found["contradicting"] == {"within": {"train": 2, "test": 0}, "across_splits": 2}


def test_another_label_across_the_splits() -> None:
    found = count("abc", "012", "aabx", "1020")
    assert found["across_splits"] == 3
    assert found["contradicting"] == {"within": {"train": 0, "test": 1}, "across_splits": 2}


def test_items_without_labels_contradict_nothing() -> None:
    for labels in (("---", "012"), ("012", "---")):
        found = count("aab", labels[0], "aab", labels[1])
        assert found["across_splits"] == 3
        assert found["contradicting"]["across_splits"] == 0

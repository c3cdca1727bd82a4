from app.cli import verdict
from app.jobs.report import Report


def _arm(mean, gain):
    value = {"mean": mean, "low": mean - 0.01, "high": mean + 0.01, "n": 5}
    bounds = {"low": 0.1, "high": 0.2}
    return {
        "metrics": {"accuracy": value},
        "validation": value,
        "gain": gain
        and {**value, "mean": gain, "p_value": 0.01, "p_holm": 0.02, "bootstrap": bounds},
        "transfer_ratio": None,
        "jumpstart": None,
        "per_class": [],
        "confusion": [],
        "calibration": None,
        "seconds": 1.0,
    }


def test_a_row_an_arm_and_the_verdict(capsys):
    report = Report.model_validate(
        {
            "verdict": "positive_transfer",
            "reason": "lp_ft [beats] scratch",
            "primary_metric": "accuracy",
            "confidence": 0.95,
            "labels_per_class": 5,
            "test_items": 359,
            "classes": ["0", "1"],
            "baseline": "scratch",
            "winner": "lp_ft",
            "winner_seed": 0,
            "arms": {"scratch": _arm(0.8, None), "lp_ft": _arm(0.9, 0.1)},
            "selection": [],
            "warnings": ["fewer than 5 seeds"],
            "trials_failed": 0,
            "seconds": 2.0,
        }
    )
    verdict.show(report)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["scratch", "0.8000", "0.7900", "…", "0.8100"]
    assert lines[2].split()[:3] == ["lp_ft", "*", "0.9000"]
    assert "+0.1000" in lines[2]
    assert "The transfer helped." in lines
    assert "lp_ft [beats] scratch" in lines
    assert "warning: fewer than 5 seeds" in lines

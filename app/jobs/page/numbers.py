"""Numbers as a reader meets them: the same digits everywhere, a true minus, nothing for nothing."""

from app.tasks import TASKS, TaskKind
from app.tasks.contract import EXACT

NOTHING = "–"
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NARROW NO-BREAK SPACE}"


LARGE = 100  # from here a number is no rate, and four decimals are too many


def score(value: float | None) -> str:
    """A metric: `0.9231`, `48 213`, `3e−06` of a quantity in a large unit."""
    if value is None:
        return NOTHING
    if abs(value) >= LARGE:
        return count(value) if abs(value) >= 10_000 else f"{value:.1f}".replace("-", MINUS)
    return _small(value) or f"{value if rounds_to_something(value) else 0.0:.4f}".replace(
        "-", MINUS
    )


def signed(value: float | None) -> str:
    """A difference of metrics: `+0.0412`; of the smallest too it is said on which side of 0."""
    if value is None:
        return NOTHING
    if abs(value) >= LARGE:
        return f"+{score(value)}" if value > 0 else score(value)
    if small := _small(value, "+"):
        return small
    return f"{value:+.4f}".replace("-", MINUS) if rounds_to_something(value) else f"{0:.4f}"


def _small(value: float, sign: str = "") -> str:
    """What four decimals do not tell from 0, though sums of floats are exact enough to; else ''."""
    if abs(value) < EXACT or rounds_to_something(value):
        return ""
    return f"{value:{sign}.0e}".replace("-", MINUS)


def rounds_to_something(value: float) -> bool:
    """Tells whether four decimals tell it from 0."""
    return float(f"{value:.4f}") != 0


def bounds(low: float | None, high: float | None, *, sign: bool = False) -> str:
    """`[0.9180, 0.9282]`; nothing where either end is unknown."""
    if low is None or high is None:
        return NOTHING
    show = signed if sign else score
    return f"[{show(low)}, {show(high)}]"


def p_value(value: float | None) -> str:
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def percent(share: float) -> str:
    return f"{100 * share:g}{SPACE}%"


def count(value: float) -> str:
    """`20 800`: thousands apart, so that 1300 and 13000 are told from each other."""
    return f"{value:,.0f}".replace(",", SPACE).replace("-", MINUS)


def ratio(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}{SPACE}×"


def duration(seconds: float) -> str:
    """`4.2 s`, `3 min 5 s`, `2 h 7 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f}{SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{SPACE}min {rest}{SPACE}s"
    return f"{minutes // 60}{SPACE}h {minutes % 60}{SPACE}min"


def budget(labels: int | None, task: TaskKind = "classification") -> str:
    if labels is None:
        return "all labels"
    return f"{count(labels)} {TASKS[task].budget.replace('_', ' ')}"


def tick(value: float) -> str:
    """A value beside an axis."""
    return count(value) if abs(value) >= 1000 else f"{value:.3g}".replace("-", MINUS)


def short(label: str, length: int = 16) -> str:
    """Shortens a label to what fits beside a bar, in its middle: names that differ at their end
    alone stay apart. The whole label stands in the tables."""
    label = " ".join(label.split())
    if len(label) <= length:
        return label
    end = (length - 1) // 2
    return f"{label[: length - 1 - end]}…{label[len(label) - end :]}"


NAMES = {
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "ece": "ECE",
    "f1_macro": "F1 macro",
    "f1_micro": "F1 micro",
    "map": "mean average precision",
    "auc": "AUC",
    "leep": "LEEP",
    "logme": "LogME",
    "h_score": "H-score",
    "knn": "kNN",
    "proxy_a_distance": "proxy A-distance",
    "mmd": "MMD²",
}


def metric(name: str) -> str:
    """`f1_macro` as a column's head."""
    return NAMES.get(name, name.replace("_", " "))


def titled(name: str) -> str:
    """The same at the beginning of a line."""
    head = metric(name)
    return head[:1].upper() + head[1:]

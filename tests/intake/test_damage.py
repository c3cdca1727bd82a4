"""Whatever happens to the bytes, the answer is a dataset or a reason."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import FailureCode, WorkFailure
from tests.intake.archives import arrays, idx_files, npz_bytes, take

WORDS = np.array(["ant", "bee", "cat"])
WHOLE_NPZ = npz_bytes(**arrays(y_train=WORDS[np.arange(12) % 3], y_test=WORDS[np.arange(6) % 3]))

UPLOADS = [
    {"a.npz": npz_bytes(**arrays(class_names=WORDS))},
    {"a.npz": WHOLE_NPZ},
    {"a.npz": npz_bytes(**arrays(y_train=None))},
    idx_files(packed=True),
    idx_files(packed=False),
]


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, bytes]:
    files = dict(draw(st.sampled_from(UPLOADS)))
    name = draw(st.sampled_from(sorted(files)))
    content = bytearray(files[name])
    for _ in range(draw(st.integers(0, 6))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    files[name] = bytes(content[: draw(st.integers(0, len(content)) | st.just(len(content)))])
    return files


@settings(max_examples=300, deadline=None)
@given(damaged())
def test_damaged_bytes_give_a_dataset_or_a_reason(files: dict[str, bytes]) -> None:
    with TemporaryDirectory() as folder:
        _outcome(Path(folder), files)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_headers_give_a_dataset_or_a_reason(data: st.DataObject) -> None:
    """The checksums are right, the header of an array is not."""
    stream = io.BytesIO()
    with (
        ZipFile(io.BytesIO(WHOLE_NPZ)) as whole,
        ZipFile(stream, "w") as archive,
    ):
        damaged_member = data.draw(st.sampled_from(whole.namelist()))
        for member in whole.namelist():
            content = bytearray(whole.read(member))
            if member == damaged_member:
                for _ in range(data.draw(st.integers(1, 4))):
                    place = data.draw(st.integers(0, 127))
                    content[place] = data.draw(st.integers(0, 255) | st.sampled_from(b"',()0123{}"))
            archive.writestr(member, bytes(content))
    with TemporaryDirectory() as folder:
        _outcome(Path(folder), {"a.npz": stream.getvalue()})


def _outcome(folder: Path, files: dict[str, bytes]) -> None:
    try:
        take(folder, files)
    except WorkFailure as refused:
        failure = refused
    else:
        return
    assert failure.code == FailureCode.DATASET_INVALID
    assert failure.reason != failure.code
    assert failure.pointer

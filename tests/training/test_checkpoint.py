from pathlib import Path

import numpy as np
import pytest

from worker.training.checkpoint import BadCheckpoint, Checkpoint, Position


def checkpoint() -> Checkpoint:
    arrays = {
        "network/0": np.random.default_rng(0).random((3, 2)).astype(np.float32),
        "optimizer/0": np.array(7, np.int64),
        "sums/loss": np.array(0.1, np.float64),
    }
    return Checkpoint(arrays, Position(1, 2, 3, [0.1, 1 / 3], 0.25), 5, ("xla", "plain"), 2)


def test_it_comes_back_bit_for_bit(tmp_path: Path) -> None:
    one = checkpoint()
    one.save(tmp_path / "checkpoint")
    two = Checkpoint.load(tmp_path / "checkpoint")
    assert (two.position, two.seed, two.backends, two.threads) == (
        one.position,
        one.seed,
        one.backends,
        one.threads,
    )
    assert two.arrays.keys() == one.arrays.keys()
    for name, array in one.arrays.items():
        assert two.arrays[name].dtype == array.dtype
        assert two.arrays[name].tobytes() == array.tobytes()


def test_a_save_that_fails_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint().save(tmp_path / "checkpoint")
    before = (tmp_path / "checkpoint").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint().save(tmp_path / "checkpoint")
    assert (tmp_path / "checkpoint").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_what_is_no_checkpoint_any_more_says_so(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    checkpoint().save(path)
    whole = path.read_bytes()
    np.savez(tmp_path / "other.npz", network=np.zeros(3))
    middle = whole.index(b"network/0.npy") + 150
    for content in (
        b"",
        whole[: len(whole) // 2],
        bytes(len(whole)),
        whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        (tmp_path / "other.npz").read_bytes(),
    ):
        path.write_bytes(content)
        with pytest.raises(BadCheckpoint):
            Checkpoint.load(path)

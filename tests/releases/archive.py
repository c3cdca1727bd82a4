"""A stored data folder in one file: `ktl/` as `KTL_DATA_DIR` names it, and what the API told of it.

`told.json`    {"revision", "default": told.Told, "second": told.Told,
               "deployments": {name: the body of an answer}}
`asked.npy`    the items that each deployment was asked for, (n, 8, 8) uint8
"""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from tests.system.service import wait_for

FOLDER = Path(__file__).parent
ARCHIVES = sorted(FOLDER.glob("*.tar.xz"))
# Of made-up installations: whoever has them can open nothing else.
KEYS = {
    "default": "ktl_of_stored_test_data_no_secret",
    "second": "ktl_of_another_project_no_secret",
}


@dataclass(frozen=True)
class Released:
    """An unpacked archive."""

    folder: Path
    told: dict[str, Any]
    asked: NDArray[np.uint8]

    @property
    def data(self) -> Path:
        return self.folder / "ktl"

    def ids(self, kind: str) -> dict[str, str]:
        """The names of the default project's resources of a kind -> their ids."""
        of_kind = f"/v1/{kind}/"
        return {
            body["name"]: body["id"]
            for path, body in self.told["default"].items()
            if path.startswith(of_kind) and path.count("/") == 3
        }


def ask(client: httpx.Client, deployment: str, items: NDArray[np.uint8]) -> dict[str, Any]:
    """What the deployment answers, once it is loaded."""

    def answered() -> dict[str, Any] | None:
        body = {"inputs": items.tolist(), "top_k": 4}
        answer = client.post(f"/v1/deployments/{deployment}/predict", json=body)
        if answer.status_code == 503:
            return None
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    found: dict[str, Any] = wait_for(answered, 30, f"{deployment} does not become ready")
    return found


def unpack(archive: Path, folder: Path) -> Released:
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    told = json.loads((folder / "told.json").read_text())
    return Released(folder, told, np.load(folder / "asked.npy"))


def pack(folder: Path, archive: Path) -> None:
    """The same folder makes the same bytes, which tell nothing of who packed it."""

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        member.mode = 0o755 if member.isdir() else 0o644
        return member

    with tarfile.open(archive, "w:xz", preset=9) as file:
        for path in sorted(folder.rglob("*")):
            file.add(path, str(path.relative_to(folder)), recursive=False, filter=anonymous)

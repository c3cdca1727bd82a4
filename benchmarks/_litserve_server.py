"""LitServe's part in benchmarks/serving.py: `python -m benchmarks._litserve_server PORT HOME`.

A module of its own: LitServe's workers are new processes that import it again.
"""

import sys
from pathlib import Path
from typing import Any

import litserve
import numpy as np

from benchmarks._servers import answered, session_of
from benchmarks.serving import PATH


class Letters(litserve.LitAPI):  # type: ignore[misc]
    home: Path

    def setup(self, device: str) -> None:
        self.session = session_of(self.home / "model.onnx")

    def decode_request(self, request: dict[str, Any]) -> Any:
        return np.asarray(request["inputs"], np.float32)[..., None]

    def predict(self, inputs: Any) -> Any:
        return self.session.run(None, {"inputs": inputs})[0]

    def encode_response(self, probabilities: Any) -> dict[str, Any]:
        return answered(probabilities).model_dump()


if __name__ == "__main__":
    letters = Letters(api_path=PATH)
    letters.home = Path(sys.argv[2])
    server = litserve.LitServer(letters, accelerator="cpu")
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", generate_client_file=False
    )

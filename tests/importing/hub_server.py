"""A hub on loopback: the plain addresses of files at a revision, and where a commit is said."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = ".onnx"  # such files stand elsewhere, and the hub says their hash


@dataclass
class Hub:
    """`files`: by their names; `says`: the commit that it names, or nothing; `lies`: about the
    hash of a large file."""

    files: dict[str, bytes]
    repository: str = "org/tiny"
    says: str = COMMIT
    lies: bool = False
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.asked.append(self.path)
            if self.path.startswith("/large/"):
                return self._send(200, hub.files[self.path.removeprefix("/large/")], {})
            place, _, rest = self.path.partition("/resolve/")
            revision, _, file = rest.partition("/")
            is_known = place == f"/{hub.repository}" and revision in {"main", COMMIT}
            headers = {"X-Repo-Commit": hub.says} if hub.says else {}
            if not is_known or file not in hub.files:
                return self._send(404, b"", headers)
            if not file.endswith(LARGE):
                return self._send(200, hub.files[file], headers)
            headers["Location"] = f"/large/{file}"
            digest = "0" * 64 if hub.lies else sha256(hub.files[file]).hexdigest()
            return self._send(302, b"", {**headers, "X-Linked-Etag": f'"{digest}"'})

        def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

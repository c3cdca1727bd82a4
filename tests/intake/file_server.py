"""An HTTP server on loopback that serves bytes by name and can cut connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class FileServer:
    files: dict[str, bytes]
    cut_after: int | None = None  # bytes of each answer
    has_ranges: bool = True
    etag: str = '"1"'
    status: int = 200
    requests: list[tuple[str, str, str]] = field(default_factory=list)  # path, Range, If-Range
    url: str = ""


@contextmanager
def serving(server: FileServer) -> Iterator[FileServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            condition = self.headers.get("If-Range", "")
            server.requests.append((self.path, wanted, condition))
            content = server.files.get(self.path.lstrip("/"))
            if content is None or server.status != 200:
                self.send_error(404 if content is None else server.status)
                return
            start, total = 0, len(content)
            if wanted and server.has_ranges and condition in {"", server.etag}:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
            else:
                self.send_response(200)
            self.send_header("ETag", server.etag)
            self.send_header("Content-Length", str(total - start))
            self.end_headers()
            body = content[start:]
            self.wfile.write(body if server.cut_after is None else body[: server.cut_after])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server.url = f"http://127.0.0.1:{listener.server_port}"
        thread = Thread(target=listener.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()

"""A gateway in front of the emulator that knows one of its models by another name."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_KEPT = ("content-type", "authorization", "x-api-key", "anthropic-version", "anthropic-beta")


@contextmanager
def gateway(upstream: str, name: str, model: str) -> Iterator[str]:
    """Serve `upstream` with the model `model` under the name `name`, until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            asked = self.rfile.read(length) if length else None
            body = None if asked is None else asked.replace(name.encode(), model.encode())
            headers = {key: self.headers[key] for key in _KEPT if key in self.headers}
            path = self.path.replace(name, model)
            request = urllib.request.Request(upstream + path, body, headers, method=self.command)
            try:
                with urllib.request.urlopen(request) as reply:
                    status, kept, data = reply.status, reply.headers, reply.read()
            except urllib.error.HTTPError as error:
                status, kept, data = error.code, error.headers, error.read()
            if name in self.path or body != asked:
                data = data.replace(model.encode(), name.encode())
            self.send_response(status)
            for key, text in kept.items():
                if key.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                    self.send_header(key, text)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _pass_on

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

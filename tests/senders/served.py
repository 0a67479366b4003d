"""A fake behind a real socket, and what speaks to it from another process."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2


@contextmanager
def served(fake):
    """Put a fake behind a socket of the loopback; yield its port."""
    one_by_one = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self):
            length = int(self.headers.get("content-length") or 0)
            url, content = f"https://fake.example{self.path}", self.rfile.read(length)
            request = httpx2.Request(self.command, url, headers=dict(self.headers), content=content)
            with one_by_one:
                response = fake.handle_request(request)
            data = b"".join(response.iter_raw())
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                if name not in {"content-length", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815 -- named for its methods

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class Wire(httpx2.HTTPTransport):
    """The way to a fake that is served elsewhere, in place of the fake itself."""

    def __init__(self, port, secret):
        super().__init__()
        self.url, self.secret = f"http://127.0.0.1:{port}", secret

"""Answers each request with its headers and the length of its body, as JSON: what a gateway hands on.

Argument: the port.
"""

import http.server
import json
import sys


class Echo(http.server.BaseHTTPRequestHandler):
    """Tells what it is asked."""

    def do_GET(self) -> None:
        """Say that it is there."""
        self._answer(0)

    def do_POST(self) -> None:
        """Read the body, whose length is told."""
        left = int(self.headers["Content-Length"])
        read = 0
        while piece := self.rfile.read(min(left - read, 65536)):
            read += len(piece)
        self._answer(read)

    def _answer(self, read: int) -> None:
        headers: dict[str, list[str]] = {}
        for name, text in self.headers.items():
            headers.setdefault(name.lower(), []).append(text)
        said = json.dumps({"headers": headers, "body": read}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Echo).serve_forever()

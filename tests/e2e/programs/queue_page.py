"""A page of metrics that says how many requests are queued: `PUT /5` sets it. It stands in for a gateway's queue.

Argument: the port.
"""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Page(BaseHTTPRequestHandler):
    queued = 0

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(f"# TYPE queued_requests gauge\nqueued_requests {Page.queued}\n".encode())

    def do_PUT(self) -> None:
        Page.queued = int(self.path.strip("/"))
        self.send_response(204)
        self.end_headers()


HTTPServer(("", int(sys.argv[1])), Page).serve_forever()

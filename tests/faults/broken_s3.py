"""An S3 of the model's two files that breaks on demand, over real sockets, and mends again."""

import http.server
import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final

WEEK_S: Final = 7 * 86_400


class BrokenS3(http.server.ThreadingHTTPServer):
    """fault: what the next requests meet: '', 'gone', 'refusing', 'silent', 'trickling', 'truncated', 'other bytes'.

    clock_s: how far its clock is ahead of this machine's. As S3 does, it refuses what was signed by one 15 minutes off.
    """

    daemon_threads = True

    def __init__(self, files: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files, self.fault, self.clock_s = files, "", 0.0
        self.asked = 0
        self.mended = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: hanging up is what it is for."""


class _Answer(http.server.BaseHTTPRequestHandler):
    server: BrokenS3
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked += 1
        signed = time.strptime(self.headers["x-amz-date"] + " UTC", "%Y%m%dT%H%M%SZ %Z")
        if abs(_unix(signed) - (time.time() + self.server.clock_s)) > 900:
            self._refuse(403, "RequestTimeTooSkewed")
        elif self.server.fault == "gone":
            self._refuse(404, "NoSuchBucket")
        elif self.server.fault == "refusing":
            self._refuse(503, "SlowDown")
        elif self.server.fault == "silent":
            self.server.mended.wait(60)
            self.close_connection = True
        else:
            self._send((self.server.files / Path(self.path).name).read_bytes())

    def _send(self, body: bytes) -> None:
        large = len(body) > 100_000
        if self.server.fault == "other bytes" and large:
            body = body[:-1] + bytes([body[-1] ^ 1])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.fault == "truncated" and large:
            body, self.close_connection = body[: len(body) // 2], True
        if self.server.fault == "trickling" and large:
            for n in range(200):
                self.wfile.write(body[n : n + 1])
                time.sleep(0.05)
            body, self.close_connection = b"", True
        self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(time.time() + self.server.clock_s, usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _unix(moment: time.struct_time) -> float:
    import calendar

    return calendar.timegm(moment)

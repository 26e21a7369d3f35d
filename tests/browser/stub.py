"""A stand-in for the API that answers what a test wants: the states the real one is rarely in."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from running import address, running

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
# As CloudFront sends it: stricter than the page's own, since here the API's address is known.
CSP = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; manifest-src 'self'; "
    "style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Answer:
    """One answer to POST /pose. drop: close the connection instead. delay_s: before anything is sent."""

    status: int = 200
    body: bytes | dict[str, Any] = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    drop: bool = False


def problem(status: int, detail: str, hint: str = "", **headers: str) -> Answer:
    """An RFC 9457 answer, as hpe.web.api makes it."""
    body = {"type": "about:blank", "title": "Problem", "status": status, "detail": detail}
    if hint:
        body["hint"] = hint
    sent = {"Content-Type": "application/problem+json"} | {name.replace("_", "-"): v for name, v in headers.items()}
    return Answer(status, body, sent)


@dataclass
class Stub:
    """url: where it listens. plan: answers to POST /pose, one each; the last one stays.

    seen: (path, body) so far. keys: the Authorization header of each post.
    """

    url: str
    plan: list[Answer] = field(default_factory=lambda: [Answer(body={})])
    config: dict[str, Any] | None = field(default_factory=lambda: {"apiUrl": ""})
    keys: list[str] = field(default_factory=list)
    seen: list[tuple[str, bytes]] = field(default_factory=list)
    other: dict[tuple[str, str], Answer] = field(default_factory=dict)
    # posts begun since the last reset that are not answered yet, and the most there were: an earlier test's may go on
    open_posts: set[object] = field(default_factory=set)
    most_at_once: int = 0

    def reset(self, *plan: Answer, config: dict[str, Any] | None = None) -> None:
        """Forget what was seen, and answer by this plan from now on."""
        self.plan[:] = plan
        self.config = {"apiUrl": ""} if config is None else config
        self.seen.clear()
        self.keys.clear()
        self.open_posts = set()
        self.most_at_once = 0
        self.other.clear()

    def next(self) -> Answer:
        """The answer that is due."""
        return self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]

    @property
    def posts(self) -> list[tuple[str, bytes]]:
        """What was posted to /pose so far."""
        return [(path, body) for path, body in self.seen if path.startswith("/pose")]


@contextmanager
def serving(site: Path) -> Iterator[Stub]:
    """Serves `site` and the scripted API from one port until the block ends."""
    with running(Handler, site=site) as server:
        stub = Stub(address(server))
        vars(server)["stub"] = stub
        yield stub


class Handler(BaseHTTPRequestHandler):
    """GET for files, /health and what `other` holds; POST /pose by plan."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Quiet."""

    @property
    def stub(self) -> Stub:
        """What the test holds."""
        stub: Stub = self.server.stub  # type: ignore[attr-defined]
        return stub

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.stub.seen.append((self.path, b""))
        if ("GET", path) in self.stub.other:
            return self.answer(self.stub.other["GET", path])
        if path == "/health":
            return self.answer(Answer(body={"status": "ok"}))
        if path == "/config.js":
            script = f"window.HPE_CONFIG = {json.dumps(self.stub.config)};".encode()
            return self.answer(Answer(body=script, headers={"Content-Type": "text/javascript"}))
        file = self.server.site / (path.lstrip("/") or "index.html")  # type: ignore[attr-defined]
        if not file.is_file():
            return self.answer(Answer(404))
        return self.answer(Answer(body=file.read_bytes(), headers={"Content-Type": TYPES[file.suffix]}))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.stub.seen.append((self.path, body))
        path = self.path.split("?")[0]
        self.stub.keys.append(self.headers.get("Authorization", ""))
        posts, this = self.stub.open_posts, object()
        posts.add(this)
        self.stub.most_at_once = max(self.stub.most_at_once, len(posts))
        try:
            self.answer(self.stub.other.get(("POST", path)) or self.stub.next())
        finally:
            posts.discard(this)

    def answer(self, answer: Answer) -> None:
        time.sleep(answer.delay_s)
        if answer.drop:
            self.close_connection = True
            self.connection.close()
            return
        body = json.dumps(answer.body).encode() if isinstance(answer.body, dict) else answer.body
        headers = {"Content-Type": "application/json", "Content-Security-Policy": CSP, **answer.headers}
        try:
            self.send_response(answer.status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the page gave up, as a cancel does

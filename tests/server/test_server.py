"""hpe.server over real sockets: the site, the API, limits, rude clients, a full house, a clean stop."""

import html
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from web.bad_uploads import UPLOADS
from web.fakes import FakeEstimator, form, part, photo

from hpe.errors import BadSettings
from hpe.server.http import Server
from hpe.server.serve import listen, make_server
from hpe.settings import Settings
from hpe.web.problems import INTERNAL, KINDS

ROOT = Path(__file__).parents[2]
PHOTO = photo()
FORM = "multipart/form-data; boundary=d74496d66958873e"


@contextmanager
def running(
    source: Callable[[], Any] = FakeEstimator,
    settings: Settings | None = None,
    host: str = "127.0.0.1",
    **limits: float,
) -> Iterator[Server]:
    server = make_server(source, settings or Settings(), ROOT / "static-site", listen(host, 0), **limits)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as found:
        yield found


def ask(
    server: Server, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def raw(server: Server, data: bytes) -> bytes:
    """Bytes as they are down a socket; everything that comes back until the server hangs up."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_site_and_api_share_a_port(server: Server) -> None:
    status, headers, body = ask(server, "GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"<title>" in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert json.loads(ask(server, "GET", "/health")[2])["status"] == "ok"
    assert b"apiUrl" in ask(server, "GET", "/config.js")[2]


def test_photos_are_answered_by_form_and_raw(server: Server) -> None:
    status, headers, body = ask(server, "POST", "/pose", PHOTO, content_type="image/jpeg")
    assert (status, headers["X-Pose-People"]) == (200, "1")
    assert body.startswith(b"\x89PNG")
    assert ask(server, "POST", "/pose?format=png&flip=0", form(part(PHOTO)), content_type=FORM)[2] == body
    boxes = json.loads(ask(server, "POST", "/v1/pose?format=json&box=1,2,30,40&box=5%2C5%2C60%2C60", PHOTO)[2])
    assert len(boxes["people"]) == 2


def test_odd_uploads_get_the_same_status_as_from_the_handler(server: Server) -> None:
    for name, upload in UPLOADS.items():
        query = "&".join(f"{key}={value}" for key, value in upload.query.items())
        status, _, body = ask(
            server, "POST", f"/pose?{query}", upload.body, content_type=upload.content_type, **upload.headers
        )
        assert status == upload.status, name
        assert status == 200 or json.loads(body)["status"] == status, name


def test_a_connection_is_kept_for_the_next_request(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.connect()
    first = connection.sock
    for method, path, body, expected in [
        ("POST", "/pose", PHOTO, 200),
        ("GET", "/missing.html", None, 404),
        ("POST", "/pose", b"text", 415),
        ("HEAD", "/health", None, 200),
        ("PUT", "/pose", b"x" * 1000, 405),
        ("GET", "/", None, 200),
    ]:
        connection.request(method, path, body)
        response = connection.getresponse()
        response.read()
        assert response.status == expected, path
        assert connection.sock is first, path
    connection.close()


@pytest.mark.parametrize(
    "path", ["/../handler.py", "/%2e%2e/handler.py", "/..%2fhandler.py", "/%00", "/.git/config", "/a%ff.html"]
)
def test_nothing_but_the_site_can_be_read(server: Server, path: str) -> None:
    assert ask(server, "GET", path)[0] == 404


def test_a_proxys_full_address_is_understood(server: Server) -> None:
    assert raw(server, b"GET http://example.org/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(
        b"HTTP/1.1 200"
    )


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"BREW /pose HTTP/1.1\r\n\r\n", 405),
        (b"POST /pose HTTP/1.1\r\nContent-Length: ten\r\n\r\n", 400),
        (b"POST /pose HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST /pose HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400),
        (b"POST /pose HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nabc", 400),
        (b"POST /pose HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 415),
        (b"POST /pose HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"POST /pose HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\nabc", 413),
        (b"POST /pose HTTP/1.1\r\n\r\n", 400),
    ],
)
def test_requests_that_are_none_get_a_problem_and_the_door(server: Server, data: bytes, status: int) -> None:
    head, _, body = raw(server, data).partition(b"\r\n\r\n")
    assert head.split()[1] == str(status).encode(), head
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status


def test_an_empty_line_before_a_request_is_skipped(server: Server) -> None:
    assert raw(server, b"\r\n\r\nGET /health HTTP/1.1\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert raw(server, b"\r\n\r\n") == b"", "nothing was asked"


@pytest.mark.parametrize("sent", [b"", b"POST /pose HT", b"POST /pose HTTP/1.1\r\nContent-Length: 1000\r\n\r\nabc"])
def test_a_client_that_falls_silent_is_not_waited_for(sent: bytes) -> None:
    with running(idle_s=0.5) as server, socket.create_connection(("127.0.0.1", server.port), 10) as client:
        client.sendall(sent)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert (b"408 Request Timeout" in answer) is bool(sent)


def test_a_request_in_drops_has_its_deadline() -> None:
    with running(request_s=1.0) as server, socket.create_connection(("127.0.0.1", server.port), 10) as client:
        client.sendall(b"POST /pose HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")
        client.settimeout(0.05)
        answer = b""
        while not answer:
            client.sendall(b"x")
            try:
                answer = client.recv(65536)
            except TimeoutError:
                continue
    assert b"408 Request Timeout" in answer


def test_more_connections_than_there_are_places_get_their_turn() -> None:
    with running(connections=8, idle_s=0.5) as server:
        idle = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(16)]
        assert ask(server, "GET", "/health")[0] == 200
        for client in idle:
            client.close()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_it_listens_on_ipv6() -> None:
    with running(host="::1") as server:
        assert server.url == f"http://[::1]:{server.port}/"
        with socket.create_connection(("::1", server.port), 10) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_it_runs_on_systems_that_count_cores_in_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    with running() as server:
        assert ask(server, "GET", "/health")[0] == 200


def test_a_body_that_stops_half_way_is_nobodys_photo(server: Server) -> None:
    assert raw(server, b"POST /pose HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + PHOTO[:500]) == b""
    assert ask(server, "GET", "/health")[0] == 200


def test_a_large_body_is_refused_before_it_is_sent() -> None:
    with running(settings=Settings(max_upload_bytes=1000)) as server:
        request = b"POST /pose HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\nExpect: 100-continue\r\n\r\n"
        assert raw(server, request).startswith(b"HTTP/1.1 413")
        asked = b"POST /pose HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\ntext"
        assert raw(server, asked).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 415")
        # and where the client sends it all the same, it still gets to read why not
        status, _, body = ask(server, "POST", "/pose", bytes(3_000_000))
        assert (status, json.loads(body)["limit"]) == (413, 101_000)


def test_lambdas_limit_can_be_played() -> None:
    with running(settings=Settings(lambda_limits=True)) as server:
        assert ask(server, "POST", "/pose", bytes(4_718_668))[0] == 413
        assert ask(server, "POST", "/pose", PHOTO + bytes(4_500_000))[0] == 200


class Held(FakeEstimator):
    """Answers when it is let, and tells when it has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, image: Any, **options: Any) -> Any:
        self.begun.set()
        assert self.go.wait(30)
        return super().__call__(image, **options)


def test_a_full_queue_is_refused_and_health_answers_all_the_while() -> None:
    held = Held()
    with running(lambda: held, Settings(concurrent=1, queue=1)) as server, ThreadPoolExecutor(8) as clients:
        paths = ["/pose", "/v1/pose"] * 4
        asked = [clients.submit(ask, server, "POST", path, PHOTO) for path in paths]
        refused = [done.result() for _, done in zip(range(6), as_completed(asked), strict=False)]
        assert [status for status, _, _ in refused] == [503] * 6
        assert all(headers["Retry-After"] == "2" for _, headers, _ in refused)
        assert ask(server, "GET", "/health")[0] == 200
        held.go.set()
        assert sorted(done.result()[0] for done in asked) == [200, 200, *[503] * 6]


def test_many_clients_at_once_each_get_their_own_answer() -> None:
    with running(settings=Settings(concurrent=4, queue=64)) as server:
        sizes = [(40 + 8 * n, 30 + 4 * n) for n in range(24)]
        got: dict[tuple[int, int], Any] = {}

        def one(size: tuple[int, int]) -> None:
            got[size] = json.loads(ask(server, "POST", "/pose?format=json", photo(*size))[2])["image"]

        threads = [threading.Thread(target=one, args=(size,)) for size in sizes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == {size: {"width": size[0], "height": size[1]} for size in sizes}


def test_stopping_answers_what_was_asked_and_does_not_wait_for_the_idle() -> None:
    held = Held()
    with (
        ThreadPoolExecutor(1) as client,
        running(lambda: held, idle_s=1000.0, request_s=1000.0) as server,
        socket.create_connection(("127.0.0.1", server.port), 10) as idle,
        socket.create_connection(("127.0.0.1", server.port), 10) as begun,
    ):
        begun.sendall(b"POST /pose HTTP/1.1\r\nContent-Length: 1000\r\n\r\nabc")
        asked = client.submit(ask, server, "POST", "/pose", PHOTO)
        assert held.begun.wait(5)
        server.stop()
        held.go.set()
        assert asked.result()[0] == 200
        assert idle.recv(100) == begun.recv(100) == b""


def test_a_taken_port_is_told_with_a_remedy(server: Server) -> None:
    with pytest.raises(BadSettings, match=f"port {server.port} is taken"):
        listen("127.0.0.1", server.port)


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1", "a" * 300])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(BadSettings, match="of this machine"):
        listen(host, 0)


SERVE = """
import sys, time
from pathlib import Path
import hpe.engine.estimator
from hpe.settings import Settings
from web.fakes import FakeEstimator

class Slow(FakeEstimator):
    def __init__(self, *_, **__): super().__init__()
    def __call__(self, image, **options):
        time.sleep(1)
        return super().__call__(image, **options)

hpe.engine.estimator.PoseEstimator = Slow
from hpe.server.serve import serve
serve(0, Settings(), Path("static-site"))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_finishes_its_requests_on_a_signal(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        port = int(line.split("127.0.0.1:")[1].split("/")[0])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", "/pose", PHOTO)
        time.sleep(0.7)
        process.send_signal(number)
        response = connection.getresponse()
        assert response.status == 200
        assert response.read().startswith(b"\x89PNG")
        assert process.wait(10) == 0
        assert "Stopped." in process.stderr.read()
    finally:
        process.kill()
        process.stderr.close()
        process.wait()


def test_headers_that_are_too_large_are_431_in_the_apis_words(server: Server) -> None:
    for request in (b"GET /health HTTP/1.1\r\nHost: a\r\nCookie: " + b"x" * 70_000, b"GET /health?" + b"x" * 70_000):
        head, _, body = raw(server, request + b"\r\n\r\n").partition(b"\r\n\r\n")
        assert head.split(b" ", 1)[1].startswith(b"431 Request Header Fields Too Large")
        told = json.loads(body)
        assert (told["type"], told["status"], told["limit"]) == ("/problems/headers-too-large", 431, 65_536)
        assert "larger than 65,536 bytes" in told["detail"]


@pytest.mark.parametrize(
    "path", ["/health", "/openapi.json", "/v1/health", "/", "/app.js", "/problems/busy", "/missing"]
)
def test_head_has_the_length_of_get(server: Server, path: str) -> None:
    status, _, body = ask(server, "GET", path)
    head = ask(server, "HEAD", path)
    assert (head[0], head[1]["Content-Length"], head[2]) == (status, str(len(body)), b"")
    assert int(head[1]["Content-Length"]) > 0


def test_parameter_that_is_given_twice_is_refused(server: Server) -> None:
    for query in ("threshold=0.3&threshold=0.4", "format=json&format=json", "people=&people=2"):
        status, _, body = ask(server, "POST", f"/pose?{query}", PHOTO)
        assert status == 400
        assert "is given several times: give it once" in json.loads(body)["detail"]


def test_type_of_every_problem_is_the_address_of_a_page_that_explains_it(server: Server) -> None:
    for kind in (*KINDS.values(), INTERNAL):
        status, headers, body = ask(server, "GET", kind.type)
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        page = html.unescape(body.decode())
        assert kind.title in page
        assert kind.hint in page
        assert str(kind.status) in page
    assert ask(server, "GET", "/problems/none")[0] == 404

"""hpe submit against a small server that plays the API, S3 and the worker."""

import errno
import gc
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image
from running import address, running
from video.clips import plain, write_clip

from hpe.commands import uploads_client
from hpe.commands.submit import submit as command
from hpe.commands.uploads_client import retry_after
from hpe.errors import HpeError


class Api(BaseHTTPRequestHandler):
    """Counts what is asked; photos that hold b"broken" become a 422; the first ticket is refused once with a 429."""

    def answer(self, status: int, body: Any, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        state = self.server.state  # type: ignore[attr-defined]
        state["tokens"].append((self.path, self.headers["Authorization"]))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        base = address(self.server)
        with state["lock"]:
            if self.path == "/uploads":
                if state["throttle"] and not state["throttled"]:
                    state["throttled"] = True
                    return self.answer(429, {}, Retry_After="0")
                state["tickets"].append(json.loads(body))
                name = str(len(state["tickets"]))
                fields = {"key": name, "Content-Type": "image/jpeg"}
                return self.answer(201, {"url": f"{base}/s3", "fields": fields, "result": f"/results/{name}"})
            name = body.partition(b'name="key"\r\n\r\n')[2].partition(b"\r\n")[0].decode()
            state["broken"][name] = b"broken" in body
        return self.answer(204, b"")

    def do_GET(self) -> None:
        state = self.server.state  # type: ignore[attr-defined]
        state["tokens"].append((self.path, self.headers["Authorization"]))
        base = address(self.server)
        kind, _, name = self.path.lstrip("/").partition("/")
        threading.Event().wait(state.pop("silent_s", 0))
        if kind == "results":
            with state["lock"]:
                first = name not in state["asked"]
                state["asked"].add(name)
            if first:
                return self.answer(202, {"state": "pending"}, Retry_After="0")
            if state["broken"][name]:
                return self.answer(422, {"title": "Broken", "detail": "the photo is cut off"})
            if state["tickets"][int(name) - 1]["content_type"].startswith("video/"):
                return self.answer(200, {"jsonl": f"{base}/jsonl/{name}"})
            return self.answer(200, {"json": f"{base}/json/{name}", "png": f"{base}/png/{name}"})
        if kind == "jsonl":
            return self.answer(200, b'{"frame":0,"id":2}\n{"frame":1,"id":1}\n{"frame":1,"id":2}\n')
        return self.answer(200, {"people": []} if kind == "json" else b"\x89PNG")

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, Any]]]:
    state: dict[str, Any] = {"tickets": [], "broken": {}, "asked": set(), "throttle": False, "throttled": False}
    state |= {"lock": threading.Lock(), "tokens": []}
    with running(Api, state=state) as found:
        yield address(found), state


def folder(path: Path, **photos: bytes) -> Path:
    for name, data in photos.items():
        target = path / name.replace("__", "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_suffix(".jpg").write_bytes(data)
    path.mkdir(parents=True, exist_ok=True)
    (path / "notes.txt").write_text("no photo")
    return path


def seen_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def submit(url: str, out: Path, *given: Path | str) -> Result:
    return CliRunner().invoke(command, [*map(str, given), "--api", f"{url}/", "-o", str(out)])


def test_clip_comes_back_as_tracks(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, state = server
    clip = write_clip(tmp_path / "walk.mp4", plain(20), 10)
    result = submit(url, tmp_path / "out", clip)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "walk.pose.jsonl").read_bytes().count(b"\n") == 3
    (ticket,) = state["tickets"]
    assert ticket == {"content_type": "video/mp4", "size": clip.stat().st_size, "seconds": 2.0, "fps": 10.0}
    told = json.loads(result.stdout)
    assert told == {"file": str(clip), "people": [1, 2], "tracks": str(tmp_path / "out" / "walk.pose.jsonl")}
    assert submit(url, tmp_path / "out", clip).exit_code == 0
    assert len(state["tickets"]) == 1, "what is done is not sent again"


def test_clip_that_cannot_be_read_is_not_sent(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, state = server
    (tmp_path / "bad.mp4").write_bytes(b"not a clip")
    result = submit(url, tmp_path / "out", tmp_path / "bad.mp4")
    assert result.exit_code == 1
    assert "bad.mp4: this is not a clip" in result.stderr
    assert not state["tickets"]


def test_folder_comes_back_with_its_layout(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, state = server
    photos = folder(tmp_path / "in", a=b"one", sub__b=b"two!")
    result = submit(url, tmp_path / "out", photos)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "sub" / "b.pose.png").read_bytes() == b"\x89PNG"
    assert json.loads((tmp_path / "out" / "a.pose.json").read_text()) == {"file": str(photos / "a.jpg"), "people": []}
    assert f"hpe: 2 photos done, 0 people in 0 of them; results in {tmp_path / 'out'}" in result.stderr
    files = {json.loads(line)["file"] for line in result.stdout.splitlines()}
    assert files == {str(photos / "a.jpg"), str(photos / "sub" / "b.jpg")}
    assert sorted(ticket["size"] for ticket in state["tickets"]) == [3, 4]
    assert {ticket["content_type"] for ticket in state["tickets"]} == {"image/jpeg"}


def test_one_bad_photo_is_reported_and_the_rest_done(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, _ = server
    result = submit(url, tmp_path / "out", folder(tmp_path / "in", a=b"one", b=b"broken", c=b"three"))
    assert result.exit_code == 1
    assert "b.jpg: the photo is cut off" in result.stderr
    assert "2 photos done, 0 people in 0 of them; 1 failed" in result.stderr
    assert len(result.stdout.splitlines()) == 2


def test_second_run_sends_nothing_again(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, state = server
    photos = folder(tmp_path / "in", a=b"one", b=b"two")
    assert submit(url, tmp_path / "out", photos).exit_code == 0
    again = submit(url, tmp_path / "out", photos)
    assert "2 done before (--overwrite does them again)" in again.stderr
    assert len(state["tickets"]) == 2
    assert submit(url, tmp_path / "out", photos, "--overwrite").exit_code == 0
    assert len(state["tickets"]) == 4


def test_photos_of_one_name_from_two_folders_are_both_kept(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, state = server
    one, two = folder(tmp_path / "one", a=b"one"), folder(tmp_path / "two", a=b"two!")
    assert submit(url, tmp_path / "out", one, two).exit_code == 0
    names = seen_in(tmp_path / "out")
    assert names == {"a.pose.json", "a.pose.png", "a.jpg.pose.json", "a.jpg.pose.png"}
    assert "2 done before" in submit(url, tmp_path / "out", one, two).stderr
    assert len(state["tickets"]) == 2


def test_throttled_request_is_tried_again(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, state = server
    state["throttle"] = True
    assert submit(url, tmp_path / "out", folder(tmp_path / "in", a=b"one")).exit_code == 0
    assert state["throttled"]


def test_result_that_is_slow_to_come_is_asked_for_again(
    server: tuple[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, state = server
    monkeypatch.setattr(uploads_client, "_ANSWER_S", 2.0)
    state["silent_s"] = 4
    assert submit(url, tmp_path / "out", folder(tmp_path / "in", a=b"one")).exit_code == 0
    assert len(state["tickets"]) == 1, "the photo itself is sent once"


def test_folder_without_photos_and_other_files_are_refused(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, _ = server
    empty = submit(url, tmp_path / "out", folder(tmp_path / "in"))
    assert (empty.exit_code, "no photos in it: looked for .jpg" in empty.stderr) == (1, True)
    text = submit(url, tmp_path / "out", tmp_path / "in" / "notes.txt")
    assert (text.exit_code, ".txt is not a photo's" in text.stderr) == (1, True)
    nowhere = submit(url, tmp_path / "out", tmp_path / "holiday")
    assert (nowhere.exit_code, "holiday: No such file or directory" in nowhere.stderr) == (1, True)


def test_api_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    result = submit("http://127.0.0.1:9", tmp_path / "out", folder(tmp_path / "in", a=b"one"))
    assert result.exit_code == 1
    assert "http://127.0.0.1:9/uploads does not answer: Connection refused\n" in result.stderr


def test_results_go_beside_the_photos_if_no_folder_is_named(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    photos = folder(tmp_path / "in", a=b"one")
    assert CliRunner().invoke(command, [str(photos), "--api", server[0]]).exit_code == 0
    assert seen_in(photos) == {"a.jpg", "a.pose.png", "a.pose.json", "notes.txt"}
    refused = CliRunner().invoke(command, [str(photos), "--api", server[0], "-o", "x.jsonl"])
    assert (refused.exit_code, "x.jsonl is not a folder" in refused.stderr) == (2, True)


def test_key_goes_to_the_api_and_to_nobody_else(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, state = server
    photos = folder(tmp_path / "in", a=b"one")
    given = [str(photos), "--api", url.replace("127.0.0.1", "localhost"), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(command, given, env={"HPE_KEY": "secret"})
    assert result.exit_code == 0, result.output
    # links to S3 name another host, as S3's do
    told = {path.split("/")[1]: token for path, token in state["tokens"]}
    assert told == {"uploads": "Bearer secret", "s3": None, "results": "Bearer secret", "json": None, "png": None}


@pytest.mark.parametrize("address", ["", "example.org", "ftp://example.org", "file:///etc/passwd"])
def test_what_is_not_an_address_is_a_usage_error(tmp_path: Path, address: str) -> None:
    result = CliRunner().invoke(command, [str(tmp_path), "--api", address])
    assert (result.exit_code, "it begins with https://" in result.stderr) == (2, True)


# --- whatever answers


class Odd(Api):
    """Answers each path as `server.answers` says: (status, body, headers), by turns if there are several."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.path.strip("/").split("/")[0]
        found = self.server.answers[kind]  # type: ignore[attr-defined]
        status, body, headers = found.pop(0) if len(found) > 1 else found[0]
        self.answer(status, body.replace("BASE", address(self.server)).encode(), **headers)

    do_POST = do_GET  # noqa: N815


TICKET = json.dumps({"url": "BASE/s3", "fields": {"key": "1"}, "result": "/results/1"})
LINKS = json.dumps({"json": "BASE/json", "png": "BASE/png"})
GOOD = {
    "uploads": (201, TICKET, {}),
    "s3": (204, "", {}),
    "results": (200, LINKS, {}),
    "json": (200, '{"people": [{}, {}]}', {}),
    "png": (200, "", {}),  # replaced below: it must be a PNG
}
BODIES = ["{}", "[]", "null", '"text"', "5", "", "<html><body>Sign in</body></html>", "[" * 100_000, "\udcff", "{"]


@pytest.fixture
def odd() -> Iterator[ThreadingHTTPServer]:
    with running(Odd, answers={kind: [answer] for kind, answer in GOOD.items()}) as found:
        yield found


def submit_to(server: ThreadingHTTPServer, tmp_path: Path, *options: str, count: int = 2) -> Result:
    photos = folder(tmp_path / "in", **{f"p{n}": b"x" for n in range(count)})
    return submit(address(server), tmp_path / "out", photos, "--jobs", "1", *options)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        *(("uploads", 200), ("uploads", 202), ("uploads", 403), ("uploads", 502)),
        *(("results", 200), ("results", 403), ("results", 502)),  # 202 means to wait
        *(("json", 200), ("json", 202), ("json", 403), ("json", 502)),
    ],
)
def test_any_answer_of_any_proxy_ends_in_one_line_a_photo(
    odd: ThreadingHTTPServer, tmp_path: Path, kind: str, status: int
) -> None:
    bodies = [body.encode("utf-8", "replace").decode() for body in BODIES]
    odd.answers[kind] = [(status, body, {"Content-Type": "text/html"}) for body in bodies]  # type: ignore[attr-defined]
    odd.answers["png"] = [(200, "", {})]  # type: ignore[attr-defined]
    gc.collect()  # else what earlier tests left may be finalized amid 100,000 brackets, at the limit of recursion
    result = submit_to(odd, tmp_path, count=len(bodies))
    assert (result.exit_code, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert len(lines) == len(bodies) + 1
    assert [
        line for line in lines[:-1] if not line.startswith(f"hpe: {tmp_path}/in/p") or not 40 < len(line) < 600
    ] == []
    assert not list((tmp_path / "out").rglob("*"))


def test_picture_that_is_none_is_not_kept(odd: ThreadingHTTPServer, tmp_path: Path) -> None:
    odd.answers["png"] = [(200, "<html>", {"Content-Type": "text/html; charset=utf-8"})]  # type: ignore[attr-defined]
    result = submit_to(odd, tmp_path)
    assert result.stderr.count("answers with text/html, not with a PNG") == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "url", ["", "no address", "http://[", "http://" + "a" * 300, "ftp://x/y", "http://127.0.0.1:9/"]
)
def test_ticket_to_nowhere_is_one_line(odd: ThreadingHTTPServer, tmp_path: Path, url: str) -> None:
    odd.answers["uploads"] = [(201, json.dumps({"url": url, "fields": {}, "result": ""}), {})]  # type: ignore[attr-defined]
    result = submit_to(odd, tmp_path)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 3), result.stderr
    assert "does not answer" in result.stderr


SOON = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("3", 3, 3), ("0", 0.05, 0.05), ("0.5", 0.5, 0.5), ("1e400", float("inf"), float("inf")),
        pytest.param(SOON, 3000, 3600, id="in an hour"),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.05, 0.05), ("Wed, 21 Oct 2015 07:28:00 -0000", 0.05, 0.05),
        ("-5", 1, 1), ("nan", 1, 1), ("-inf", 1, 1), ("", 1, 1), ("soon", 1, 1), ("Wed, 99 Foo 15", 1, 1),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str, least: float, most: float) -> None:
    assert least <= retry_after({"Retry-After": text}) <= most


def test_server_that_never_is_ready_ends_at_the_deadline(odd: ThreadingHTTPServer, tmp_path: Path) -> None:
    odd.answers["uploads"] = [(503, "<html>", {"Retry-After": SOON})]  # type: ignore[attr-defined]
    result = submit_to(odd, tmp_path, "--timeout", "2")
    assert result.stderr.count("not done in 2 s: give more with --timeout") == 2


# --- servers that take no uploads


def test_what_hpe_serve_and_the_container_run_is_sent_to_at_once(tmp_path: Path) -> None:
    from server.test_server import running

    photos = tmp_path / "in"
    photos.mkdir()
    for name in ("a.jpg", "b.png"):
        Image.new("RGB", (160, 120), (200, 180, 160)).save(photos / name)
    (photos / "c.jpg").write_bytes(b"no photo")
    with running() as found:
        url = f"http://127.0.0.1:{found.port}"
        result = submit(url, tmp_path / "out", photos)
        again = submit(url, tmp_path / "out", photos / "a.jpg", photos / "b.png")
    assert (result.exit_code, "2 photos done, 2 people in 2 of them; 1 failed" in result.stderr) == (1, True)
    assert seen_in(tmp_path / "out") == {"a.pose.json", "a.pose.png", "b.pose.json", "b.pose.png"}
    assert Image.open(tmp_path / "out" / "a.pose.png").size == (160, 120)
    answer = json.loads((tmp_path / "out" / "a.pose.json").read_text())
    assert (answer["file"], len(answer["people"]), "drawn" in answer) == (str(photos / "a.jpg"), 1, False)
    assert "2 done before" in again.stderr


def test_an_address_without_either_route_is_told(odd: ThreadingHTTPServer, tmp_path: Path) -> None:
    for kind in ("uploads", "pose?format=json&image=png"):
        odd.answers[kind] = [(404, "<html>", {})]  # type: ignore[attr-defined]
    result = submit_to(odd, tmp_path)
    assert result.exit_code == 1
    assert result.stderr.count("/pose answers 404 Not Found") == 2
    odd.answers["pose?format=json&image=png"] = [(200, '{"people": [], "drawn": {}}', {})]  # type: ignore[attr-defined]
    assert "answers without the drawing" in submit_to(odd, tmp_path).stderr


def test_full_disk_stops_a_run(
    server: tuple[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(target: str, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "cannot be written into out: No space left on device")

    monkeypatch.setattr("hpe.commands.submit.write_file", full)
    photos = folder(tmp_path / "in", **{f"p{n}": b"x" for n in range(60)})
    result = submit(server[0], tmp_path / "out", photos, "--jobs", "1")
    assert result.exit_code == 1
    assert isinstance(result.exception, HpeError)
    assert "No space left on device: what was done before is kept" in str(result.exception)
    assert len(server[1]["tickets"]) < 10


def test_a_photo_that_changed_is_told_and_sent_again_where_asked(
    server: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    url, state = server
    photos = folder(tmp_path / "in", a=b"one", b=b"two")
    assert submit(url, tmp_path / "out", photos).exit_code == 0
    (photos / "a.jpg").write_bytes(b"another")
    stopped = submit(url, tmp_path / "out", photos)
    assert "a.jpg has changed since the results were made: --update" in str(stopped.exception)
    assert submit(url, tmp_path / "out", photos, "--update").exit_code == 0
    assert len(state["tickets"]) == 3

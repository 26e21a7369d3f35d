"""hpe submit against a small server that plays the API, S3 and the worker."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hpe.commands.submit import command


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
        body = self.rfile.read(int(self.headers["Content-Length"]))
        base = f"http://127.0.0.1:{self.server.server_address[1]}"
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
        base = f"http://127.0.0.1:{self.server.server_address[1]}"
        kind, _, name = self.path.lstrip("/").partition("/")
        if kind == "results":
            with state["lock"]:
                first = name not in state["asked"]
                state["asked"].add(name)
            if first:
                return self.answer(202, {"state": "pending"}, Retry_After="0")
            if state["broken"][name]:
                return self.answer(422, {"title": "Broken", "detail": "the photo is cut off"})
            return self.answer(200, {"json": f"{base}/json/{name}", "png": f"{base}/png/{name}"})
        return self.answer(200, {"people": []} if kind == "json" else b"\x89PNG")

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, Any]]]:
    state: dict[str, Any] = {"tickets": [], "broken": {}, "asked": set(), "throttle": False, "throttled": False}
    state["lock"] = threading.Lock()
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as found:
        found.state = state  # type: ignore[attr-defined]
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_address[1]}", state
        found.shutdown()


def folder(path: Path, **photos: bytes) -> Path:
    for name, data in photos.items():
        target = path / name.replace("__", "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_suffix(".jpg").write_bytes(data)
    path.mkdir(parents=True, exist_ok=True)
    (path / "notes.txt").write_text("no photo")
    return path


def submit(url: str, out: Path, *given: Path | str) -> Result:
    return CliRunner().invoke(command, [*map(str, given), "--api", f"{url}/", "-o", str(out)])


def test_folder_comes_back_with_its_layout(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, state = server
    photos = folder(tmp_path / "in", a=b"one", sub__b=b"two!")
    result = submit(url, tmp_path / "out", photos)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "sub" / "b.jpg.png").read_bytes() == b"\x89PNG"
    assert json.loads((tmp_path / "out" / "a.jpg.json").read_text()) == {"people": []}
    files = {json.loads(line)["file"] for line in result.stdout.splitlines()}
    assert files == {str(photos / "a.jpg"), str(photos / "sub" / "b.jpg")}
    assert sorted(ticket["size"] for ticket in state["tickets"]) == [3, 4]
    assert {ticket["content_type"] for ticket in state["tickets"]} == {"image/jpeg"}


def test_one_bad_photo_is_reported_and_the_rest_done(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, _ = server
    result = submit(url, tmp_path / "out", folder(tmp_path / "in", a=b"one", b=b"broken", c=b"three"))
    assert result.exit_code == 1
    assert "b.jpg: the photo is cut off" in result.stderr
    assert "1 of 3 photos failed" in result.stderr
    assert len(result.stdout.splitlines()) == 2


def test_second_run_sends_nothing_again(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, state = server
    photos = folder(tmp_path / "in", a=b"one", b=b"two")
    assert submit(url, tmp_path / "out", photos).exit_code == 0
    again = submit(url, tmp_path / "out", photos)
    assert "2 of 2 are there already" in again.stderr
    assert len(state["tickets"]) == 2
    assert submit(url, tmp_path / "out", photos, "--again").exit_code == 0
    assert len(state["tickets"]) == 4


def test_photos_of_one_name_from_two_folders_are_both_kept(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, state = server
    one, two = folder(tmp_path / "one", a=b"one"), folder(tmp_path / "two", a=b"two!")
    assert submit(url, tmp_path / "out", one, two).exit_code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"a.jpg.json", "a.jpg.png", "a-2.jpg.json", "a-2.jpg.png"}
    assert json.loads((tmp_path / "out/a-2.jpg.json").read_text()) is not None
    assert "2 of 2 are there already" in submit(url, tmp_path / "out", one, two).stderr
    assert len(state["tickets"]) == 2


def test_throttled_request_is_tried_again(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, state = server
    state["throttle"] = True
    assert submit(url, tmp_path / "out", folder(tmp_path / "in", a=b"one")).exit_code == 0
    assert state["throttled"]


def test_folder_without_photos_and_other_files_are_refused(server: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, _ = server
    empty = submit(url, tmp_path / "out", folder(tmp_path / "in"))
    assert (empty.exit_code, "no photos there" in empty.stderr) == (1, True)
    text = submit(url, tmp_path / "out", tmp_path / "in" / "notes.txt")
    assert (text.exit_code, ".txt is not a photo's" in text.stderr) == (1, True)


def test_api_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    result = submit("http://127.0.0.1:9", tmp_path / "out", folder(tmp_path / "in", a=b"one"))
    assert result.exit_code == 1
    assert "http://127.0.0.1:9/uploads does not answer" in result.stderr

"""What docs/security.md promises of the code: no pickle, no code from data, headers, logs without user data."""

import ast
import json
import logging
import pickle
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from test_imports import SOURCES, imports
from web.fakes import FakeEstimator, form, part, photo

from hpe.settings import Settings
from hpe.web.api import ROUTES, handle
from hpe.web.messages import Request
from hpe.web.request_log import JsonLines

ROOT = Path(__file__).resolve().parents[1]
RUNS_WHAT_IT_READS = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "jsonpickle"}
ORIGIN = "https://site.example"


def calls(module: str) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(SOURCES[module].read_text("utf-8"))) if isinstance(node, ast.Call)]


def has(call: ast.Call, name: str, value: bool) -> bool:
    return any(one.arg == name and ast.unparse(one.value) == str(value) for one in call.keywords)


def test_nothing_that_is_read_can_run() -> None:
    for module in SOURCES:
        assert not {name.split(".")[0] for name, _ in imports(module)} & RUNS_WHAT_IT_READS, module
        for call in calls(module):
            name, where = ast.unparse(call.func), f"{module}, line {call.lineno}"
            if name in ("torch.load", "torch.jit.load"):
                assert has(call, "weights_only", True), where
            assert name not in ("eval", "exec", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "__import__"), where
            if name in ("np.load", "numpy.load"):
                assert not has(call, "allow_pickle", True), where


class Payload:
    """Unpickled, it makes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return open, (str(self.target), "w")


def test_poisoned_checkpoint_is_refused_and_does_not_run(tmp_path: Path) -> None:
    import torch

    from hpe.errors import BadModel
    from hpe.train.checkpoint import read_checkpoint

    target, checkpoint = tmp_path / "ran", tmp_path / "poisoned.pt"
    torch.save({"state_dict": Payload(target)}, checkpoint)
    with pytest.raises(BadModel, match=r"can be loaded safely: it holds io\.open") as refusal:
        read_checkpoint(checkpoint)
    assert "weights_only" not in str(refusal.value), "torch's advice to load it all the same is not passed on"
    assert not target.exists()
    torch.load(checkpoint, weights_only=False)
    assert target.exists(), "the payload is one that works elsewhere"


def test_pickle_in_place_of_a_model_does_not_run(tmp_path: Path) -> None:
    from hpe.engine.session import OnnxSession
    from hpe.errors import BadModel

    target, model = tmp_path / "ran", tmp_path / "pose.onnx"
    model.write_bytes(pickle.dumps(Payload(target)))
    with pytest.raises(BadModel, match="cannot be loaded"):
        OnnxSession(model, 1)
    assert not target.exists()


@pytest.mark.parametrize(
    "path", [*(route.replace("{id}", "f" * 32).replace("{kind}", "busy") for route in ROUTES), "/none"]
)
def test_every_answer_says_that_it_is_no_other_type_and_who_may_read_it(path: str) -> None:
    settings = Settings(cors_origins=(ORIGIN,))
    origins = ((ORIGIN, ORIGIN), ("https://evil.example", None), ("null", None), ("", None))
    for method, (origin, allowed) in product(("GET", "POST", "OPTIONS", "DELETE"), origins):
        headers = {"origin": origin, "content-type": "image/jpeg"} if origin else {}
        answer = handle(Request(method, path, {}, headers, photo()), FakeEstimator, settings)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert not {"Server", "X-Powered-By"} & set(answer.headers)


PRIVATE = "anna-at-the-beach"


@pytest.mark.parametrize("broken", [False, True])
def test_nothing_of_the_visitor_is_logged(
    broken: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x010E] = f"{PRIVATE}-exif"  # ImageDescription
    data = photo(exif=exif)
    body = form(part(data[: len(data) // 2] if broken else data, filename=f"{PRIVATE}.jpg"))
    headers = {
        "content-type": "multipart/form-data; boundary=d74496d66958873e",
        "user-agent": f"{PRIVATE}-browser",
        "x-forwarded-for": "203.0.113.77",
        "cookie": f"session={PRIVATE}",
        "authorization": f"Bearer {PRIVATE}",
        "origin": f"https://{PRIVATE}.example",
        "referer": f"https://{PRIVATE}.example/",
    }
    logger = logging.getLogger("hpe")
    monkeypatch.setattr(logger, "handlers", [caplog.handler])  # a server started in this process set others
    monkeypatch.setattr(logger, "propagate", False)
    with caplog.at_level(logging.DEBUG, logger="hpe"):
        answer = handle(Request("POST", "/pose", {}, headers, body, "id-1"), FakeEstimator, Settings())
        handle(Request("POST", "/pose", {"who": PRIVATE}, headers, body, "id-2"), FakeEstimator, Settings())
        handle(Request("GET", f"/{PRIVATE}", {}, headers, b"", "id-3"), FakeEstimator, Settings())
    lines = [JsonLines().format(record) for record in caplog.records if record.name.startswith("hpe")]
    assert [json.loads(line)["request_id"] for line in lines] == ["id-1", "id-2", "id-3"]
    assert PRIVATE not in caplog.text + "".join(lines)
    assert "203.0.113.77" not in caplog.text + "".join(lines)
    assert answer.status == (422 if broken else 200)
    assert f"{PRIVATE}-exif".encode() not in answer.body, "a drawn photo carries none of the original's metadata"


@pytest.mark.parametrize("name", ["url", "image_url", "src", "href", "image"])
def test_nothing_that_is_sent_makes_the_service_fetch_an_address(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: Any, **__: Any) -> Any:
        raise AssertionError("it opened a connection")

    monkeypatch.setattr("socket.socket.connect", connect)
    address = "http://169.254.169.254/latest/meta-data/"
    settings = Settings()
    in_query = handle(Request("POST", "/pose", {name: address}, {}, photo()), FakeEstimator, settings)
    assert in_query.status == 400
    in_body = Request("POST", "/pose", {}, {"content-type": "application/json"}, json.dumps({name: address}).encode())
    assert handle(in_body, FakeEstimator, settings).status == 415
    kind = {"content-type": "multipart/form-data; boundary=d74496d66958873e"}
    alone = handle(
        Request("POST", "/pose", {}, kind, form(part(address.encode(), name, None, ""))), FakeEstimator, settings
    )
    assert alone.status in (400, 415)

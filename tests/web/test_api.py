"""hpe.web.api: routes, answers, headers and errors, with an estimator that needs no model."""

import base64
import csv
import io
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from web.fakes import CARD, FakeEstimator, form, no_model, part, photo, post

from hpe import __version__
from hpe.errors import BadModel, BrokenVideo, Busy, HpeError, UnsupportedVideo, VideoTooLarge
from hpe.pose.skeleton import JOINTS
from hpe.settings import ANALYSED_SIDE, LAMBDA_BODY_BYTES, Settings
from hpe.web.api import handle
from hpe.web.messages import Request, Response, to_event
from hpe.web.problems import KINDS, problem

ROOT = Path(__file__).resolve().parents[2]
PHOTO = photo(96, 64)


def call(
    method: str, path: str, source: Any = FakeEstimator, settings: Settings | None = None, **headers: str
) -> Response:
    return handle(Request(method, path, {}, headers, b"", "id-1"), source, settings or Settings())


def body_of(response: Response) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.body)
    return found


def picture(response: Response) -> Image.Image:
    opened = Image.open(io.BytesIO(response.body))
    opened.load()
    return opened


def test_a_photo_comes_back_drawn_at_its_own_size() -> None:
    plain, drawn = post(PHOTO, estimator=FakeEstimator(people=0)), post(PHOTO)
    assert (drawn.status, drawn.headers["Content-Type"]) == (200, "image/png")
    assert picture(drawn).size == (96, 64)
    assert not np.array_equal(np.asarray(picture(drawn)), np.asarray(picture(plain)))


def test_nobody_found_is_the_photo_undrawn_and_no_people() -> None:
    lossless = photo(format="PNG")
    response = post(lossless, estimator=FakeEstimator(people=0))
    assert response.status == 200
    assert response.headers["X-Pose-People"] == "0"
    assert "X-Pose-Score" not in response.headers
    assert np.array_equal(np.asarray(picture(response)), np.asarray(Image.open(io.BytesIO(lossless))))
    assert body_of(post(PHOTO, estimator=FakeEstimator(people=0), format="json"))["people"] == []


@pytest.mark.parametrize(("name", "reads_as"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_format_chooses_the_image_type(name: str, reads_as: str) -> None:
    response = post(PHOTO, format=name)
    assert response.headers["Content-Type"] == f"image/{name}"
    assert picture(response).format == reads_as


def test_json_has_the_agreed_shape() -> None:
    response = post(PHOTO, format="json")
    body = body_of(response)
    assert response.headers["Content-Type"] == "application/json"
    fields = ["image", "width", "height", "analysed", "threshold", "people", "model", "skeleton", "timings_ms"]
    assert list(body) == fields
    assert body["image"] == body["analysed"] == {"width": 96, "height": 64}
    assert (body["width"], body["height"], body["threshold"]) == (96, 64, 0.2)
    assert body["model"] == {"name": CARD.name, "sha256": CARD.sha256}
    assert set(body["timings_ms"]) == {"decode", "infer"}
    (person,) = body["people"]
    assert list(person) == ["score", "box", "keypoints"]
    assert [keypoint["name"] for keypoint in person["keypoints"]] == list(JOINTS)
    assert set(person["keypoints"][0]) == {"name", "x", "y", "score", "confident", "state"}
    assert [keypoint["confident"] for keypoint in person["keypoints"][:4]] == [False, False, False, True]
    named = {tuple(JOINTS[end] for end in edge) for edge in body["skeleton"]}
    assert len(named) == 15
    assert ("right_ankle", "right_knee") in named


def test_json_tells_the_threshold_that_was_asked_for() -> None:
    body = body_of(post(PHOTO, format="json", threshold="0.5"))
    assert body["threshold"] == 0.5
    sure = [keypoint["score"] >= 0.5 for keypoint in body["people"][0]["keypoints"]]
    assert [keypoint["confident"] for keypoint in body["people"][0]["keypoints"]] == sure


def test_many_people_are_listed_best_first_and_counted() -> None:
    response = post(PHOTO, estimator=FakeEstimator(people=7), format="json")
    scores = [person["score"] for person in body_of(response)["people"]]
    assert (len(scores), scores) == (7, sorted(scores, reverse=True))
    assert response.headers["X-Pose-People"] == "7"
    few = post(PHOTO, estimator=FakeEstimator(people=7), format="json", people="3")
    assert [person["score"] for person in body_of(few)["people"]] == scores[:3]
    assert few.headers["X-Pose-People"] == "3"


def test_more_people_than_the_service_finds_are_refused() -> None:
    response = post(PHOTO, settings=Settings(max_people=5), people="6")
    assert (response.status, body_of(response)["limit"]) == (400, [1, 5])


@pytest.mark.parametrize("orientation", [1, 6])
def test_boxes_are_in_px_of_the_upright_original(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    estimator = FakeEstimator()
    sent = photo(2000, 1200, exif=exif)
    body = body_of(post(sent, estimator=estimator, format="json", box="100,50,300,450;5,5,590,590"))
    assert max(estimator.calls[0]["shape"]) == ANALYSED_SIDE
    assert estimator.calls[0]["boxes"] == ((100, 50, 300, 450), (5, 5, 590, 590))
    wrist = body["people"][0]["keypoints"][15]
    assert (wrist["x"], wrist["y"]) == pytest.approx((100 + 0.9 * 200, 50 + 0.9 * 400), abs=0.1)
    assert len(body["people"]) == 2


def test_a_box_outside_the_photo_is_refused_with_its_size() -> None:
    for box in ("96,0,120,64", "0,-50,96,0", "0,0,50,50;-20,0,-1,64"):
        response = post(PHOTO, box=box)
        assert response.status == 400
        assert "outside the photo, which is 96x64 px" in body_of(response)["detail"]


def test_parameters_may_be_fields_of_the_form() -> None:
    fields = {"format": "json", "threshold": "0.4", "people": "2", "flip": "", "csrf_token": "abc"}
    parts = [part(value.encode(), name, None, "") for name, value in fields.items()]
    kind = "multipart/form-data; boundary=d74496d66958873e"
    body = body_of(post(form(*parts, part(PHOTO)), kind, estimator=FakeEstimator(5)))
    assert (body["threshold"], len(body["people"])) == (0.4, 2)
    refused = post(form(part(b"0.3", "treshold", None, ""), part(PHOTO)), kind)
    assert (refused.status, "did you mean 'threshold'" in body_of(refused)["detail"]) == (400, True)


@pytest.mark.parametrize(("name", "reads_as"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_joints_and_picture_come_in_one_answer(name: str, reads_as: str) -> None:
    both = body_of(post(PHOTO, format="json", image=name))
    drawn = Image.open(io.BytesIO(base64.b64decode(both["drawn"]["data"])))
    assert (drawn.format, drawn.size) == (reads_as, (both["drawn"]["width"], both["drawn"]["height"]))
    assert both["drawn"]["media_type"] == f"image/{name}"
    assert base64.b64decode(both["drawn"]["data"]) == post(PHOTO, format=name).body
    assert both["people"] == body_of(post(PHOTO, format="json"))["people"]
    assert set(both["timings_ms"]) == {"decode", "infer", "draw", "encode"}


def test_joints_and_picture_fit_where_the_largest_picture_does() -> None:
    noise = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (1500, 1600, 3), np.uint8)).save(noise, "PNG")
    response = post(noise.getvalue(), estimator=FakeEstimator(20), format="json", image="png")
    assert response.status == 200
    event = to_event(response)
    assert len(json.dumps(event)) < LAMBDA_BODY_BYTES
    assert len(response.body) > 0.8 * LAMBDA_BODY_BYTES, "it should use the room there is"


def test_other_formats_are_made_of_the_same_answer() -> None:
    answer = body_of(post(PHOTO, estimator=FakeEstimator(2), format="json"))
    wrist = answer["people"][1]["keypoints"][15]
    table = post(PHOTO, estimator=FakeEstimator(2), format="csv")
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.body.decode())))
    assert (len(rows), float(rows[31]["x"]), rows[31]["joint"]) == (32, wrist["x"], "left_wrist")
    results = json.loads(post(PHOTO, estimator=FakeEstimator(2), format="coco").body)
    assert results[1]["keypoints"][27:30] == [wrist["x"], wrist["y"], wrist["score"]]
    people = body_of(post(PHOTO, estimator=FakeEstimator(2), format="openpose"))["people"]
    assert people[1]["pose_keypoints_2d"][21:24] == [wrist["x"], wrist["y"], wrist["score"]]
    drawing = post(PHOTO, estimator=FakeEstimator(2), format="svg")
    assert drawing.headers["Content-Type"] == "image/svg+xml"
    root = ElementTree.fromstring(drawing.body)
    assert root.get("viewBox") == "0 0 96 64"
    places = [(c.get("cx"), c.get("cy")) for c in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert (f"{wrist['x']:.2f}", f"{wrist['y']:.2f}") in places


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_joints_are_in_px_of_the_upright_original_however_it_was_shrunk(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    estimator = FakeEstimator()
    settings = Settings(max_output_side=100)  # of what is drawn alone
    body = body_of(post(photo(2000, 1200, exif=exif), estimator=estimator, settings=settings, format="json"))
    width, height = (2000, 1200) if orientation == 1 else (1200, 2000)
    assert body["image"] == {"width": width, "height": height}
    assert max(estimator.calls[0]["shape"]) == max(body["analysed"].values()) == ANALYSED_SIDE
    for keypoint, share in zip(body["people"][0]["keypoints"], np.linspace(0.1, 0.9, 16), strict=True):
        assert keypoint["x"] == pytest.approx(share * width - 0.5, abs=0.02)
        assert keypoint["y"] == pytest.approx(share * height - 0.5, abs=0.02)


def test_the_answer_is_shrunk_to_its_longest_side_and_says_so() -> None:
    response = post(photo(1000, 600), settings=Settings(max_output_side=250))
    assert picture(response).size == (250, 150)
    assert response.headers["X-Pose-Scale"] == "0.25"
    assert post(PHOTO).headers["X-Pose-Scale"] == "1"


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
def test_the_answer_never_exceeds_its_bytes(name: str) -> None:
    noise = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)).save(noise, "PNG")
    response = post(noise.getvalue(), settings=Settings(max_response_bytes=20_000), format=name)
    assert response.status == 200
    assert len(response.body) <= 20_000
    assert float(response.headers["X-Pose-Scale"]) == pytest.approx(picture(response).width / 400, rel=1e-5)
    assert picture(response).width < 400


def test_parameters_reach_the_estimator() -> None:
    estimator = FakeEstimator()
    post(PHOTO, estimator=estimator, threshold="0.5", flip="1")
    post(PHOTO, estimator=estimator, flip="false")
    post(PHOTO, estimator=estimator)
    assert [(call["threshold"], call["flip"]) for call in estimator.calls] == [(0.5, True), (None, False), (None, None)]


def test_headers_tell_people_score_and_times() -> None:
    headers = post(PHOTO, estimator=FakeEstimator(people=2)).headers
    assert (headers["X-Pose-People"], headers["X-Pose-Score"]) == ("2", "0.7500")
    assert re.fullmatch(
        r"decode;dur=[\d.]+, infer;dur=[\d.]+, draw;dur=[\d.]+, encode;dur=[\d.]+", headers["Server-Timing"]
    )
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert re.fullmatch(r"decode;dur=[\d.]+, infer;dur=[\d.]+", post(PHOTO, format="json").headers["Server-Timing"])


def test_a_form_and_a_raw_body_give_the_same_bytes() -> None:
    raw = post(PHOTO).body
    assert post(form(part(PHOTO)), "multipart/form-data; boundary=d74496d66958873e").body == raw


def test_health_tells_model_and_version() -> None:
    response = call("GET", "/health")
    assert response.status == 200
    assert body_of(response) == {
        "status": "ok",
        "version": __version__,
        "model": {"name": CARD.name, "sha256": CARD.sha256},
    }


def test_head_is_get_without_its_body_and_has_its_length() -> None:
    for path in ("/health", "/openapi.json"):
        got, head = call("GET", path), call("HEAD", path)
        length = {"Content-Length": str(len(got.body))}
        assert (head.status, head.headers, head.body) == (got.status, {**got.headers, **length}, b"")
    assert call("HEAD", "/health", no_model).body == b""
    assert call("HEAD", "/pose").status == 405


def test_without_a_model_health_and_photos_are_503_with_the_cause_and_the_document_answers() -> None:
    for response in (
        call("GET", "/health", no_model),
        handle(Request("POST", "/pose", body=PHOTO), no_model, Settings()),
    ):
        assert response.status == 503
        assert response.headers["Retry-After"] == "7"
        assert body_of(response)["detail"] == "s3://models/pose.onnx: no such key"
    assert call("GET", "/openapi.json", no_model).status == 200
    assert call("OPTIONS", "/pose", no_model, origin="https://a.example").status == 204


def test_a_bad_photo_is_told_so_even_without_a_model() -> None:
    assert handle(Request("POST", "/pose", body=b"text"), no_model, Settings()).status == 415


def test_the_next_request_tries_the_model_again() -> None:
    answers = iter([BadModel("broken"), FakeEstimator()])

    def source() -> Any:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    assert call("GET", "/health", source).status == 503
    assert call("GET", "/health", source).status == 200


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/pose", "POST, OPTIONS"),
        ("PUT", "/pose", "POST, OPTIONS"),
        ("POST", "/health", "GET, HEAD, OPTIONS"),
        ("DELETE", "/openapi.json", "GET, HEAD, OPTIONS"),
        ("GET", "/uploads", "POST, OPTIONS"),
        ("BREW", "/pose", "POST, OPTIONS"),
    ],
)
def test_wrong_methods_are_told_the_right_ones(method: str, path: str, allow: str) -> None:
    response = call(method, path)
    assert (response.status, response.headers["Allow"]) == (405, allow)


@pytest.mark.parametrize("path", ["/", "", "/poses", "/pose/x", "//pose", "/POSE", "/results/../health", "/results/"])
def test_other_paths_are_not_found(path: str) -> None:
    assert call("GET", path).status == 404


def test_a_slash_at_the_end_does_no_harm() -> None:
    assert call("GET", "/health/").status == 200


def test_every_path_answers_under_its_version_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hpe"):
        assert call("GET", "/v1/health").body == call("GET", "/health").body
    assert [json.loads(record.getMessage())["route"] for record in caplog.records] == ["/health", "/health"]
    assert handle(Request("POST", "/v1/pose", body=PHOTO), FakeEstimator, Settings()).status == 200
    assert call("OPTIONS", "/v1/pose").status == 204
    for path in ("/v2/health", "/v1", "/v1/v1/health", "/v1pose"):
        assert call("GET", path).status == 404


def test_any_origin_may_call_by_default() -> None:
    headers = post(PHOTO, headers={"origin": "https://a.example"}).headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in headers
    exposed = set(headers["Access-Control-Expose-Headers"].split(", "))
    assert {"X-Pose-People", "X-Pose-Score", "X-Pose-Scale", "Server-Timing", "Retry-After"} <= exposed


@pytest.mark.parametrize("path", ["/health", "/nowhere"])
def test_only_configured_origins_may_read_answers_and_errors(path: str) -> None:
    settings = Settings(cors_origins=("https://a.example", "https://b.example"))
    ours = call("GET", path, settings=settings, origin="https://b.example").headers
    assert (ours["Access-Control-Allow-Origin"], ours["Vary"]) == ("https://b.example", "Origin")
    for origin in ("https://evil.example", "null", "https://a.example.evil", ""):
        theirs = call("GET", path, settings=settings, origin=origin).headers
        assert "Access-Control-Allow-Origin" not in theirs
        assert theirs["Vary"] == "Origin"


def test_a_preflight_is_answered_without_the_model() -> None:
    response = call(
        "OPTIONS", "/pose", no_model, origin="https://a.example", **{"access-control-request-method": "POST"}
    )
    assert (response.status, response.body) == (204, b"")
    assert response.headers["Access-Control-Allow-Methods"] == "POST, OPTIONS"
    allowed = {name.lower() for name in response.headers["Access-Control-Allow-Headers"].split(", ")}
    assert {"content-type", "accept", "authorization", "cache-control", "x-requested-with", "traceparent"} <= allowed
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Methods" not in call("OPTIONS", "/pose").headers


def test_what_nobody_expected_is_a_500_of_fixed_text_and_a_logged_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def broken(image: Any, **_: Any) -> Any:
        raise RuntimeError("secret /var/internal/path")

    broken.card = CARD  # type: ignore[attr-defined]
    with caplog.at_level(logging.ERROR, "hpe"):
        response = post(PHOTO, estimator=broken)
    assert response.status == 500
    assert b"secret" not in response.body
    assert body_of(response)["type"] == "/problems/internal"
    assert any(record.exc_info and "secret" in str(record.exc_info[1]) for record in caplog.records)


def all_errors(cls: type[HpeError] = HpeError) -> list[type[HpeError]]:
    return [cls, *(found for child in cls.__subclasses__() for found in all_errors(child))]


@pytest.mark.parametrize("cls", all_errors(), ids=lambda cls: cls.__name__)
def test_every_error_has_a_status_on_purpose(cls: type[HpeError]) -> None:
    of_no_request = {"HpeError", "TryAgain", "BadData", "BadSettings", "UnknownJoint"}
    assert (cls in KINDS) != (cls.__name__ in of_no_request), "add it to KINDS, or here where it means a 500"


@pytest.mark.parametrize("cls", [UnsupportedVideo, BrokenVideo, VideoTooLarge])
def test_a_clip_has_its_photos_status_and_a_page_that_speaks_of_clips(cls: type[HpeError]) -> None:
    of_photo = KINDS[cls.__bases__[0]]
    kind = KINDS[cls]
    assert kind.status == of_photo.status
    assert "clip" in kind.title
    assert not re.search("photo|image", kind.title + kind.hint)
    page = handle(Request("GET", kind.type, {}), FakeEstimator, Settings())
    assert page.status == 200
    assert kind.title in page.body.decode()


def test_a_subclass_has_the_status_of_its_nearest_class() -> None:
    class VeryBusy(Busy):
        pass

    response = problem(VeryBusy("no", retry_after_s=3))
    assert (response.status, response.headers["Retry-After"]) == (503, "3")


def test_problem_types_differ() -> None:
    slugs = [kind.slug for kind in KINDS.values()]
    assert len(set(slugs)) == len(slugs)


def test_each_request_is_noted_once_without_what_the_client_sent(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "hpe"):
        request = Request("POST", "/pose", {"format": "json"}, {"content-type": "image/x-secret"}, PHOTO, "id-7")
        handle(request, FakeEstimator, Settings())
        handle(Request("GET", "/secret-path", {"secret": "1"}), FakeEstimator, Settings())
        post(form(part(PHOTO, filename="secret.jpg")), "multipart/form-data; boundary=d74496d66958873e")
        post(b"secret text", threshold="secret")
    lines = [json.loads(record.getMessage()) for record in caplog.records]
    assert [line["status"] for line in lines] == [200, 404, 200, 400]
    assert "secret" not in caplog.text
    first = lines[0]
    assert (first["request_id"], first["route"], first["people"], first["bytes_in"]) == ("id-7", "/pose", 1, len(PHOTO))
    assert set(first["stages_ms"]) == {"decode", "infer"}
    assert lines[1]["route"] == ""
    assert lines[1]["problem"] == "/problems/not-found"


def test_answering_with_a_picture_or_json_loads_no_other_format() -> None:
    code = "from web.fakes import photo, post\npost(photo()); post(photo(), format='json')\n"
    code += "import sys; print(*sys.modules)"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    loaded = set(run.stdout.split())
    assert {"hpe.web.pose_route", "hpe.photo.answer"} <= loaded
    assert not loaded & {"hpe.photo.svg", "hpe.photo.coco", "hpe.photo.tables", "csv", "xml.sax", "difflib"}

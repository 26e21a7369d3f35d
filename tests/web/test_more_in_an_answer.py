"""POST /pose with angles, other formats inside the JSON, ControlNet's picture, and several photos at once."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from web.fakes import BOUNDARY, FakeEstimator, form, no_model, part, photo, post

from hpe.photo.formats import FORMATS
from hpe.pose.angles import ANGLES
from hpe.settings import Settings
from hpe.web.api import handle
from hpe.web.messages import Request
from hpe.web.params import INCLUDED

PHOTO = photo(96, 64)
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def body_of(body: bytes = PHOTO, kind: str = "image/jpeg", **query: Any) -> Any:
    response = post(body, kind, **{"format": "json", **query})
    assert response.status == 200, response.body
    return json.loads(response.body)


def detail(body: bytes = PHOTO, kind: str = "image/jpeg", **query: Any) -> tuple[int, str]:
    response = post(body, kind, **query)
    return response.status, json.loads(response.body)["detail"]


def image(told: dict[str, Any]) -> Image.Image:
    opened = Image.open(io.BytesIO(base64.b64decode(told["data"])))
    assert opened.size == (told["width"], told["height"])
    return opened


@pytest.mark.parametrize("query", [{"angles": "true"}, {"angles": "1"}, {"include": "angles"}])
def test_angles_are_told_if_asked_for(query: dict[str, str]) -> None:
    (person,) = body_of(**query)["people"]
    assert list(person["angles"]) == list(ANGLES)
    assert person["angles"]["right_knee"] is None, "the fake's first joints are unsure"
    # its joints lie on a line
    assert person["angles"]["right_elbow"]["degrees"] in (0.0, 180.0)
    assert "angles" not in body_of(angles="0")["people"][0]


def test_the_json_holds_other_formats_by_name() -> None:
    names = [name for name in INCLUDED if name != "angles"]
    body = body_of(include=",".join(names))
    assert set(body["formats"]) == set(names) == {n for n, row in FORMATS.items() if row.media_type and n != "json"}
    for name in names:
        alone = post(PHOTO, format=name)
        inside = body["formats"][name]
        if FORMATS[name].drawn:
            with Image.open(io.BytesIO(alone.body)) as expected:
                assert image(inside).size == expected.size == (96, 64)
        elif FORMATS[name].media_type == "application/json":
            assert inside == json.loads(alone.body)
        else:
            assert inside == alone.body.decode()
    assert "formats" not in body_of()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"format": "json", "include": "angels"}, "include='angels' is not made here: give some of angles, png"),
        ({"format": "json", "include": ""}, "include='' is not made here"),
        ({"format": "json", "angles": "yes"}, "angles='yes' is neither on nor off"),
        ({"format": "csv", "angles": "1"}, "angles adds to the JSON, but the answer is csv"),
        ({"include": "coco"}, "include adds to the JSON, but the answer is png"),
    ],
)
def test_what_cannot_be_included_is_told(query: dict[str, str], says: str) -> None:
    status, text = detail(**query)
    assert (status, text[: len(says)]) == (400, says)


def test_pictures_in_the_json_share_the_room_of_one() -> None:
    lossless = photo(900, 600, "PNG")
    settings = Settings(max_response_bytes=60_000)
    response = post(lossless, "image/png", settings=settings, format="json", include="png,controlnet", image="jpeg")
    assert response.status == 200
    body = json.loads(response.body)
    assert sum(len(base64.b64decode(one["data"])) for one in (*body["formats"].values(), body["drawn"])) <= 60_000


def test_controlnet_is_a_picture_on_black_at_the_photos_size() -> None:
    response = post(PHOTO, format="controlnet")
    assert response.headers["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(response.body)) as opened:
        drawn = np.asarray(opened)
    assert drawn.shape == (64, 96, 3)
    assert tuple(drawn[-1, 0]) == (0, 0, 0)
    assert drawn.any()
    with Image.open(io.BytesIO(post(PHOTO, format="controlnet", estimator=FakeEstimator(0)).body)) as opened:
        assert not np.asarray(opened).any()


def test_several_photos_are_answered_in_their_order() -> None:
    sizes = [(96, 64), (64, 96), (80, 80)]
    parts = [part(photo(*size), "image", f"{n}.jpg") for n, size in enumerate(sizes)]
    estimator = FakeEstimator(2)
    response = post(form(*parts), FORM, estimator=estimator, format="json", angles="1")
    answers = json.loads(response.body)
    assert [(one["width"], one["height"]) for one in answers] == sizes
    assert [one["file"] for one in answers] == ["0.jpg", "1.jpg", "2.jpg"]
    assert response.headers["X-Pose-People"] == "6"
    assert len(estimator.calls) == 3
    alone = body_of(form(parts[1]), FORM, estimator=FakeEstimator(2), angles="1")
    assert answers[1]["people"] == alone["people"]
    assert "file" not in alone, "one photo is answered as ever"


def test_a_bad_photo_is_its_own_problem() -> None:
    body = form(part(PHOTO, "image", "a.jpg"), part(b"no photo", "image", "b.jpg"), part(PHOTO, "image", "c.jpg"))
    good, bad, other = body_of(body, FORM)
    assert len(good["people"]) == len(other["people"]) == 1
    assert (bad["file"], bad["status"], bad["type"]) == ("b.jpg", 415, "/problems/unsupported-image")
    expected = json.loads(post(b"no photo", format="json").body)
    assert {name: value for name, value in bad.items() if name != "file"} == expected


def test_without_a_model_several_photos_have_one_problem() -> None:
    request = Request("POST", "/pose", {"format": "json"}, {"content-type": FORM}, form(part(PHOTO), part(PHOTO)))
    assert handle(request, no_model, Settings()).status == 503


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({}, "there are 2 photos in the form, and png is of one photo: send format=json"),
        ({"format": "csv"}, "there are 2 photos in the form, and csv is of one photo: send format=json"),
        ({"format": "json", "box": "1,1,20,20"}, "there are 2 photos in the form, and box is of one photo"),
    ],
)
def test_what_is_of_one_photo_is_refused_of_several(query: dict[str, str], says: str) -> None:
    status, text = detail(form(part(PHOTO), part(PHOTO)), FORM, **query)
    assert (status, text[: len(says)]) == (400, says)


def test_more_photos_than_a_form_may_hold_are_refused() -> None:
    status, text = detail(form(*[part(PHOTO)] * 4), FORM, settings=Settings(max_parts=3), format="json")
    assert (status, text) == (413, "4 parts in the form; the limit is 3: send fewer photos")


def test_several_photos_keep_pictures_within_the_response() -> None:
    body = form(*[part(photo(600, 400, "PNG"), "image", "a.png", "image/png")] * 3)
    response = post(body, FORM, settings=Settings(max_response_bytes=60_000), format="json", image="png")
    answers = json.loads(response.body)
    assert sum(len(base64.b64decode(one["drawn"]["data"])) for one in answers) <= 60_000

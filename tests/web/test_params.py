"""hpe.web.params: query parameters and content negotiation."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpe.errors import BadRequest, NotAcceptable
from hpe.photo.analyse import Options
from hpe.web.params import OUTPUT_TYPES, PoseParams, negotiate, read_params, with_fields

CHROME_PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
FIREFOX_PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ACCEPTED = {
    "": "png",
    "*/*": "png",
    "image/*": "png",
    CHROME_PAGE: "png",
    FIREFOX_PAGE: "png",
    "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5": "png",
    "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8": "webp",
    "application/json": "json",
    "application/json, text/plain, */*": "json",
    "application/*": "json",
    "APPLICATION/JSON; charset=utf-8": "json",
    "image/webp": "webp",
    "image/jpeg;q=0.9, image/png;q=0.5": "jpeg",
    "image/png;q=0, image/*": "jpeg",
    "*/*, image/png;q=0.1": "jpeg",
    "image/jpeg;q=0.5, application/json;q=0.5": "jpeg",
    "application/json;q=0.2, */*;q=0.1": "json",
    "image/webp;q=abc": "webp",
    "nonsense": "png",
    ";;;,,,": "png",
    "text/html;q=0.9, application/json": "json",
}


@pytest.mark.parametrize("accept", ACCEPTED)
def test_accept_is_negotiated(accept: str) -> None:
    assert negotiate(accept) == ACCEPTED[accept]


@pytest.mark.parametrize("accept", ["image/avif", "text/html", "application/xml, text/*", "*/*;q=0", "image/png;q=0"])
def test_what_cannot_be_made_is_not_acceptable(accept: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        negotiate(accept)
    assert caught.value.limit == ("image/png", "image/jpeg", "image/webp", "application/json")
    assert "format=csv" in caught.value.hint


def test_format_wins_over_accept() -> None:
    assert read_params({"format": "webp"}, "application/json").format == "webp"
    assert read_params({"format": "png"}, "image/avif").format == "png"


def test_parameters_left_out_are_left_to_the_service() -> None:
    params = read_params({}, "")
    assert params == PoseParams("png", Options(people=None, boxes=(), threshold=None, flip=None), image="")


def test_jpg_is_jpeg() -> None:
    assert read_params({"format": "jpg"}, "").format == "jpeg"
    assert read_params({"format": "json", "image": "jpg"}, "").image == "jpeg"


@pytest.mark.parametrize("text", ["1", "7", "20", "07"])
def test_people_are_read(text: str) -> None:
    assert read_params({"people": text}, "").options.people == int(text)


@pytest.mark.parametrize("text", ["0", "21", "-1", "1.5", "", "many", "\u0661", "9" * 30])
def test_people_out_of_range_are_refused_with_the_range(text: str) -> None:
    with pytest.raises(BadRequest, match="from 1 to 20") as caught:
        read_params({"people": text}, "")
    assert caught.value.limit == (1, 20)


def test_a_service_may_find_fewer_people_at_most() -> None:
    with pytest.raises(BadRequest, match="from 1 to 5"):
        read_params({"people": "6"}, "", 5)
    with pytest.raises(BadRequest, match="2 boxes; the limit is 1"):
        read_params({"box": "0,0,9,9;0,0,9,9"}, "", 1)


def test_boxes_are_read() -> None:
    boxes = read_params({"box": "1,2,30,40; -5.5 , 0, 20.25, 9."}, "").options.boxes
    assert boxes == ((1.0, 2.0, 30.0, 40.0), (-5.5, 0.0, 20.25, 9.0))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3",
        "1,2,3,4,5",
        "a,b,c,d",
        "1,2,nan,4",
        "1,2,inf,4",
        "5,2,5,9",
        "9,2,5,9",
        "1,9,5,2",
        "1e3,0,2e3,9",
        ";",
    ],
)
def test_what_is_not_a_box_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match=r"box .*x0,y0,x1,y1 in px"):
        read_params({"box": text}, "")


def test_a_picture_in_the_json_needs_the_json() -> None:
    assert read_params({"image": "webp"}, "application/json").image == "webp"
    with pytest.raises(BadRequest, match="the answer is png"):
        read_params({"image": "webp"}, "")


def test_fields_of_a_form_count_as_the_query_does() -> None:
    assert with_fields({"flip": "1"}, {"threshold": "0.4", "flip": "1"}) == {"flip": "1", "threshold": "0.4"}
    assert with_fields({}, {"threshold": "", "csrf": "x", "comment": "hello", "submit": "Send"}) == {}


def test_fields_that_contradict_the_url_and_misspelt_ones_are_refused() -> None:
    with pytest.raises(BadRequest, match=r"'0.3' in the URL and '0.4' in the form"):
        with_fields({"threshold": "0.3"}, {"threshold": "0.4"})
    with pytest.raises(BadRequest, match="did you mean 'threshold'"):
        with_fields({}, {"treshold": "0.4"})
    with pytest.raises(BadRequest, match="did you mean 'format'"):
        with_fields({}, {"Format": "json"})


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0.0), ("1", 1.0), ("0.3", 0.3), (".5", 0.5), ("1.000", 1.0), ("00.25", 0.25)]
)
def test_thresholds_are_read(text: str, value: float) -> None:
    assert read_params({"threshold": text}, "").options.threshold == value


@pytest.mark.parametrize(
    "text", ["", "1.1", "-0.1", "nan", "inf", "1e-1", "0,3", "abc", "0.3 ", "\u0660.\u0663", "1" * 400, "0x1"]
)
def test_thresholds_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="threshold") as caught:
        read_params({"threshold": text}, "")
    assert caught.value.limit == (0, 1)


@pytest.mark.parametrize(("text", "value"), [("1", True), ("0", False), ("true", True), ("False", False)])
def test_flip_is_read(text: str, value: bool) -> None:
    assert read_params({"flip": text}, "").options.flip is value


@pytest.mark.parametrize(
    "query",
    [
        {"flip": "maybe"},
        {"flip": ""},
        {"format": "gif"},
        {"format": ""},
        {"format": "PNG"},
        {"treshold": "0.3"},
    ],
)
def test_other_values_and_misspelt_names_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(BadRequest, match=next(iter(query))):
        read_params(query, "")


@given(st.text(max_size=80))
def test_any_accept_header_gives_a_format_or_not_acceptable(accept: str) -> None:
    with contextlib.suppress(NotAcceptable):
        assert negotiate(accept) in OUTPUT_TYPES

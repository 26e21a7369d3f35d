"""hpe.web.params: query parameters and content negotiation."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpe.errors import BadRequest, NotAcceptable
from hpe.web.params import OUTPUT_TYPES, negotiate, read_params

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
    assert caught.value.limit == tuple(OUTPUT_TYPES.values())


def test_format_wins_over_accept() -> None:
    assert read_params({"format": "webp"}, "application/json").format == "webp"
    assert read_params({"format": "png"}, "image/avif").format == "png"


def test_parameters_left_out_are_left_to_the_service() -> None:
    params = read_params({}, "")
    assert (params.format, params.threshold, params.flip) == ("png", None, None)


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0.0), ("1", 1.0), ("0.3", 0.3), (".5", 0.5), ("1.000", 1.0), ("00.25", 0.25)]
)
def test_thresholds_are_read(text: str, value: float) -> None:
    assert read_params({"threshold": text}, "").threshold == value


@pytest.mark.parametrize(
    "text", ["", "1.1", "-0.1", "nan", "inf", "1e-1", "0,3", "abc", "0.3 ", "\u0660.\u0663", "1" * 400, "0x1"]
)
def test_thresholds_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="threshold") as caught:
        read_params({"threshold": text}, "")
    assert caught.value.limit == (0, 1)


@pytest.mark.parametrize(("text", "value"), [("1", True), ("0", False), ("true", True), ("False", False)])
def test_flip_is_read(text: str, value: bool) -> None:
    assert read_params({"flip": text}, "").flip is value


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

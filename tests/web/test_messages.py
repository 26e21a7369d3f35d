"""hpe.web.messages: recorded-style gateway events in, gateway answers out."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web.fakes import FakeEstimator

from hpe.errors import BadRequest
from hpe.settings import Settings
from hpe.web.api import handle_event
from hpe.web.messages import Response, from_event, to_event

EVENTS = Path(__file__).parents[1] / "events"

# file, method, path, status, content type of the answer
EXPECTED = {
    "http-api-v2-form": ("POST", "/pose", 200, "image/png"),
    "http-api-v2-named-stage-and-query": ("POST", "/pose", 200, "application/json"),
    "http-api-v2-default-route-named-stage": ("GET", "/health", 200, "application/json"),
    "http-api-v2-custom-domain-base-path": ("POST", "/pose", 200, "application/json"),
    "http-api-v2-stage-named-like-the-path": ("POST", "/pose", 200, "image/png"),
    "http-api-v2-result-by-id": ("GET", "/results/0123456789abcdef0123456789abcdef", 404, "application/problem+json"),
    "http-api-v2-no-body": ("POST", "/pose", 400, "application/problem+json"),
    "http-api-v2-bad-base64": (None, None, 400, "application/problem+json"),
    "http-api-v2-unknown-path": ("GET", "/poses", 404, "application/problem+json"),
    "http-api-v2-no-headers": ("POST", "/pose", 200, "image/png"),
    "http-api-v2-head-health": ("HEAD", "/health", 200, "application/json"),
    "function-url-raw-image": ("POST", "/pose", 200, "image/png"),
    "function-url-get-openapi": ("GET", "/openapi.json", 200, "application/json"),
    "function-url-preflight": ("OPTIONS", "/pose", 204, None),
    "function-url-browser-navigation": ("POST", "/pose", 200, "image/png"),
    "rest-v1-form": ("POST", "/pose", 200, "image/png"),
    "rest-v1-repeated-query": ("POST", "/pose", 400, "application/problem+json"),
    "rest-v1-only-multi-value-headers": ("POST", "/pose", 200, "image/jpeg"),
    "rest-v1-preflight": ("OPTIONS", "/pose", 204, None),
    "rest-v1-proxy-resource": ("GET", "/health", 200, "application/json"),
    "rest-v1-custom-domain-base-path": ("POST", "/pose", 200, "image/png"),
    "rest-v1-binary-passed-as-text": (None, None, 400, "application/problem+json"),
    "rest-v1-console-test-all-null": ("POST", "/pose", 400, "application/problem+json"),
    "rest-v1-wrong-method": ("DELETE", "/pose", 405, "application/problem+json"),
    "load-balancer-multi-value": ("POST", "/pose", 200, "application/json"),
    "not-http-schedule": (None, None, 400, "application/problem+json"),
    "not-http-s3": (None, None, 400, "application/problem+json"),
}


def load(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def answer(event: object) -> dict[str, Any]:
    return handle_event(event, "request-1", FakeEstimator, Settings())


def test_every_event_on_file_is_expected() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", [name for name, (method, *_) in EXPECTED.items() if method])
def test_an_event_becomes_a_request(name: str) -> None:
    request = from_event(load(name), "request-1")
    assert (request.method, request.path, request.request_id) == (*EXPECTED[name][:2], "request-1")
    assert all(key == key.lower() for key in request.headers)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_event_gets_its_answer_in_the_gateways_form(name: str) -> None:
    _, _, status, kind = EXPECTED[name]
    got = answer(load(name))
    lists = name == "load-balancer-multi-value"
    assert set(got) == {"statusCode", "multiValueHeaders" if lists else "headers", "body", "isBase64Encoded"}
    if lists:
        got["headers"] = {key: value for key, (value,) in got["multiValueHeaders"].items()}
    assert got["statusCode"] == status
    assert got["headers"].get("Content-Type") == kind
    assert all(isinstance(value, str) for value in got["headers"].values())
    assert got["isBase64Encoded"] == bool(kind and kind.startswith("image/"))
    assert json.loads(json.dumps(got)) == got
    if kind == "image/png":
        assert base64.b64decode(got["body"]).startswith(b"\x89PNG")
    elif kind and "json" in kind and EXPECTED[name][0] != "HEAD":
        json.loads(got["body"])


def test_parameter_that_is_given_twice_is_refused_by_every_gateway() -> None:
    v2 = load("http-api-v2-named-stage-and-query")
    assert (from_event(v2).query["flip"], from_event(v2).repeated) == ("1", ())
    twice = {
        "HTTP API": {**v2, "rawQueryString": "format=json&threshold=0.3&threshold=0.3"},
        "load balancer": load("load-balancer-multi-value")
        | {"multiValueQueryStringParameters": {"threshold": ["0.3", "0.4"], "format": ["json"]}},
        "REST API": load("rest-v1-repeated-query")
        | {"multiValueQueryStringParameters": {"threshold": ["0.3", "0.4"], "format": ["json"]}},
    }
    for gateway, event in twice.items():
        got = answer(event)
        assert got["statusCode"] == 400, gateway
        assert "'threshold' is given several times: give it once" in json.loads(got["body"])["detail"]


def test_a_load_balancer_hands_the_query_on_undecoded() -> None:
    event = load("load-balancer-multi-value")
    event["multiValueQueryStringParameters"] = {"threshold": ["0%2E3"], "box": ["1%2C2%2C3%2C4", "5,6,7,8"]}
    assert from_event(event).query == {"threshold": "0.3", "box": "1,2,3,4;5,6,7,8"}
    plain = {**event, "multiValueQueryStringParameters": None, "queryStringParameters": {"threshold": "0%2E3"}}
    assert from_event(plain).query == {"threshold": "0.3"}


def test_other_gateways_have_decoded_the_query_already() -> None:
    event = load("rest-v1-repeated-query") | {"multiValueQueryStringParameters": {"a": ["100%25"], "box": ["1", "2"]}}
    query = from_event(event).query
    assert (query["a"], query["box"]) == ("100%25", "1;2")


def test_a_load_balancer_that_sends_lists_gets_lists_on_errors_too() -> None:
    event = load("load-balancer-multi-value") | {"isBase64Encoded": True, "body": "!"}
    assert answer(event)["multiValueHeaders"]["Content-Type"] == ["application/problem+json"]
    single = {**event, "multiValueHeaders": None, "headers": {}}
    assert answer(single)["headers"]["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("spell", ["lines", "url-safe", "unpadded"])
def test_base64_as_mail_and_urls_write_it_is_read(spell: str) -> None:
    data = bytes(range(256)) * 3 + b"\xfb\xff"
    spelt = {
        "lines": base64.encodebytes(data).decode().replace("\n", "\r\n"),
        "url-safe": base64.urlsafe_b64encode(data).decode(),
        "unpadded": base64.b64encode(data).decode().rstrip("="),
    }
    event = load("http-api-v2-form") | {"body": spelt[spell], "isBase64Encoded": True}
    assert from_event(event).body == data


def test_form_bytes_arrive_as_they_were_sent() -> None:
    event = load("http-api-v2-form")
    assert from_event(event).body == base64.b64decode(event["body"])


def test_a_binary_body_passed_as_text_is_told_how_to_mend_the_gateway() -> None:
    problem = json.loads(answer(load("rest-v1-binary-passed-as-text"))["body"])
    assert "binaryMediaTypes" in problem["hint"]


def test_a_refused_event_may_still_be_read_by_its_page() -> None:
    event = load("http-api-v2-bad-base64") | {"headers": {"Origin": "https://a.example"}}
    got = handle_event(event, "", FakeEstimator, Settings(cors_origins=("https://a.example",)))
    assert got["headers"]["Access-Control-Allow-Origin"] == "https://a.example"


def test_a_text_body_is_its_utf_8() -> None:
    event = load("http-api-v2-no-body") | {"body": "grüße", "isBase64Encoded": False}
    assert from_event(event).body == "grüße".encode()


@pytest.mark.parametrize("body", [5, ["x"], {"a": 1}])
def test_a_body_that_is_no_text_is_refused(body: object) -> None:
    with pytest.raises(BadRequest, match="body"):
        from_event(load("http-api-v2-no-body") | {"body": body})


def test_half_a_character_in_a_body_is_refused() -> None:
    # JSON can hold half of a surrogate pair; no encoding can
    event = load("http-api-v2-no-body") | {"body": json.loads('"\\ud800"')}
    with pytest.raises(BadRequest, match="half a character"):
        from_event(event)
    assert answer(event)["statusCode"] == 400


@pytest.mark.parametrize("text", ["", "binary"])
def test_answers_keep_their_bytes(text: str) -> None:
    data = bytes(range(256)) if text else b""
    got = to_event(Response(200, {"Content-Type": "image/png"}, data))
    assert (base64.b64decode(got["body"]) if got["isBase64Encoded"] else got["body"].encode()) == data


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "body",
    "isBase64Encoded",
    "path",
    "rawPath",
    "rawQueryString",
    "resource",
    "routeKey",
    "httpMethod",
    "requestContext",
    "version",
]
FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FUZZ
@given(st.sampled_from(sorted(EXPECTED)), st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4))
def test_no_event_however_odd_is_a_5xx(name: str, odd: dict[str, Any]) -> None:
    got = answer(load(name) | odd)
    assert 200 <= got["statusCode"] < 500
    assert isinstance(got["body"], str)


@FUZZ
@given(JSON)
def test_anything_at_all_gets_an_answer(event: object) -> None:
    assert answer(event)["statusCode"] == 400

"""The OpenAPI document is the truth: real requests and responses are checked against it, and it against the code."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from web.bad_uploads import UPLOADS
from web.fakes import FakeEstimator, no_model, photo
from werkzeug.datastructures import Headers, ImmutableMultiDict

from hpe import __version__
from hpe.image.kinds import READABLE
from hpe.pose.skeleton import KEYPOINTS, LIMBS
from hpe.settings import Settings
from hpe.web.api import ROUTES, handle
from hpe.web.messages import Request, Response
from hpe.web.openapi import openapi
from hpe.web.params import OUTPUT_TYPES, PARAMETERS
from hpe.web.problems import KINDS

HOST = "http://localhost"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi()


@pytest.fixture(scope="module")
def checker(document: dict[str, Any]) -> OpenAPI:
    config = Config(extra_media_type_deserializers={"application/problem+json": json.loads})
    return OpenAPI.from_dict({**document, "servers": [{"url": HOST}]}, config=config)


@dataclass
class Asked:
    """A request as openapi-core wants to see it."""

    request: Request
    parameters: RequestParameters = field(init=False)
    host_url: str = HOST

    def __post_init__(self) -> None:
        headers = Headers(list(self.request.headers.items()))
        self.parameters = RequestParameters(query=ImmutableMultiDict(self.request.query), header=headers)

    @property
    def method(self) -> str:
        return self.request.method.lower()

    @property
    def path(self) -> str:
        return self.request.path

    @property
    def content_type(self) -> str:
        return self.request.headers.get("content-type", "application/octet-stream")

    @property
    def body(self) -> bytes:
        return self.request.body


@dataclass
class Got:
    """A response as openapi-core wants to see it."""

    response: Response

    @property
    def status_code(self) -> int:
        return self.response.status

    @property
    def headers(self) -> Headers:
        return Headers(list(self.response.headers.items()))

    @property
    def content_type(self) -> str:
        return self.response.headers.get("Content-Type", "")

    @property
    def data(self) -> bytes:
        return self.response.body


def check(
    checker: OpenAPI, request: Request, source: Any = FakeEstimator, settings: Settings | None = None
) -> Response:
    response = handle(request, source, settings or Settings())
    checker.validate_response(Asked(request), Got(response))
    return response


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == __version__


@pytest.mark.parametrize("name", OUTPUT_TYPES)
@pytest.mark.parametrize("people", [0, 1, 3])
def test_answers_to_photos_are_as_described(checker: OpenAPI, name: str, people: int) -> None:
    if (name, people) == ("yolo", 0):
        pytest.skip("labels of nobody are an empty text, which openapi-core takes for a missing one")
    query = {"format": name, "threshold": "0.4", "flip": "1", "people": "5"}
    query |= {"image": "webp"} if name == "json" else {}
    request = Request("POST", "/pose", query, {"content-type": "image/jpeg"}, photo())
    checker.validate_request(Asked(request))
    assert check(checker, request, lambda: FakeEstimator(people)).status == 200


@pytest.mark.parametrize("name", [name for name, upload in UPLOADS.items() if upload.status != 200])
def test_refusals_are_as_described(checker: OpenAPI, name: str) -> None:
    upload = UPLOADS[name]
    headers = {"content-type": upload.content_type, **upload.headers}
    assert check(checker, Request("POST", "/pose", upload.query, headers, upload.body)).status == upload.status


def test_service_answers_are_as_described(checker: OpenAPI) -> None:
    assert check(checker, Request("GET", "/health")).status == 200
    assert check(checker, Request("GET", "/health"), no_model).status == 503
    assert check(checker, Request("GET", "/openapi.json")).status == 200
    assert check(checker, Request("HEAD", "/openapi.json")).status == 200
    assert check(checker, Request("GET", "/problems/busy")).status == 200
    assert check(checker, Request("HEAD", "/problems/busy")).status == 200
    assert check(checker, Request("GET", "/problems/none")).status == 404
    assert check(checker, Request("POST", "/pose", body=photo()), no_model).status == 503
    assert check(checker, Request("POST", "/uploads", body=b"{}")).status == 404
    assert check(checker, Request("GET", "/results/0123456789abcdef0123456789abcdef")).status == 404


def test_a_fault_of_ours_is_as_described(checker: OpenAPI) -> None:
    def broken() -> Any:
        raise RuntimeError

    assert check(checker, Request("GET", "/health"), broken).status == 500


def test_the_checker_notices_an_answer_that_is_not_as_described(checker: OpenAPI) -> None:
    request = Request("POST", "/pose", {"format": "json"}, {"content-type": "image/jpeg"}, photo())
    response = handle(request, FakeEstimator, Settings())
    body = json.loads(response.body)
    body["people"][0]["keypoints"].pop()  # nor is it one of the other formats
    with pytest.raises(Exception, match="InvalidData"):
        checker.validate_response(Asked(request), Got(Response(200, response.headers, json.dumps(body).encode())))


def test_the_document_has_every_route_and_no_other(document: dict[str, Any]) -> None:
    described = {path: {method.upper() for method in methods} for path, methods in document["paths"].items()}
    assert described == {path: set(methods) for path, methods in ROUTES.items()}


def test_every_status_that_errors_can_have_is_described(document: dict[str, Any]) -> None:
    described = {
        example["example"]["status"]
        for example in (
            found["content"]["application/problem+json"] for found in document["components"]["responses"].values()
        )
    }
    assert described == {kind.status for kind in KINDS.values()} | {500}


def test_names_in_the_document_are_those_in_the_code(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Keypoint"]["properties"]["name"]["enum"] == list(KEYPOINTS)
    operation = document["paths"]["/pose"]["post"]
    parameters = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
    assert parameters["format"]["enum"] == list(OUTPUT_TYPES)
    assert set(parameters) == set(PARAMETERS)
    types = {media_type.partition(";")[0] for media_type in OUTPUT_TYPES.values()}
    assert set(operation["responses"]["200"]["content"]) == types
    assert parameters["people"]["maximum"] == parameters["box"]["maxItems"] == Settings().max_people
    assert schemas["Poses"]["properties"]["skeleton"]["const"] == [list(limb) for limb in LIMBS]
    assert set(READABLE) < set(operation["requestBody"]["content"])
    fields = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert set(fields) == set(PARAMETERS)


def test_answers_may_grow(document: dict[str, Any]) -> None:
    assert '"additionalProperties": false' not in json.dumps(document)


def test_examples_of_problems_are_what_the_api_says(document: dict[str, Any]) -> None:
    kinds = {kind.slug: kind for kind in KINDS.values()}
    for name, found in document["components"]["responses"].items():
        example = found["content"]["application/problem+json"]["example"]
        slug = example["type"].removeprefix("/problems/")
        if slug != "internal":
            assert (example["title"], example["status"]) == (kinds[slug].title, kinds[slug].status), name


def test_examples_match_their_schemas(document: dict[str, Any]) -> None:
    registry = Registry().with_resource("urn:api", Resource(document, DRAFT202012))
    for name, schema in document["components"]["schemas"].items():
        if "example" in schema:
            OAS31Validator({"$ref": f"urn:api#/components/schemas/{name}"}, registry=registry).validate(
                schema["example"]
            )
    for found in document["components"]["responses"].values():
        example = found["content"]["application/problem+json"]["example"]
        OAS31Validator({"$ref": "urn:api#/components/schemas/Problem"}, registry=registry).validate(example)

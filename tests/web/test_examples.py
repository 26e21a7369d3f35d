"""The OpenAPI document's worked examples: each request is sent, and each answer is what the document says."""

import io
import json
from typing import Any

import numpy as np
import pytest
from openapi_schema_validator import OAS31Validator
from PIL import Image
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from web.make_examples import COMMANDS, SIZE, answered, value_of

from hpe.web.openapi import openapi
from hpe.web.params import OUTPUT_TYPES

DOCUMENT = openapi()
CONTENT = DOCUMENT["paths"]["/pose"]["post"]["responses"]["200"]["content"]
EXAMPLES = {name: (kind, example) for kind, held in CONTENT.items() for name, example in held["examples"].items()}


def test_every_format_has_an_example() -> None:
    assert set(EXAMPLES) == set(COMMANDS) >= set(OUTPUT_TYPES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_request_is_answered_as_the_document_says(name: str) -> None:
    kind, example = EXAMPLES[name]
    response = answered(example["description"].strip("`"))
    assert response.status == 200
    assert response.headers["Content-Type"].partition(";")[0] == kind
    assert value_of(response) == example.get("value"), "python tests/web/make_examples.py"


@pytest.mark.parametrize("name", CONTENT["application/json"]["examples"])
def test_the_answer_matches_the_schema(name: str) -> None:
    registry: Any = Registry().with_resource("urn:api", Resource(DOCUMENT, DRAFT202012))
    schema = {"$ref": "urn:api#/paths/~1pose/post/responses/200/content/application~1json/schema"}
    OAS31Validator(schema, registry=registry).validate(EXAMPLES[name][1]["value"])


def test_controlnets_picture_is_on_black_and_as_large_as_the_photo() -> None:
    picture = Image.open(io.BytesIO(answered(COMMANDS["controlnet"][1]).body))
    assert picture.size == SIZE
    pixels = np.asarray(picture.convert("RGB"))
    assert 0.01 < (pixels.max(axis=2) > 0).mean() < 0.2
    assert not pixels[:10].any()


def test_of_several_photos_the_one_that_is_none_has_its_problem_in_its_place() -> None:
    photo, notes = json.loads(answered(COMMANDS["several"][1]).body)
    assert (photo["file"], len(photo["people"])) == ("photo.jpg", 1)
    assert (notes["file"], notes["status"]) == ("notes.txt", 415)

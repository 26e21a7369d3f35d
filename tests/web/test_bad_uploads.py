"""POST /pose against the table of bad and odd uploads: the right status, and a body that helps."""

import json

import pytest
from web.bad_uploads import UPLOADS
from web.fakes import post

from hpe.web.messages import Response


def answer(name: str) -> Response:
    upload = UPLOADS[name]
    return post(upload.body, upload.content_type, headers=upload.headers, **upload.query)


def test_the_table_is_large_and_holds_no_5xx() -> None:
    assert len(UPLOADS) >= 40
    assert all(upload.status < 500 for upload in UPLOADS.values())


@pytest.mark.parametrize("name", UPLOADS)
def test_an_odd_upload_gets_its_status_and_advice(name: str) -> None:
    upload, response = UPLOADS[name], answer(name)
    assert response.status == upload.status, response.body[:300]
    if response.status == 200:
        assert response.headers["Content-Type"] == "image/png"
        return
    problem = json.loads(response.body)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == response.status
    assert problem["type"].startswith("/problems/")
    assert problem["title"]
    assert len(problem["hint"]) > 10
    assert upload.says in problem["detail"] + problem["hint"]


@pytest.mark.parametrize("name", [name for name, upload in UPLOADS.items() if upload.status == 413])
def test_what_is_too_large_names_its_limit(name: str) -> None:
    assert isinstance(json.loads(answer(name).body)["limit"], int)

"""Our signature against botocore's, on the same requests at the same second."""

from datetime import UTC, datetime
from unittest import mock

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials

from hpe.store.sigv4 import Credentials, quoted_path, signed_headers

NOW_S = 1_700_000_000


@pytest.mark.parametrize("token", ["", "IQoJb3JpZ2luX2VjE//////////wEaCXVz+session/token=="])
@pytest.mark.parametrize("key", ["pose.onnx", "a/b/pose-3f.onnx", "späte Modelle/pose v1+2 (3)~@x.onnx", "a//b.onnx"])
@pytest.mark.parametrize("host", ["bucket.s3.eu-central-1.amazonaws.com", "127.0.0.1:5000"])
def test_signature_is_the_one_that_botocore_makes(host: str, key: str, token: str) -> None:
    path = quoted_path(f"/{key}")
    ours = signed_headers(host, path, "eu-central-1", Credentials("AKID", "wJalr/XUtn+FEMI", token), NOW_S)

    request = AWSRequest("GET", f"https://{host}{path}")
    request.context["payload_signing_enabled"] = True
    signer = S3SigV4Auth(TheirCredentials("AKID", "wJalr/XUtn+FEMI", token or None), "s3", "eu-central-1")
    moment = datetime.fromtimestamp(NOW_S, UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        signer.add_auth(request)

    assert ours["authorization"] == request.headers["Authorization"]


def test_secrets_are_not_in_the_repr() -> None:
    assert "hush" not in repr(Credentials("AKID", "hush", "hush-token"))

"""Who asks S3, and where: from the environment, else as botocore finds it."""

import subprocess
import sys
from pathlib import Path

import pytest

from hpe.errors import ModelUnavailable
from hpe.store.access import access_from_env

KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}


def test_lambda_environment_is_enough() -> None:
    access = access_from_env({**KEYS, "AWS_SESSION_TOKEN": "token", "AWS_REGION": "eu-west-1"})
    assert (access.credentials.key_id, access.credentials.secret, access.credentials.token) == (
        "AKID",
        "secret",
        "token",
    )
    assert (access.region, access.endpoint) == ("eu-west-1", "")


def test_environment_with_keys_never_imports_botocore() -> None:
    code = f"import sys; from hpe.store.access import access_from_env; access_from_env({KEYS!r})"
    subprocess.run([sys.executable, "-c", f"{code}; assert 'botocore' not in sys.modules"], check=True)


def test_s3_endpoint_goes_before_the_general_one() -> None:
    both = {**KEYS, "AWS_ENDPOINT_URL": "http://all:1", "AWS_ENDPOINT_URL_S3": "http://s3:2/"}
    assert access_from_env(both).endpoint == "http://s3:2"


def test_profile_is_read_where_the_environment_has_no_keys(aws_env, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile team]\nregion = eu-north-1\naws_access_key_id = AKTEAM\naws_secret_access_key = hidden\n"
    )
    aws_env.delenv("AWS_ACCESS_KEY_ID")
    aws_env.setenv("AWS_CONFIG_FILE", str(config))
    aws_env.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    aws_env.setenv("AWS_PROFILE", "team")
    access = access_from_env({})
    assert (access.credentials.key_id, access.region) == ("AKTEAM", "eu-north-1")


@pytest.fixture
def nobody(aws_env, tmp_path: Path):
    aws_env.delenv("AWS_ACCESS_KEY_ID")
    aws_env.setenv("AWS_EC2_METADATA_DISABLED", "true")
    aws_env.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    aws_env.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return aws_env


def test_no_credentials_anywhere_is_said(nobody) -> None:
    with pytest.raises(ModelUnavailable, match="no AWS credentials: set AWS_ACCESS_KEY_ID"):
        access_from_env({})


def test_unknown_profile_is_said(nobody) -> None:
    nobody.setenv("AWS_PROFILE", "nobody-has-this")
    with pytest.raises(ModelUnavailable, match="nobody-has-this"):
        access_from_env({})


def test_without_botocore_the_message_says_how_to_get_it(nobody) -> None:
    nobody.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(ModelUnavailable, match=r"pip install \"hpe-pose\[s3\]"):
        access_from_env({})

"""Where S3 is and who asks: the AWS_* environment -> Access."""

from collections.abc import Mapping
from dataclasses import dataclass

from hpe.errors import ModelUnavailable
from hpe.store.sigv4 import Credentials

_MISSING = "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


@dataclass(frozen=True)
class Access:
    """endpoint: empty for AWS's own, else a URL, addressed path-style. ca_file: empty for the system's certificates."""

    credentials: Credentials
    region: str
    endpoint: str = ""
    ca_file: str = ""


def access_from_env(environ: Mapping[str, str]) -> Access:
    """The AWS_* variables -> Access; keys that they lack are asked of botocore. Raises ModelUnavailable.

    Lambda gives its role's keys in the environment; profiles, SnapStart and EC2 roles go through botocore.
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
    key_id, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if key_id and secret:
        credentials = Credentials(key_id, secret, environ.get("AWS_SESSION_TOKEN", ""))
    else:
        credentials, profile_region = _from_botocore()
        region = region or profile_region
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or ""
    return Access(credentials, region or "us-east-1", endpoint.rstrip("/"), environ.get("AWS_CA_BUNDLE", ""))


def _from_botocore() -> tuple[Credentials, str]:
    try:
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session
    except ImportError as error:
        raise ModelUnavailable(f'{_MISSING}, or pip install "hpe-pose[s3]" to use profiles and roles') from error
    try:
        session = Session()
        found = session.get_credentials()
        if found is None:
            raise ModelUnavailable(f"{_MISSING}, or AWS_PROFILE, or give the machine a role")
        keys = found.get_frozen_credentials()
        region = session.get_config_variable("region") or ""
    except BotoCoreError as error:
        raise ModelUnavailable(f"no AWS credentials: {error}") from error
    return Credentials(keys.access_key, keys.secret_key, keys.token or ""), region

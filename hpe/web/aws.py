"""Clients of AWS, each made once a process; boto3 is imported only by those who need one."""

import functools
import logging
import os
from typing import Any

_log = logging.getLogger(__name__)


@functools.cache
def client(service: str) -> Any:
    """boto3's client with short timeouts and few retries. Raises botocore's errors, NoCredentialsError among them."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import NoCredentialsError

    # A regional address: browsers do not follow the redirect that the global one gives a new bucket.
    config = Config(
        signature_version="s3v4" if service == "s3" else None,
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 3},
        s3={"us_east_1_regional_endpoint": "regional"},
    )
    session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)  # boto3 reads AWS_DEFAULT_REGION alone
    # a client made without keys never asks for them again, and this one is kept
    if session.get_credentials() is None:
        _log.error("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give a role")
        raise NoCredentialsError
    return session.client(service, config=config)

"""AWS Lambda's entry: settings once, estimator once a container, one event in, one answer out."""

import os
from typing import Any

from hpe.settings import Settings
from hpe.web import keys
from hpe.web.api import handle_event
from hpe.web.request_log import log_to_stderr
from hpe.web.source import EstimatorSource

SETTINGS = Settings.from_env(os.environ)
log_to_stderr(SETTINGS.log_level, os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""))
estimator = EstimatorSource(SETTINGS)
if "AWS_LAMBDA_RUNTIME_API" in os.environ:  # while Lambda starts a container its processor is not throttled
    if SETTINGS.keys_table:
        keys.warm()
    estimator.warm()


def handler(event: object, context: object) -> dict[str, Any]:
    """A gateway's event -> the gateway's answer."""
    return handle_event(event, str(getattr(context, "aws_request_id", "")), estimator, SETTINGS)

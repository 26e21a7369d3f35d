"""What is noted of each request: the one place, as one line of JSON. Never a byte of a photo, nor its name."""

import json
import logging
import sys
import time
import warnings
from dataclasses import dataclass, field
from typing import Final

from hpe.photo.stages import Stages
from hpe.stderr import silence_libraries
from hpe.web.cloudwatch import Metrics

LOGGER: Final = logging.getLogger("hpe")


@dataclass
class Record:
    """Filled in while a request is answered. stages: what each stage took. route: of our own, never as sent.
    caller: the name of the key that was used, if keys are asked for."""

    request_id: str = ""
    method: str = ""
    route: str = ""
    status: int = 0
    people: int | None = None
    caller: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    problem: str = ""
    detail: str = ""
    stages: Stages = field(default_factory=Stages)
    began: float = field(default_factory=time.perf_counter)


def note(record: Record) -> None:
    """Log one answered request."""
    line = {
        "event": "request",
        "request_id": record.request_id,
        "method": record.method,
        "route": record.route,
        "status": record.status,
        "ms": round((time.perf_counter() - record.began) * 1000, 1),
        "stages_ms": record.stages.rounded(),
        "people": record.people,
        "bytes_in": record.bytes_in,
        "bytes_out": record.bytes_out,
    }
    if record.caller:
        line |= {"caller": record.caller}
    if record.problem:
        line |= {"problem": record.problem, "detail": record.detail}
    LOGGER.log(logging.ERROR if record.status >= 500 else logging.INFO, "%s", json.dumps(line), extra={"fields": line})


class JsonLines(logging.Formatter):
    """A log record -> one line of JSON: a request's own fields, or the message, with a traceback if there is one."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        """metrics: put into the lines of requests, where they are wanted."""
        super().__init__()
        self._metrics = metrics

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds."""
        fields = getattr(record, "fields", None) or {"event": "log", "message": record.getMessage()}
        line = {"time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), "level": record.levelname, **fields}
        if self._metrics and fields["event"] == "request":
            line |= self._metrics.of(fields, record.created)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_to_stderr(level: str, function: str = "") -> None:
    """Send what this package logs to stderr as lines of JSON, and nothing else; Lambda keeps those in CloudWatch.

    function: its name in Lambda, for the metrics in the lines of requests; without one there are none.
    """
    silence_libraries()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(Metrics(function) if function else None))
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(level.upper())
    LOGGER.propagate = False  # Lambda's own handler would write each line once more
    # Pillow has one for each odd tag of a photo, and a hostile photo thousands of them
    warnings.filterwarnings("ignore", module="PIL")

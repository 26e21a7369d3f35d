"""hpe.web.cloudwatch: log lines that CloudWatch takes metrics from, by the rules of the Embedded Metric Format."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hpe.web.cloudwatch import NAMESPACE, UNITS, Metrics
from hpe.web.request_log import LOGGER, JsonLines, Record, note

ROOT = Path(__file__).resolve().parents[2]
# of CloudWatch's units, those of time and of counts
CLOUDWATCH_UNITS = {"Seconds", "Microseconds", "Milliseconds", "Count", "Percent", "Bytes", "None"}
STAGES_MS = {"decode": 5.0, "infer": 60.0, "draw": 2.0, "encode": 9.0}
LOOKED_AT = {"event": "request", "people": 1, "ms": 80.5, "stages_ms": STAGES_MS}
REFUSED = {"event": "request", "people": None, "ms": 1.0, "stages_ms": {}, "problem": "/problems/model-unavailable"}


def metrics_in(line: dict[str, Any]) -> dict[str, tuple[float, dict[str, str]]]:
    """Metric -> (value, dimensions), read as CloudWatch does. Fails where a rule of the format is broken."""
    meta = line["_aws"]
    assert set(meta) == {"Timestamp", "CloudWatchMetrics"}
    assert type(meta["Timestamp"]) is int
    assert meta["CloudWatchMetrics"]
    found = {}
    for group in meta["CloudWatchMetrics"]:
        assert set(group) == {"Namespace", "Dimensions", "Metrics"}
        assert 1 <= len(group["Namespace"]) <= 1024
        assert 1 <= len(group["Metrics"]) <= 100
        for dimensions in group["Dimensions"]:
            assert len(dimensions) <= 30
            for name in dimensions:
                assert isinstance(line[name], str)
                assert 1 <= len(line[name]) <= 1024
        for metric in group["Metrics"]:
            assert set(metric) == {"Name", "Unit"}
            assert metric["Unit"] in CLOUDWATCH_UNITS
            value = line[metric["Name"]]
            assert isinstance(value, int | float)
            assert not isinstance(value, bool)
            assert metric["Name"] not in found
            (dimensions,) = group["Dimensions"]
            found[metric["Name"]] = value, {name: line[name] for name in dimensions}
    return found


def test_photo_that_was_looked_at() -> None:
    metrics = Metrics("hpe-dev-api")
    metrics.of(LOOKED_AT, 0.0)
    found = metrics_in(metrics.of(LOOKED_AT, 1_800_000_000.25))
    assert {name: value for name, (value, _) in found.items()} == {
        "Latency": 80.5, "Decode": 5.0, "Infer": 60.0, "Draw": 2.0, "Encode": 9.0, "People": 1,
    }  # fmt: skip
    assert all(dimensions == {"Function": "hpe-dev-api"} for _, dimensions in found.values())


def test_time_is_in_milliseconds() -> None:
    assert Metrics("f").of(LOOKED_AT, 1_800_000_000.25)["_aws"]["Timestamp"] == 1_800_000_000_250


def test_refusal_counts_as_an_error_of_its_kind_and_not_as_a_quick_photo() -> None:
    metrics = Metrics("f")
    metrics.of(LOOKED_AT, 0.0)
    found = metrics_in(metrics.of(REFUSED, 0.0))
    assert found == {"Errors": (1, {"Function": "f", "Problem": "model-unavailable"})}


def test_first_request_of_a_process_is_its_cold_start_whatever_came_of_it() -> None:
    metrics = Metrics("f")
    found = metrics_in(metrics.of(REFUSED, 0.0))
    assert found["ColdStarts"] == (1, {"Function": "f"})
    assert "ColdStarts" not in metrics_in(metrics.of(LOOKED_AT, 0.0))


def test_request_with_nothing_to_count_has_no_metrics() -> None:
    metrics = Metrics("f")
    health = {"event": "request", "people": None, "ms": 1.0, "stages_ms": {}}
    metrics.of(health, 0.0)
    assert metrics.of(health, 0.0) == {}


def test_every_metric_has_a_unit_and_no_name_is_used_twice_in_the_line() -> None:
    line = Metrics("f").of({**LOOKED_AT}, 0.0)
    own = set(json.loads(JsonLines().format(_log_record())))
    assert not own & set(line), "a metric would overwrite what the line says already"
    assert set(metrics_in(line)) | {"Errors"} == set(UNITS)
    assert NAMESPACE == "hpe"


def _log_record() -> logging.LogRecord:
    taken: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = taken.append  # type: ignore[method-assign]
    LOGGER.addHandler(handler)
    try:
        note(Record("id", "POST", "/pose", 500, people=1, problem="/problems/x"))
    finally:
        LOGGER.removeHandler(handler)
    return taken[0]


CALL = """
import base64, json, sys
module = sys.argv[1]
from web.fakes import FakeEstimator, photo
if module == "handler":
    import handler
    handler.estimator = FakeEstimator
    event = {"version": "2.0", "rawPath": "/pose", "requestContext": {"http": {"method": "POST", "path": "/pose"}},
             "body": base64.b64encode(photo()).decode(), "isBase64Encoded": True}
    for _ in range(2):
        assert handler.handler(event, None)["statusCode"] == 200
    assert handler.handler({**event, "body": ""}, None)["statusCode"] == 400
else:
    import io
    import worker
    from hpe.web import photo_bucket
    kept = {"uploads/" + "a" * 32: photo()}
    class S3:
        def list_objects_v2(self, **asked):
            return {"Contents": [{"Key": key} for key in kept if key.startswith(asked["Prefix"])]}
        def get_object(self, **asked): return {"Body": io.BytesIO(kept[asked["Key"]])}
        def put_object(self, **asked): kept[asked["Key"]] = asked["Body"]
        def delete_object(self, **asked): kept.pop(asked["Key"], None)
    worker.photo_bucket.open_store = lambda _: photo_bucket.PhotoStore("b", S3(), 1)
    worker.estimator = FakeEstimator
    body = json.dumps({"Records": [{"s3": {"object": {"key": "uploads/" + "a" * 32}}}]})
    assert worker.handler({"Records": [{"messageId": "m", "body": body}]}, None) == {"batchItemFailures": []}
"""


def lines_of(module: str, **environ: str) -> list[dict[str, Any]]:
    """What a fresh process of a Lambda function logs while it answers photos."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HPE_", "AWS_"))}
    clean |= {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", **environ}
    run = subprocess.run(
        [sys.executable, "-c", CALL, module], cwd=ROOT, env=clean, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in run.stderr.splitlines()]


def test_api_in_lambda_tells_its_metrics() -> None:
    first, second, third = (metrics_in(line) for line in lines_of("handler", AWS_LAMBDA_FUNCTION_NAME="hpe-dev-api"))
    assert set(UNITS) - set(first) == {"Errors"}
    assert set(first) - set(second) == {"ColdStarts"}
    assert third == {"Errors": (1, {"Function": "hpe-dev-api", "Problem": "bad-request"})}


def test_worker_in_lambda_tells_its_metrics() -> None:
    (line,) = lines_of("worker", AWS_LAMBDA_FUNCTION_NAME="hpe-dev-worker")
    found = metrics_in(line)
    assert set(UNITS) - set(found) == {"Errors"}
    assert found["People"] == (1, {"Function": "hpe-dev-worker"})


@pytest.mark.parametrize("module", ["handler", "worker"])
def test_outside_of_lambda_there_are_none(module: str) -> None:
    assert not [line for line in lines_of(module) if "_aws" in line]

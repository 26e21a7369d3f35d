"""hpe.web.request_log: one line of JSON a request, tracebacks included, on one line."""

import json
import logging

import pytest

from hpe.web.request_log import LOGGER, JsonLines, Record, log_to_stderr, note


def test_a_request_is_one_line_of_json(capfd: pytest.CaptureFixture[str]) -> None:
    log_to_stderr("info")
    note(Record("id-1", "POST", "/pose", 200, people=1))
    note(Record("id-2", "POST", "/pose", 503, problem="/problems/busy", detail="two\nlines"))
    first, second = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (first["event"], first["level"], first["request_id"], first["people"]) == ("request", "INFO", "id-1", 1)
    assert (second["level"], second["problem"], second["detail"]) == ("ERROR", "/problems/busy", "two\nlines")
    assert "problem" not in first


def test_a_traceback_stays_on_its_line(capfd: pytest.CaptureFixture[str]) -> None:
    log_to_stderr("INFO")
    try:
        raise RuntimeError("deep inside")
    except RuntimeError:
        LOGGER.exception("it broke")
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "it broke"
    assert "deep inside" in json.loads(line)["traceback"]


def test_the_level_is_kept_and_lines_do_not_double(capfd: pytest.CaptureFixture[str]) -> None:
    log_to_stderr("WARNING")
    log_to_stderr("WARNING")
    LOGGER.info("quiet")
    LOGGER.warning("loud")
    assert len(capfd.readouterr().err.splitlines()) == 1


def test_other_loggers_messages_are_formatted_too() -> None:
    record = logging.LogRecord("hpe.x", logging.INFO, "f.py", 1, "%s and %s", ("a", "b"), None)
    assert json.loads(JsonLines().format(record))["message"] == "a and b"

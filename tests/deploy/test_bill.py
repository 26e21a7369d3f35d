"""The worst month that docs/deploy.md and docs/security.md promise, at the defaults of deploy/parameters.yml."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.bill import CLIP_WORKER_MB, CLIP_WORKERS, PARAMETERS, transfer, worst_month

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def params() -> Any:
    return yaml.safe_load(PARAMETERS.read_text())


def test_worst_month_is_below_the_figure_that_the_pages_state(params: Any) -> None:
    total = sum(worst_month(params).values())
    for page in ("deploy.md", "security.md"):
        stated = re.search(r"worst month at the defaults is below \$([\d,]+)", (ROOT / "docs" / page).read_text())
        assert stated, page
        assert total < float(stated[1].replace(",", ""))


def test_what_leaves_aws_is_counted_by_aws_tiers() -> None:
    assert transfer(100) == pytest.approx(9)
    assert transfer(10_240 + 100) == pytest.approx(10_240 * 0.09 + 100 * 0.085)
    assert transfer(241_000) == pytest.approx(15_940, abs=100), "20 answers of 4.65 MB a second for 30 days"


def test_every_default_that_lets_more_through_costs_more(params: Any) -> None:
    before = sum(worst_month(params).values())
    for name in ("throttleRate", "uploadRate", "concurrency", "workerConcurrency", "answerMaxBytes"):
        assert sum(worst_month({**params, name: 2 * params[name]}).values()) > before, name


def test_the_worker_of_clips_is_the_one_that_is_deployed() -> None:
    # read as lines: the file's own tags are the deployment's
    text = (ROOT / "serverless.yml").read_text().partition("\n  video:")[2].partition("\n  batch:")[0]
    (memory,), (most,) = re.findall(r"memorySize: (\d+)", text), re.findall(r"maximumConcurrency: (\d+)", text)
    assert (int(memory), int(most)) == (CLIP_WORKER_MB, CLIP_WORKERS)

"""The rest of the bill: what leaves AWS with an answer, the worst month at the defaults, a million photos in S3."""

import io
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from bench.people import WIDTH, measure
from bench.photos import crowd, jpeg
from bench.report import Effort, table
from hpe.batch.cost import GB_SECOND, LAMBDA_REQUEST, LOG_GB, S3_PUT_OR_LIST, Job, dollars
from hpe.settings import Settings

PARAMETERS: Final = Path(__file__).resolve().parents[1] / "deploy" / "parameters.yml"
PEOPLE: Final = (0, 1, 5)
MONTH_S: Final = 30 * 86_400
# us-east-1, aws.amazon.com/ec2/pricing (transfer out, beyond the free 100 GB), /api-gateway, /s3, /sqs
TRANSFER: Final = ((10_240, 0.09), (40_960, 0.085), (102_400, 0.07), (float("inf"), 0.05))  # GB, $ a GB
API_UNIT: Final = 1.00e-6  # one for every 512 KB of a request
API_UNIT_BYTES: Final = 512 * 1024
LARGEST_REQUEST: Final = 6_000_000
S3_GB_MONTH: Final = 0.023
SQS_REQUEST: Final = 0.40e-6
# a request's line, Lambda's three, and the gateway's, as CloudWatch counts them
LOG_BYTES: Final = 1_200
# an upload leaves at the first midnight after a whole day: one and a half days on the average
STORED_DAYS: Final = 1.5
BATCH_WIDTH: Final = 4000
# The worker of clips in serverless.yml, and how many of it run at once; a test compares them.
CLIP_WORKER_MB: Final = 3_538
CLIP_WORKERS: Final = 2


def sections(effort: Effort) -> list[str]:
    """Markdown of all three."""
    params: dict[str, Any] = yaml.safe_load(PARAMETERS.read_text())
    return [*_answers(params, effort), *_worst_month(params), *_million(params, effort)]


def transfer(gigabytes: float) -> float:
    """Dollars for so many GB out of AWS in a month."""
    total = 0.0
    for size, price in TRANSFER:
        part = min(gigabytes, size)
        total, gigabytes = total + part * price, gigabytes - part
    return total


def _answers(params: dict[str, Any], effort: Effort) -> list[str]:
    rows = []
    for people in PEOPLE:
        seconds = measure(people, 1, effort.rounds)["all"] / 1e3
        compute = seconds * params["memory"] / 1024 * GB_SECOND["arm64"] + LAMBDA_REQUEST + API_UNIT
        sizes = answer_sizes(people, params["answerMaxBytes"])
        rows.append([people, f"{1e3 * compute:.4f}", *(f"{1e3 * size / 1e9 * 0.09:.4f}" for size in sizes.values())])
    head = ["people", "computing", *(f"{name} out" for name in answer_sizes(1, params["answerMaxBytes"]))]
    return [
        "### What leaves AWS, $ per 1,000 answers",
        f"{WIDTH}-px photos, pictures of at most {params['answerMaxBytes']:,} bytes (`answerMaxBytes`), $0.09 a GB. "
        "The website asks for JSON and draws the skeletons itself.",
        table(head, rows),
    ]


@cache
def answer_sizes(people: int, limit: int) -> dict[str, int]:
    """Bytes of one answer, by format."""
    from hpe.web.api import handle
    from hpe.web.messages import Request
    from hpe.web.source import EstimatorSource

    data, boxes = crowd(WIDTH, people)
    settings = Settings(max_response_bytes=limit, threads=1)
    source = EstimatorSource(settings)
    asked = {"box": ";".join(",".join(f"{value:.0f}" for value in box) for box in boxes)} if people else {}
    sizes = {}
    for format in ("json", "webp", "jpeg", "png"):
        request = Request("POST", "/pose", {"format": format, **asked}, {"content-type": "image/jpeg"}, data)
        answer = handle(request, source, settings)
        if answer.status != 200:
            raise SystemExit(f"POST /pose?format={format}: {answer.body[:300]!r}")
        sizes[format] = len(answer.body)
    return sizes


def worst_month(params: dict[str, Any]) -> dict[str, float]:
    """Line of the bill -> dollars, if one caller uses everything that the defaults allow for 30 days.

    The throttle applies to each of the ten routes, with /v1 and without.
    """
    rate, uploads = params["throttleRate"], params["uploadRate"]
    pose, other, posted = 2 * rate * MONTH_S, 6 * rate * MONTH_S, 2 * uploads * MONTH_S
    calls = pose + other + posted
    description = (Path(__file__).resolve().parents[1] / "hpe" / "web" / "openapi.json").stat().st_size
    out_gb = (pose * params["answerMaxBytes"] + 2 * rate * MONTH_S * description) / 1e9
    functions = params["concurrency"] * params["memory"] + params["workerConcurrency"] * params["workerMemory"]
    functions += CLIP_WORKERS * CLIP_WORKER_MB
    largest = max(params["photoMaxBytes"], Settings().max_clip_bytes)
    return {
        f"transfer out, {out_gb / 1e3:.1f} TB of answers": transfer(out_gb),
        "Lambda, all that may run at once, all month": functions / 1024 * MONTH_S * GB_SECOND["arm64"],
        "Lambda and HTTP API, calls": calls * LAMBDA_REQUEST
        + (pose * -(-LARGEST_REQUEST // API_UNIT_BYTES) + other + posted) * API_UNIT,
        "S3, uploads kept until they expire": posted / 30 * STORED_DAYS * largest / 1e9 * S3_GB_MONTH
        + posted * 3 * S3_PUT_OR_LIST,
        "SQS": posted * 4 * SQS_REQUEST,
        "CloudWatch, logs": calls * LOG_BYTES / 1e9 * LOG_GB,
    }


def _worst_month(params: dict[str, Any]) -> list[str]:
    lines = worst_month(params)
    rows = [[name, f"{value:,.0f}"] for name, value in lines.items()]
    given = ("throttleRate", "uploadRate", "concurrency", "workerConcurrency", "answerMaxBytes")
    return [
        "### The worst month at the defaults, $",
        "One caller uses everything the throttle allows for 30 days, with `auth=none`: "
        f"{', '.join(f'`{name}={params[name]}`' for name in given)}. All uploads are clips as large as one may be, "
        f"{Settings().max_clip_bytes:,} bytes; {CLIP_WORKERS} workers of clips of {CLIP_WORKER_MB:,} MB are busy.",
        table(["line", "$"], [*rows, ["**together**", f"**{sum(lines.values()):,.0f}**"]]),
        "Not included, since nothing limits them: downloads straight from S3 (a result's link is good for "
        f"{params['linkSeconds']} s) and from CloudFront (the website), $0.09 and $0.085 a GB. The alarm "
        "`budgetUsd` is for that.",
    ]


def _million(params: dict[str, Any], effort: Effort) -> list[str]:
    job = Job(1_000_000, batch_ms(effort.rounds), concurrency=100, memory_mb=params["batchMemory"])
    lines = dollars(job)
    rows = [[name, f"{value:,.2f}"] for name, value in lines.items()]
    size = len(camera_photo()) / 1e6
    return [
        "### A million photos in a bucket (`hpe batch`), $",
        f"Photos of {size:.1f} MB ({BATCH_WIDTH} px, one person), {job.ms:.0f} ms each on one thread here, fetching "
        f"not counted (three photos are fetched ahead); {job.batches:,} batches of {job.batch_size}, {job.concurrency} "
        f"at once: **{job.hours:.1f} hours**.",
        table(["line", "$"], [*rows, ["**together**", f"**{sum(lines.values()):,.2f}**"]]),
    ]


@cache
def camera_photo() -> bytes:
    """A JPEG of 12 megapixels and about 3 MB, with one person."""
    import cv2
    import numpy as np

    pixels = cv2.imdecode(np.frombuffer(jpeg(BATCH_WIDTH), np.uint8), cv2.IMREAD_COLOR)
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 98])[1])


@cache
def batch_ms(rounds: int) -> float:
    """Milliseconds a photo in the function's own code, S3 played by memory; the median of some batches of three."""
    import statistics

    from hpe.batch.items import Batch, Item
    from hpe.batch.work import work
    from hpe.web.source import EstimatorSource

    settings = Settings(threads=1)
    source = EstimatorSource(settings)
    batch = Batch("bench", tuple(Item(f"{number}.jpg") for number in range(3)), "bench/out")
    took = [work(batch, _Memory(camera_photo()), source, settings)["ms"] / 3 for _ in range(rounds // 4 + 2)]
    return statistics.median(took[1:])


class _Memory:
    """A bucket where every key is the same photo, and what is written is forgotten."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self._data), "ContentLength": len(self._data), "ETag": '"e"'}

    def put_object(self, **_: Any) -> None:
        pass

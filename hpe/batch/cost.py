"""What a batch costs and how long it takes, from a time that was measured for a photo.

AWS's list prices in us-east-1 of November 2026, without the free tier: aws.amazon.com/lambda/pricing, /s3/pricing,
/step-functions/pricing, /cloudwatch/pricing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

GB_SECOND: Final[Mapping[str, float]] = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
LAMBDA_REQUEST: Final = 0.20e-6
S3_GET: Final = 0.40e-6
S3_PUT_OR_LIST: Final = 5.0e-6
TRANSITION: Final = 25.0e-6  # of the standard workflow: one for each child that is started
EXPRESS_REQUEST: Final = 1.0e-6
EXPRESS_GB_SECOND: Final = 0.00001667
EXPRESS_GB: Final = 64 / 1024
LOG_GB: Final = 0.50
# START, END, REPORT and our own line, as CloudWatch counts them
LOG_BYTES_PER_BATCH: Final = 900


@dataclass(frozen=True)
class Job:
    """What is to be done, and with what. ms: measured for one photo in the function, fetching included."""

    photos: int
    ms: float
    batch_size: int = 50
    concurrency: int = 100
    memory_mb: int = 1769
    architecture: str = "arm64"
    draw: bool = False

    @property
    def batches(self) -> int:
        """Calls of the function."""
        return -(-self.photos // self.batch_size)

    @property
    def busy_s(self) -> float:
        """Seconds of all functions together."""
        return self.photos * self.ms / 1000

    @property
    def hours(self) -> float:
        """From the first photo to the last, once `concurrency` functions run."""
        return self.busy_s / min(self.concurrency, max(1, self.batches)) / 3600


def dollars(job: Job) -> dict[str, float]:
    """Line of the bill -> dollars. Within one region S3 gives the photos to Lambda without a charge for transfer."""
    puts = 2 * job.batches + (job.photos if job.draw else 0)
    return {
        "Lambda, GB-seconds": job.busy_s * job.memory_mb / 1024 * GB_SECOND[job.architecture],
        "Lambda, calls": job.batches * LAMBDA_REQUEST,
        "S3, photos read": job.photos * S3_GET,
        "S3, results written": puts * S3_PUT_OR_LIST,
        "S3, lists": job.photos / 1000 * S3_PUT_OR_LIST,
        "Step Functions, transitions": job.batches * TRANSITION,
        "Step Functions, express": job.batches * EXPRESS_REQUEST + job.busy_s * EXPRESS_GB * EXPRESS_GB_SECOND,
        "CloudWatch, logs": job.batches * LOG_BYTES_PER_BATCH / 1e9 * LOG_GB,
        "transfer within the region": 0.0,
    }

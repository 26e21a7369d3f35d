"""What a batch leaves in S3: the lines of all its items in one object, and their index after it."""

from typing import IO, Any

from hpe.batch.lines import INDEX, PACKED, RESULTS, index_of, packed
from hpe.errors import PhotosUnavailable


def write_lines(s3: Any, output: str, name: str, bodies: list[dict[str, Any]]) -> str:
    """results/NAME.jsonl.gz, then done/NAME.csv below `output`: where the index is, all is there.

    Gives the key of the results.
    """
    results = key_below(output, f"{RESULTS}{name}{PACKED}")
    put(s3, output, results, packed(bodies), "application/gzip")
    put(s3, output, key_below(output, f"{INDEX}{name}.csv"), index_of(bodies), "text/csv")
    return results


def key_below(output: str, name: str) -> str:
    """bucket/prefix, a name below it -> its key."""
    prefix = output.partition("/")[2]
    return f"{prefix}/{name}" if prefix else name


def put(s3: Any, output: str, key: str, data: bytes | IO[bytes], media_type: str) -> None:
    """Write an object into the bucket of `output`. Raises PhotosUnavailable."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket = output.partition("/")[0]
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=data, ContentType=media_type)
    except (BotoCoreError, ClientError, OSError) as error:
        raise PhotosUnavailable(f"s3://{bucket}/{key} cannot be written: {error}") from error

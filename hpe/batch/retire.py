"""Lines that are no longer true leave the results: of photos that changed, were done twice, or were deleted."""

from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from hpe.batch.items import is_clip
from hpe.batch.lines import INDEX, PACKED, RESULTS, index_of, packed, row_of, unpacked
from hpe.batch.plan import READERS, Place, Seen, read
from hpe.errors import BadData

_AT_ONCE: Final = 1000  # as many as S3 deletes in one call


def retire(s3: Any, output: Place, lines: Iterable[tuple[str, Seen]], undrawn: Iterable[str]) -> int:
    """Rewrite the objects that hold these lines without them, and delete what was drawn of some keys, or their tracks.

    Gives how many lines left. Only those objects are read; an object whose lines all leave is deleted. Done again after
    a kill, it ends the same.
    """
    by_object: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for key, seen in lines:
        by_object[seen.name].add((key, seen.etag, seen.problem))
    with ThreadPoolExecutor(READERS) as pool:
        counts = list(pool.map(lambda one: _without(s3, output, *one), by_object.items()))
    _delete(s3, output, [f"tracks/{key}.jsonl" if is_clip(key) else f"drawn/{key}.jpg" for key in undrawn])
    return sum(counts)


def _without(s3: Any, output: Place, name: str, leaving: set[tuple[str, str, str]]) -> int:
    """The results first, then the index: whatever happens between, no line is there that the index does not know."""
    results, index = f"{RESULTS}{name}{PACKED}", f"{INDEX}{name}.csv"
    before = list(unpacked(read(s3, output, results)))
    after = [line for line in before if _identity(line) not in leaving]
    if not after:
        _delete(s3, output, [results, index])
    elif len(after) < len(before):
        put = {results: (packed(after), "application/gzip"), index: (index_of(after), "text/csv")}
        for key, (data, media_type) in put.items():
            s3.put_object(Bucket=output.bucket, Key=output.key(key), Body=data, ContentType=media_type)
    return len(before) - len(after)


def _identity(line: dict[str, Any]) -> tuple[str, str, str]:
    key, etag, _, problem, _ = row_of(line)
    return key, etag, problem


def _delete(s3: Any, output: Place, names: list[str]) -> None:
    for at in range(0, len(names), _AT_ONCE):
        objects = [{"Key": output.key(name)} for name in names[at : at + _AT_ONCE]]
        answer = s3.delete_objects(Bucket=output.bucket, Delete={"Objects": objects, "Quiet": True})
        if answer.get("Errors"):
            first = answer["Errors"][0]
            raise BadData(
                f"s3://{output.bucket}/{first['Key']} cannot be deleted ({first['Code']}): allow s3:DeleteObject below "
                f"{output}, then run the same command again"
            )

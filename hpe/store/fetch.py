"""The files of a model, from a folder or from S3: a manifest, and what it names, each verified by its sha256.

Knows names and checksums, not what a manifest says: `hpe.engine.bundle` reads that.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from hpe.errors import BadModel, ModelUnavailable
from hpe.store.cache import Download, has_sha256

if TYPE_CHECKING:
    from hpe.store.s3 import Bucket

# the gateway gives up after 29 s, and the photo still has to be processed
TIMEOUT_S: Final = 20.0
_MANIFEST_BYTES: Final = 1_000_000


class Files(Protocol):
    """A manifest and the files beside it. where: the manifest's address, for messages."""

    where: str

    def manifest(self) -> bytes:
        """Raises BadModel or ModelUnavailable."""

    def file(self, name: str, sha256: str) -> Path:
        """A local file with these contents. Raises ModelUnavailable naming the cause."""


@contextlib.contextmanager
def open_files(address: str, cache_dir: Path, timeout_s: float = TIMEOUT_S) -> Iterator[Files]:
    """A path or s3://bucket/key of a manifest (.json) -> its files; what comes from S3 is kept in `cache_dir`.

    All requests together end after about `timeout_s`. Raises BadModel for an address that cannot be one.
    """
    if not address.startswith("s3://"):
        yield _Folder(Path(address))
        return
    # a model on disk needs no network: ssl and http.client cost 60 ms
    from hpe.store.access import access_from_env
    from hpe.store.s3 import Bucket

    name, _, key = address.removeprefix("s3://").partition("/")
    if not name or not key:
        raise BadModel(f"{address} names no object of a bucket: write s3://bucket/key.json")
    with contextlib.closing(Bucket(name, access_from_env(os.environ), timeout_s)) as bucket:
        yield _Prefix(bucket, key, cache_dir)


class _Folder:
    def __init__(self, manifest: Path) -> None:
        self.where, self._manifest = str(manifest), manifest

    def manifest(self) -> bytes:
        try:
            return self._manifest.read_bytes()
        except OSError as error:
            raise BadModel(f"{self.where}: {error.strerror}: a model needs its manifest beside it") from error

    def file(self, name: str, sha256: str) -> Path:
        path = self._manifest.parent / name
        if not path.is_file():
            raise ModelUnavailable(f"{path}: no such model file, but {self._manifest.name} names it: fetch both again")
        if not has_sha256(path, sha256):
            raise ModelUnavailable(
                f"{path}: wrong checksum: its sha256 is not the {sha256[:12]}... that {self._manifest.name} states: "
                "fetch both again"
            )
        return path


class _Prefix:
    def __init__(self, bucket: "Bucket", key: str, cache_dir: Path) -> None:
        self.where = f"s3://{bucket.name}/{key}"
        self._bucket, self._key, self._cache_dir = bucket, key, cache_dir

    def manifest(self) -> bytes:
        text = _Text()
        self._bucket.get(self._key, text)
        return bytes(text.data)

    def file(self, name: str, sha256: str) -> Path:
        path = self._cache_dir / f"{sha256}.onnx"
        if path.is_file() and has_sha256(path, sha256):
            return path
        key = self._key[: self._key.rfind("/") + 1] + name  # keys are no paths: "a//b" is not "a/b"
        with Download(self._cache_dir) as download:
            self._bucket.get(key, download)
            if download.sha256 != sha256:
                raise ModelUnavailable(
                    f"s3://{self._bucket.name}/{key}: wrong checksum: its sha256 is {download.sha256[:12]}..., its "
                    f"manifest states {sha256[:12]}...: upload both again"
                )
            download.keep_as(path)
        return path


class _Text:
    """A small object in memory (an `hpe.store.s3.Sink`)."""

    def __init__(self) -> None:
        self.data = bytearray()

    def restart(self) -> None:
        self.data.clear()

    def write(self, chunk: bytes) -> None:
        if len(self.data) + len(chunk) > _MANIFEST_BYTES:
            raise BadModel(f"the model's manifest is larger than {_MANIFEST_BYTES} bytes: is it a manifest at all?")
        self.data += chunk

"""The folder of fetched models is full, read-only or limited, for real where this machine allows it."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.broken_s3 import BrokenS3
from faults.conftest import refused

from hpe.web.messages import Response

Post = Callable[[], Response]


@pytest.fixture
def disk(cache: Path) -> Iterator[Path]:
    """The cache folder as a file system of its own, of 1 MB."""
    cache.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(cache)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("needs root and a kernel that lets it mount a tmpfs")
    yield cache
    subprocess.run(["umount", str(cache)], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def test_full_disk(bucket: BrokenS3, post: Post, disk: Path) -> None:
    assert "free some space there" in refused(post())
    assert not list(disk.iterdir()), "what did not fit was left behind"
    remount(disk, "size=64m")
    assert post().status == 200


def test_read_only_disk(bucket: BrokenS3, post: Post, disk: Path) -> None:
    remount(disk, "ro,size=64m")
    assert "make it writable" in refused(post())
    remount(disk, "rw,size=64m")
    assert post().status == 200


def test_disk_that_fills_up_later_harms_nobody(bucket: BrokenS3, post: Post, disk: Path) -> None:
    remount(disk, "size=64m")
    assert post().status == 200
    with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
        all(filler.write(bytes(1 << 20)) for _ in range(100))
    assert post().status == 200


def test_limit_on_the_size_of_files(bucket: BrokenS3, post: Post) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        detail = refused(post())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "free some space there" in detail
    assert post().status == 200


def test_folder_that_may_not_be_written(bucket: BrokenS3, post: Post, cache: Path) -> None:
    cache.write_text("a file where the folder should be: not even root can write into it")
    assert "cannot be stored" in refused(post())
    cache.unlink()
    assert post().status == 200

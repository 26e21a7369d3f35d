"""The arm64 package on an emulated arm64 processor: `make rehearse-arm64`.

Lays a Debian arm64 root (its Python 3.13 and C library, nothing is installed on this machine), runs the package in
it under qemu-user as the processor of Lambda's arm64 hosts, and compares its joints on five photos with those of
this machine's own wheels: the median within half a pixel of the photo, every sure joint within half a pixel of the
network's frame, every other within one. Writes build/rehearsal/arm64.json.
"""

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from deploy.build_package import ROOT, PackageError, build
from deploy.rehearsal.cloud import bare_environment
from deploy.rehearsal.package import unpack
from deploy.rehearsal.photos import make_photos
from deploy.rehearsal.tools import WORK, RehearsalError, expect, run
from hpe.engine.manifest import read_manifest
from hpe.pose.crops import crop_affine, scale_of

VERSION: Final = "3.13"
SUITE: Final = "trixie"  # Debian 13, whose Python is 3.13
PACKAGES: Final = f"python{VERSION}-minimal,libpython{VERSION}-stdlib,libstdc++6,zlib1g,libssl3t64,libffi8,libexpat1"
# Graviton2's core. What newer hosts have more (i8mm, SVE) is then tried with qemu's own best.
PROCESSORS: Final = ("neoverse-n1", "max")
# int8 kernels of two processors round the last bit differently: the network's answers differ by one step of its
# output, which moves a sure peak hardly at all and a faint one by up to a pixel of the network's frame.
LIMIT_PX: Final = 0.5
SURE: Final = 0.4
# onnxruntime asks /proc/cpuinfo what it runs on, and crashes on this machine's own answer. qemu's -L looks in the
# root first. This is what a Graviton2 says.
_FEATURES: Final = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
CPUINFO: Final = "".join(
    f"processor\t: {core}\nBogoMIPS\t: 243.75\n"
    f"Features\t: {_FEATURES}\n"
    "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n"
    for core in range(2)
)


def debian_root() -> Path:
    """An arm64 root with Python, laid out by debootstrap's first stage: packages unpacked, nothing of them run."""
    folder = WORK / "arm64-root"
    python = folder / "usr" / "bin" / f"python{VERSION}"
    cpuinfo = folder / "proc" / "cpuinfo"
    if cpuinfo.is_file():
        return folder
    for tool, package in (("qemu-aarch64-static", "qemu-user-static"), ("debootstrap", "debootstrap")):
        expect(shutil.which(tool) is not None, f"{tool} is missing: apt-get install {package}")
    expect(os.geteuid() == 0, "debootstrap must be run by root: sudo make rehearse-arm64")
    shutil.rmtree(folder, ignore_errors=True)
    run(["debootstrap", "--foreign", "--arch=arm64", "--variant=minbase", f"--include={PACKAGES}", SUITE, folder])
    for archive in sorted((folder / "var" / "cache" / "apt" / "archives").glob("*.deb")):
        run(["dpkg-deb", "--extract", archive, folder])
    expect(python.exists(), f"{python} was not unpacked")
    cpuinfo.write_text(CPUINFO)
    return folder


def answers(command: list[str | Path], package: Path, photos: list[Path]) -> tuple[list[dict[str, Any]], float]:
    """What reference.py prints for the photos, run by `command`, and how long it took."""
    script = ROOT / "deploy" / "rehearsal" / "reference.py"
    began = time.monotonic()
    full = [*command, "-I", script, package, ROOT / "models" / "pose.json", 4_650_000, *photos]
    result = subprocess.run(
        [str(part) for part in full], env=bare_environment(), capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RehearsalError(f"{command[0]} ended with {result.returncode}: {result.stderr[-3000:]}")
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith('{"people"')]
    expect(len(lines) == len(photos), f"{len(lines)} answers to {len(photos)} photos: {result.stderr[-2000:]}")
    return lines, time.monotonic() - began


def shifts(ours: dict[str, Any], theirs: dict[str, Any], frame: tuple[int, int]) -> list[tuple[float, float, float]]:
    """(px of the photo, px of the network's frame, the lower score) of each joint that both are sure of."""
    expect(
        len(ours["people"]) == len(theirs["people"]), f"{len(ours['people'])} people, {len(theirs['people'])} on x86"
    )
    found = []
    for one, other in zip(ours["people"], theirs["people"], strict=True):
        x0, y0, x1, y1 = other["box"]
        photo_px_per_frame_px = 1 / scale_of(crop_affine(np.array([x0, y0, x1, y1]), frame))
        for a, b in zip(one["keypoints"], other["keypoints"], strict=True):
            if a["confident"] and b["confident"]:
                shift = math.hypot(a["x"] - b["x"], a["y"] - b["y"])
                found.append((shift, shift / photo_px_per_frame_px, min(a["score"], b["score"])))
    return found


def rehearse() -> list[dict[str, Any]]:
    """One entry a processor: how far the joints are apart. Raises RehearsalError over the limit."""
    root = debian_root()
    total, compiled = build("arm64", VERSION, ROOT / "build" / "package-arm64.zip")
    package = unpack("arm64")
    print(f"arm64 package: {total} bytes unzipped, bytecode {'in' if compiled else 'not in'}", flush=True)
    photos = make_photos(WORK / "photos")
    native, native_s = answers([sys.executable], ROOT, photos)
    people = sum(len(one["people"]) for one in native)
    frame = read_manifest(ROOT / "models" / "pose.json").frame
    expect(people > 0, "nobody was found on any photo, so there is nothing to compare")
    report = []
    for processor in PROCESSORS:
        command = ["qemu-aarch64-static", "-cpu", processor, "-L", root, root / "usr" / "bin" / f"python{VERSION}"]
        emulated, seconds = answers(command, package, photos)
        found = [each for one, other in zip(emulated, native, strict=True) for each in shifts(one, other, frame)]
        entry = {
            "processor": processor,
            "photos": len(photos),
            "people": people,
            "joints": len(found),
            "median_photo_px": round(statistics.median(photo for photo, _, _ in found), 3),
            "largest_photo_px": round(max(photo for photo, _, _ in found), 3),
            "largest_frame_px": round(max(frame for _, frame, _ in found), 3),
            "largest_frame_px_of_sure": round(max(frame for _, frame, score in found if score >= SURE), 3),
            "seconds": round(seconds, 1),
            "native_seconds": round(native_s, 1),
        }
        report.append(entry)
        print(json.dumps(entry), flush=True)
        expect(
            entry["median_photo_px"] <= LIMIT_PX, f"{processor}: half of the joints are over {LIMIT_PX} px off: {entry}"
        )
        expect(entry["largest_frame_px_of_sure"] <= LIMIT_PX, f"{processor}: a sure joint is too far off: {entry}")
        expect(entry["largest_frame_px"] <= 2 * LIMIT_PX, f"{processor}: a joint is too far off: {entry}")
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "arm64.json").write_text(json.dumps(report, indent=1) + "\n")
    return report


def main() -> int:
    """Rehearse; 1 where something is not as it must be."""
    try:
        rehearse()
    except (RehearsalError, PackageError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

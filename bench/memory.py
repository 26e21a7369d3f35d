"""Resident memory: after the imports, with a session, after requests; and at the most with one photo of each kind."""

import io
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.photos import jpeg
from bench.processes import report_of
from bench.report import QUICK, Effort, table
from hpe.image.kinds import KINDS, MAX_PIXELS_OF_CMYK_SCANS
from hpe.settings import Settings

CHILD = """
import sys, json, logging
from bench.processes import peak_mb, rss_mb
marks = {"interpreter": rss_mb()}
import numpy, cv2, onnxruntime
from hpe.web.api import handle
from hpe.web.messages import Request
from hpe.settings import Settings
logging.getLogger("hpe").setLevel(logging.ERROR)
marks["imports"] = rss_mb()
from hpe.engine.estimator import PoseEstimator
found = PoseEstimator()
marks["with the session"] = rss_mb()
for path in sys.argv[1:]:
    body = open(path, "rb").read()
    for _ in range(3):
        sent = Request("POST", "/pose", {"format": "png"}, {"content-type": "image/jpeg"}, body)
        assert handle(sent, lambda: found, Settings()).status == 200
    marks["after photos of " + path.split("-")[-1].split(".")[0] + " px"] = rss_mb()
marks["peak"] = peak_mb()
print(json.dumps(marks))
"""


LARGEST = """
import sys, json, logging
from bench.processes import peak_mb
from hpe.engine.estimator import PoseEstimator
from hpe.web.api import handle
from hpe.web.messages import Request
from hpe.settings import Settings
logging.getLogger("hpe").setLevel(logging.ERROR)
found = PoseEstimator()
body = open(sys.argv[1], "rb").read()
sent = Request("POST", "/pose", {"format": "png"}, {"content-type": "image/jpeg"}, body)
answer = handle(sent, lambda: found, Settings())
assert answer.status == 200, answer.body
decode = answer.headers["Server-Timing"].partition("decode;dur=")[2].split(",")[0]
print(json.dumps({"peak": peak_mb() * 1e6 / 2**20, "decode": float(decode)}))
"""


def _scene(side: int) -> Image.Image:
    """RGB, side x side px: soft colours, which pack quickly and small. Memory goes by px, whatever they show."""
    ramp = np.arange(side, dtype=np.uint32) * 255 // side
    rgb = np.empty((side, side, 3), np.uint8)
    rgb[..., 0], rgb[..., 1], rgb[..., 2] = ramp, ramp[:, None], 128
    return Image.fromarray(rgb)


def _file(side: int, format: str, mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    picture = _scene(side)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    elif mode == "P":
        picture = picture.quantize(64, method=Image.Quantize.FASTOCTREE)
    elif mode == "RGBA":
        picture.putalpha(picture.getchannel(0))
    else:
        picture = picture.convert(mode)
    picture.save(out, format, **options)
    return out.getvalue()


def _heic(side: int, mode: str = "RGB") -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return _file(side, "HEIF", mode, quality=20)


_ONE_STRIP = {"compression": "tiff_adobe_deflate", "strip_size": 2**30}
# what it is: (the px that it may have at most, how it is made)
LARGE: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "JPEG": (10**9, lambda side: _file(side, "JPEG")),
    "JPEG, progressive, 4:4:4": (10**9, lambda side: _file(side, "JPEG", progressive=True, subsampling=0)),
    "JPEG, CMYK": (10**9, lambda side: _file(side, "JPEG", "CMYK")),
    "JPEG, CMYK, progressive": (
        MAX_PIXELS_OF_CMYK_SCANS,
        lambda side: _file(side, "JPEG", "CMYK", progressive=True),
    ),
    "PNG": (10**9, lambda side: _file(side, "PNG", compress_level=1)),
    "PNG, a transparent colour": (
        10**9,
        lambda side: _file(side, "PNG", compress_level=1, transparency=(1, 2, 3)),
    ),
    "PNG, alpha": (10**9, lambda side: _file(side, "PNG", "RGBA", compress_level=1)),
    "PNG, palette with alpha": (
        10**9,
        lambda side: _file(side, "PNG", "P", compress_level=1, transparency=bytes(range(64))),
    ),
    "PNG, grey of 16 bits": (10**9, lambda side: _file(side, "PNG", "I;16", compress_level=1)),
    "WebP": (KINDS["webp"].max_pixels, lambda side: _file(side, "WEBP", method=0)),
    "WebP, alpha": (KINDS["webp"].max_pixels, lambda side: _file(side, "WEBP", "RGBA", method=0)),
    "AVIF": (KINDS["avif"].max_pixels, lambda side: _file(side, "AVIF", speed=10)),
    "AVIF, alpha, 4:4:4": (
        KINDS["avif"].max_pixels,
        lambda side: _file(side, "AVIF", "RGBA", speed=10, subsampling="4:4:4"),
    ),
    "HEIC": (KINDS["heic"].max_pixels, _heic),
    "HEIC, alpha": (KINDS["heic"].max_pixels, lambda side: _heic(side, "RGBA")),
    "GIF": (10**9, lambda side: _file(side, "GIF", "P")),
    "TIFF, one strip": (10**9, lambda side: _file(side, "TIFF", **_ONE_STRIP)),
    "TIFF, CMYK": (10**9, lambda side: _file(side, "TIFF", "CMYK", compression="tiff_adobe_deflate")),
    "BMP of 48 MB": (16_000_000, lambda side: _file(side, "BMP")),
}


def _largest(effort: Effort) -> list[list[object]]:
    """The largest photo of each kind that POST /pose takes -> rows of the table."""
    rows: list[list[object]] = []
    for name, (pixels, make) in LARGE.items():
        side = math.isqrt(min(pixels, Settings.max_pixels)) // (8 if effort is QUICK else 1)
        with tempfile.NamedTemporaryFile() as file:
            size = file.write(make(side))
            file.flush()
            found = report_of(LARGEST, file.name)
        rows.append([name, f"{side}x{side}", f"{size / 1e6:.1f}", round(found["peak"]), round(found["decode"])])
        print("|", *rows[-1], "|", flush=True)
    return rows


def run(effort: Effort) -> str:
    """The section of results.md."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"photo-{width}.jpg") for width in (640, 1280, 4000)]
        for path, width in zip(paths, (640, 1280, 4000), strict=True):
            path.write_bytes(jpeg(width))
        found = report_of(CHILD, *map(str, paths))
    text = "One process, the default model, three requests a size, a drawn PNG back."
    largest = "The largest photo of each kind, a process each: the most it ever had. The budget is 700 MiB."
    head = ["kind", "px", "file, MB", "peak, MiB", "decode, ms"]
    return "\n\n".join([
        "## Memory", text, table(["", "resident MB"], [[name, round(mb)] for name, mb in found.items()]),
        largest, table(head, _largest(effort)),
    ])  # fmt: skip

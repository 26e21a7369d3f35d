"""Coverage-guided fuzzing of uploads with atheris (libFuzzer), in a process of its own."""

import importlib.util
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Final

from fuzz.upload import damaged, read_upload, uploads

FOLDER: Final = Path(__file__).parents[1] / "build" / "fuzz"
_HANG_S: Final = 5
_MEMORY_MB: Final = 2048


def have_atheris() -> bool:
    """Is it installed?"""
    return importlib.util.find_spec("atheris") is not None


def run(seconds: int, seed: int, folder: Path) -> int:
    """Fuzz for so long -> the exit status: 0 where nothing was found."""
    corpus, found = folder / "uploads-corpus", folder / "uploads-"
    corpus.mkdir(parents=True, exist_ok=True)
    for name, data in uploads().items():
        (corpus / name).write_bytes(data)
    # what it learns goes to the corpus; -timeout is the longest that one input may take
    options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-timeout={_HANG_S}", f"-rss_limit_mb={_MEMORY_MB}"]
    options += ["-max_len=100000", "-print_final_stats=1", f"-artifact_prefix={found}", str(corpus)]
    print(f"uploads: {seconds} s", flush=True)
    return subprocess.run([sys.executable, "-m", "fuzz.guided", *options], check=False).returncode


def main() -> None:
    """The process itself: `python -m fuzz.guided [libFuzzer's options]`; a file's name runs that alone."""
    import atheris

    # what is imported from here on is instrumented
    with atheris.instrument_imports(include=["hpe.web.multipart", "hpe.image", "requests_toolbelt", "PIL", "email"]):
        import PIL.AvifImagePlugin
        import PIL.BmpImagePlugin
        import PIL.GifImagePlugin
        import PIL.JpegImagePlugin
        import PIL.PngImagePlugin
        import PIL.TiffImagePlugin
        import PIL.WebPImagePlugin  # noqa: F401
        import requests_toolbelt.multipart.decoder  # noqa: F401

        import hpe.image.decode
        import hpe.web.multipart  # noqa: F401

    def mutator(data: bytes, longest: int, seed: int) -> bytes:
        rng = random.Random(seed)
        changed = damaged(data, rng) if rng.random() < 0.7 else atheris.Mutate(data, len(data))
        return bytes(changed)[:longest]

    atheris.Setup(sys.argv, read_upload, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(FOLDER.parents[1]))
    main()

"""Packages that only some commands need: which extra of hpe-pose brings each (pyproject.toml)."""

from collections.abc import Mapping
from typing import Final

EXTRAS: Final[Mapping[str, str]] = {
    "boto3": "s3",
    "botocore": "s3",
    "pyarrow": "parquet",
    **dict.fromkeys(("torch", "onnx", "yaml", "matplotlib", "scipy", "pycocotools"), "train"),
}


def remedy(error: ImportError, who: str) -> str:
    """An import that failed -> the line that says what to install; '' if no extra brings it. who: what needs it."""
    missing = (error.name or "").partition(".")[0]
    if missing not in EXTRAS:
        return ""
    return f'{who} needs {missing}, which is not installed: pip install "hpe-pose[{EXTRAS[missing]}]"'

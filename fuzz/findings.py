"""Where findings go: one file each, the bytes that were sent."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "build" / "fuzz"


def keep(folder: Path, name: str, data: bytes) -> Path:
    """Write a finding -> its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.bin"
    path.write_bytes(data)
    return path

"""Where the files that come with the package lie: models/ and static-site/."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def bundled(folder: str) -> Path:
    """'models' -> its folder: inside the installed package, else beside it (a checkout, a Lambda zip)."""
    inside = _PACKAGE / folder.replace("-", "_")
    return inside if inside.is_dir() else _PACKAGE.parent / folder

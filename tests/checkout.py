"""Which files are the repository's, whatever else lies in the checkout."""

import subprocess
from pathlib import Path


def tracked(folder: Path) -> list[Path]:
    """The files of the repository in a folder of it; without git, as in an archive, all there are."""
    run = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, text=True, check=False)
    names = run.stdout.split("\0")[:-1] if run.returncode == 0 else []
    return [folder / name for name in names] or [path for path in folder.rglob("*") if path.is_file()]

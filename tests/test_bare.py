"""`hpe` where only the runtime's own packages are installed (requirements-cli.txt): nothing but one line fails.

A finder refuses every other distribution, as after `pip install .`.
"""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from hpe import cli

ROOT = Path(__file__).resolve().parents[1]
S3 = 'pip install "hpe-pose[s3]"'
TRAIN = 'pip install "hpe-pose[train]"'
BARE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

ABSENT = set(sys.argv.pop(1).split(","))
sys.meta_path.insert(0, Absent())
from hpe.cli import main
"""
ONE = "main(prog_name='hpe')"
# each in turn, in one process: nothing is absent that another one had loaded
MANY = """
import json
from click.testing import CliRunner
found = {}
for words in json.load(sys.stdin):
    done = CliRunner().invoke(main, words, prog_name="hpe")
    traceback = not isinstance(done.exception, SystemExit | None)
    found[" ".join(words)] = [done.exit_code, done.stdout, "Traceback" * traceback + done.stderr]
json.dump(found, sys.stdout)
"""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def runtime_distributions() -> set[str]:
    """What requirements-cli.txt installs, with all that it requires."""
    lines = [line for name in ("requirements.txt", "requirements-cli.txt") for line in (ROOT / name).open()]
    wanted = [found[0] for line in lines if (found := re.match(r"[\w.-]+(?===)", line))]
    known: set[str] = set()
    while wanted:
        name = plain(wanted.pop())
        if name in known:
            continue
        known.add(name)
        try:
            required = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        wanted += [re.match(r"[\w.-]+", one)[0] for one in required if "extra ==" not in one]  # type: ignore[index]
    return known


@pytest.fixture(scope="module")
def absent() -> str:
    """Top-level modules of all other distributions that are installed here."""
    present = runtime_distributions() | {"hpe-pose"}
    owners = metadata.packages_distributions()
    found = {top for top, names in owners.items() if not {plain(name) for name in names} & present}
    assert {"boto3", "botocore", "torch", "pyarrow"} <= found
    return ",".join(sorted(found))


def said(absent: str, commands: list[list[str]]) -> dict[str, tuple[int, str, str]]:
    """Each command -> its exit status, what it prints and its errors."""
    done = python(BARE + MANY, absent, stdin=json.dumps(commands))
    assert done.returncode == 0, done.stderr
    found: dict[str, tuple[int, str, str]] = json.loads(done.stdout)
    assert len(found) == len(commands)
    return found


def hpe(absent: str, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return python(BARE + ONE, absent, *words, **environ)


def python(code: str, absent: str, *words: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HPE_"))}
    environment |= {"PYTHONPATH": str(ROOT), **environ}
    command = [sys.executable, "-c", code, absent, *words]
    return subprocess.run(
        command, env=environment, input=stdin, capture_output=True, text=True, check=False, timeout=120
    )


def test_every_verb_explains_itself(absent: str) -> None:
    verbs = ["", *cli.COMMANDS, "keys add", "keys list", "keys rotate", "keys revoke"]
    for verb, (status, out, errors) in said(absent, [[*verb.split(), "--help"] for verb in verbs]).items():
        assert (status, errors) == (0, ""), verb
        assert out.startswith("Usage: hpe"), verb


def test_option_that_is_none_is_one_line_of_every_verb(absent: str) -> None:
    for verb, (status, _, errors) in said(absent, [[verb, "--no-such-option"] for verb in cli.COMMANDS]).items():
        assert status == 2, verb
        assert "Traceback" not in errors, verb
        assert [line for line in errors.splitlines() if line.startswith("Error: No such option")], verb


FIRST_ERRORS = {
    "predict": (("predict", "nosuch.jpg"), "nosuch.jpg"),
    "predict to Parquet": (("predict", "nosuch.jpg", "-o", "x.parquet"), 'pip install "hpe-pose[parquet]"'),
    "serve": (("serve", "--port", "0", "--host", "not an address"), "is not an address"),
    "submit": (("submit", "nosuch.jpg", "--api", "http://127.0.0.1:9"), "nosuch.jpg"),
    "batch": (("batch", "s3://photos/a", "s3://poses/b", "--dry-run"), S3),
    "batch of nothing": (("batch", "photos/a", "s3://poses/b"), "s3://bucket/prefix"),
    "keys add": (("keys", "add", "anna"), S3),
    "keys list": (("keys", "list"), S3),
    "keys rotate": (("keys", "rotate", "anna"), S3),
    "keys revoke": (("keys", "revoke", "anna"), S3),
    "train": (("train", "--config", "configs/pose.yaml"), TRAIN),
    "relabel": (("relabel", "--config", "configs/pose.yaml", "--model", "models/pose.json"), TRAIN),
    "video": (("video", "nosuch.mp4"), "nosuch.mp4"),
    "eval": (("eval", "--model", "nosuch.json"), ""),
    "export": (("export", "--pose", "nosuch.pt"), ""),
}


@pytest.mark.parametrize("name", FIRST_ERRORS)
def test_first_error_is_one_line_that_says_what_to_do(absent: str, name: str, tmp_path: Path) -> None:
    words, told = FIRST_ERRORS[name]
    done = hpe(absent, *words)
    assert done.returncode in (1, 2), done.stdout
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith(("Error: ", "hpe: nosuch."))]
    assert len(errors) == 1, done.stderr
    assert told in done.stderr


@pytest.mark.parametrize("variable", ["HPE_PHOTO_BUCKET", "HPE_KEYS_TABLE"])
def test_serving_with_what_needs_aws_is_refused_at_once(absent: str, variable: str) -> None:
    done = hpe(absent, "serve", "--port", "0", **{variable: "hpe-dev"})
    assert (done.returncode, S3 in done.stderr, "Traceback" in done.stderr) == (1, True, False)

"""The README and docs/ say what is so: their commands, options, links, Python and settings exist."""

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click
import pytest

from hpe import cli
from hpe.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SHELL = {"sh", "bash", "console", "shell"}
_FENCE = re.compile(r"^(?P<indent> *)```(?P<lang>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```", re.M | re.S)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(languages: set[str]) -> Iterator[tuple[str, str]]:
    """(where, text) of the fenced blocks in these languages."""
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in _FENCE.finditer(text):
            if match["lang"] in languages:
                yield f"{named(page)}:{text[: match.start()].count(chr(10)) + 1}", match["text"]


def commands() -> Iterator[tuple[str, list[str]]]:
    """(where, words) of every command in a shell block, one a pipe's part."""
    for where, text in blocks(SHELL):
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line.strip().removeprefix("$ "), comments=True)
            part: list[str] = []
            for word in [*words, "|"]:
                if word in ("|", "&&", ";", "&"):
                    if part:
                        yield where, part
                    part = []
                elif part or "=" not in word.split("/")[0]:  # VARIABLE=value before a command is not the command
                    part.append(word)


def cases(program: str) -> list:
    return [
        pytest.param(words, id=f"{where} {' '.join(words)}"[:90]) for where, words in commands() if words[0] == program
    ]


def test_there_is_something_to_check() -> None:
    assert (ROOT / "README.md") in PAGES
    assert cases("hpe")
    assert cases("make")


@pytest.mark.parametrize("words", cases("hpe"))
def test_hpe_command_in_the_docs_is_understood(words: list[str]) -> None:
    group = cli.main
    words = [word for word in words[1:] if not word.startswith(("<", ">", "2>"))]
    if words and words[0] in ("--help", "--version", "-h", "-V"):
        return
    command = group.get_command(click.Context(group), words[0])
    assert command is not None, f"there is no hpe {words[0]}"
    if isinstance(command, click.Group) and len(words) > 1:
        words = words[1:]
        command = command.get_command(click.Context(command), words[0])
        assert command is not None, f"there is no {words[0]} in this group"
    options = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.split("=")[0] for word in words[1:] if re.match(r"--?[a-zA-Z]", word)}
    assert used <= options | {"--help", "-h"}


@pytest.mark.parametrize("words", cases("make"))
def test_make_target_in_the_docs_exists(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for word in words[1:]:
        name = word.split("=")[0]
        pattern = rf"\$\({name}\)" if "=" in word else rf"^{re.escape(name)}:"
        assert re.search(pattern, makefile, re.M), f"make knows no {word}"


def touched() -> Iterator[tuple[str, str]]:
    """(where, name) of every file or folder that a command reads or writes, in a block or in a sentence."""
    in_sentences = (
        (named(page), shlex.split(command))
        for page in PAGES
        for command in re.findall(r"`((?:hpe|find|ffmpeg) [^`]+)`", _FENCE.sub("", page.read_text("utf-8")))
    )
    for where, words in chain(commands(), in_sentences):
        if words[0] not in ("hpe", "curl", "find", "ffmpeg", "label-studio-converter") or words[1] == "eval":
            continue  # hpe eval writes nothing, and reads data that lie elsewhere
        for word in words[1:]:
            name = word.split("=")[-1].removeprefix("@").removeprefix("../photos/").removeprefix("../")
            if re.fullmatch(r"[\w-][\w./-]*(/[\w./-]*|\.[a-z]\w+)", name) and not word.startswith("-"):
                yield where, name


def test_what_the_docs_commands_read_and_write_is_ignored_by_git() -> None:
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("needs a git checkout")
    beside = {("README.md", "static-site/samples/people.pose.png"), ("README.md", ".joints.csv.hpe")}
    found = sorted({(where, name) for where, name in touched() if not (ROOT / name).exists()} | beside)
    assert {"photo.jpg", "drawn.webp", "mine.yaml", "new/", "val2017/"} <= {name for _, name in found}
    check = ["git", "check-ignore", "-q", "--no-index"]
    assert not [
        (where, name) for where, name in found if subprocess.run([*check, name], cwd=ROOT, check=False).returncode
    ]


def test_a_clone_without_history_is_as_large_as_the_pages_say() -> None:
    command = ["git", "rev-list", "--objects", "--no-walk", "--disk-usage", "HEAD"]
    git = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if git.returncode:
        pytest.skip("needs a git checkout, and git 2.31")
    for page in (ROOT / "README.md", ROOT / "docs" / "deploy.md"):
        (said,) = re.findall(r"--depth 1 .*# (\d+) MB", page.read_text("utf-8"))
        assert int(said) == pytest.approx(int(git.stdout) / 1e6, rel=0.1), page


def test_python_in_the_docs_compiles_and_its_imports_are_there() -> None:
    ours: set[str] = set()
    for where, text in blocks({"python", "py"}):
        if ">>>" in text:
            text = "\n".join(line[4:] for line in text.splitlines() if line.startswith((">>> ", "... ")))
        nodes = ast.walk(ast.parse(text, where))
        imports = [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        ours |= {line for line in imports if line.startswith(("from hpe", "import hpe"))}
    assert len(ours) > 3
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(sorted(ours))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_json_in_the_docs_is_json() -> None:
    for where, text in blocks({"json"}):
        try:  # "..." stands for what was left out: after a value, or as the last item of a list
            json.loads(re.sub(r",?\s*(\.\.\.|…)", "", text))
        except ValueError as error:
            pytest.fail(f"{where}: {error}")


def test_links_lead_somewhere() -> None:
    dead = [f"{named(page)}: {target}" for page in PAGES for target in dead_links(page)]
    assert not dead


def dead_links(page: Path) -> Iterator[str]:
    text = _FENCE.sub("", page.read_text("utf-8"))
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
    for target in targets:
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = page.parent / path if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            yield target


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ +(.+)$", _FENCE.sub("", page.read_text("utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_settings_in_the_docs_exist() -> None:
    known = {f"HPE_{name.upper()}" for name in Settings.__dataclass_fields__}
    known |= {"HPE_API", "HPE_CONFIG", "HPE_PACKAGE_ZIP", "HPE_PARAMETERS"}
    for page in PAGES:
        assert set(re.findall(r"\bHPE_[A-Z_]+\b", page.read_text("utf-8"))) <= known, page


def test_files_in_the_docs_exist() -> None:
    # capitals stand for something: models/pose-SHA256.onnx
    pattern = r"`((?:hpe|tests|docs|bench|deploy|configs|static-site|models)/[a-z0-9_./-]+)`"
    files = [(page, file) for page in PAGES for file in re.findall(pattern, page.read_text("utf-8"))]
    assert not [f"{named(page)}: {file}" for page, file in files if not (ROOT / file).exists()]


def test_every_folder_of_the_code_is_explained_to_those_who_contribute() -> None:
    said = set(re.findall(r"\bhpe/(\w+)", (ROOT / "CONTRIBUTING.md").read_text("utf-8")))
    assert said == {path.parent.name for path in (ROOT / "hpe").glob("*/__init__.py")}


def test_help_in_the_docs_is_the_help() -> None:
    from click.testing import CliRunner

    for where, text in blocks({"", "text"}):
        if shown := re.match(r"Usage: hpe (\w+ )?", text):
            words = [shown[1].strip()] if shown[1] else []
            real = CliRunner().invoke(cli.main, [*words, "--help"], prog_name="hpe").output
            assert text.strip() == real.strip(), where

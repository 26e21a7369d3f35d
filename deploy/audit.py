"""`make audit`: known vulnerabilities of what is installed and shipped, where an advisory service can be reached.

It says plainly what was audited and what was not: "nothing was found" and "nobody could be asked" are not the same.
Either way it writes what there is as CycloneDX lists (build/sbom-python.json, build/sbom-npm.json), each Python wheel
of the Lambda package with its sha256, to be audited elsewhere. Fails where a vulnerability is known.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from deploy.build_package import MANYLINUX, ROOT, WHEEL_TAGS, requirements_for
from deploy.rehearsal.tools import virtual_environment

OUT: Final = ROOT / "build"
LAMBDA_PYTHON: Final = "3.13"
ARCHITECTURE: Final = "arm64"
PINNED: Final = OUT / f"requirements-{ARCHITECTURE}-hashed.txt"


def main() -> int:
    """All of it; the exit status."""
    OUT.mkdir(exist_ok=True)
    bin_folder = virtual_environment(".venv-audit", ROOT / "deploy" / "requirements-audit.txt", sys.executable)
    write_python_list(bin_folder, OUT / "sbom-python.json")
    write_npm_list(OUT / "sbom-npm.json")
    # what is shipped or served; tools of development are pinned, and see no visitor's data
    found = [*python_findings(bin_folder, (PINNED, ROOT / "requirements-cli.txt")), *npm_findings()]
    for line in found:
        print(f"VULNERABLE: {line}")
    return 1 if found else 0


def python_findings(bin_folder: Path, files: Sequence[Path]) -> list[str]:
    """Known vulnerabilities of the pinned Python packages; prints what could not be looked up."""
    options = ("--format=json", "--no-deps", "--disable-pip", "--timeout=15")
    packages: list[dict[str, Any]] = []
    for file in files:  # one at a time: with hashes in one of them, pip-audit wants them in all
        result = _run([str(bin_folder / "pip-audit"), *options, "-r", str(file)])
        try:
            packages += json.loads(result.stdout)["dependencies"]
        except (ValueError, KeyError):
            print(f"NOT AUDITED: {file.name}: no advisory service answers ({_last_line(result.stderr)})")
    known, unknown, found = sort_findings(packages)
    if known:
        print(f"audited: Python: {known} packages, {len(found)} known vulnerabilities")
    if unknown:
        print(f"NOT AUDITED: Python: the advisory service does not know {', '.join(unknown)}")
    return found


def sort_findings(packages: list[dict[str, Any]]) -> tuple[int, list[str], list[str]]:
    """pip-audit's answer -> (how many were looked up, names of those that were not, the vulnerabilities)."""
    unknown = sorted({package["name"] for package in packages if "skip_reason" in package})
    looked_up = [package for package in packages if "skip_reason" not in package]
    found = [
        f"{package['name']} {package['version']}: {one['id']}, mended in: {', '.join(one['fix_versions']) or 'nothing'}"
        for package in looked_up
        for one in package["vulns"]
    ]
    return len({package["name"] for package in looked_up}), unknown, sorted(set(found))


def npm_findings() -> list[str]:
    """Known vulnerabilities of package-lock.json; prints where nobody could be asked."""
    if shutil.which("npm") is None:
        print("NOT AUDITED: npm is not installed")
        return []
    result = _run(["npm", "audit", "--json", "--audit-level=none", "--fetch-timeout=15000"])
    try:
        answer = json.loads(result.stdout)
        found = [f"npm {name}: {one['severity']}" for name, one in answer["vulnerabilities"].items()]
    except (ValueError, KeyError):
        print(f"NOT AUDITED: npm: no advisory service answers ({_last_line(result.stderr)})")
        return []
    print(f"audited: npm: {answer['metadata']['dependencies']['total']} packages, {len(found)} known vulnerabilities")
    return found


def write_python_list(bin_folder: Path, target: Path) -> None:
    """The wheels of the Lambda package, dependencies of dependencies included, each with its sha256."""
    PINNED.write_text("".join(f"{line}\n" for line in hashed_pins(resolved())))
    program = str(bin_folder / "cyclonedx-py")
    command = [program, "requirements", str(PINNED), "--output-reproducible", "-o", str(target)]
    _checked(command)
    count = len(json.loads(target.read_text())["components"])
    print(f"listed: {target.relative_to(ROOT)}: {count} Python packages of the {ARCHITECTURE} package, with sha256")


def resolved() -> dict[str, Any]:
    """pip's report of what it would install for Lambda; nothing is installed."""
    wanted = OUT / f"requirements-{ARCHITECTURE}.txt"
    wanted.write_text(requirements_for(ARCHITECTURE, ROOT))
    platforms = [f"--platform={name}_{WHEEL_TAGS[ARCHITECTURE]}" for name in MANYLINUX]
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run", "--report=-",
        "--ignore-installed", "--only-binary=:all:", "--implementation=cp", f"--python-version={LAMBDA_PYTHON}",
        f"--target={OUT / 'nowhere'}", *platforms, "-r", str(wanted),
    ]  # fmt: skip
    report: dict[str, Any] = json.loads(_checked(command))
    return report


def hashed_pins(report: dict[str, Any]) -> list[str]:
    """pip's report -> lines of a requirements file, each with the hash of its wheel."""
    lines = []
    for one in report["install"]:
        name, version = one["metadata"]["name"], one["metadata"]["version"]
        sha256 = one["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{name}=={version} --hash=sha256:{sha256}")
    return sorted(lines, key=str.lower)


def write_npm_list(target: Path) -> None:
    """What package-lock.json pins, by npm itself."""
    if shutil.which("npm") is None:
        return
    text = _checked(["npm", "sbom", "--sbom-format=cyclonedx", "--package-lock-only"])
    target.write_text(text)
    print(f"listed: {target.relative_to(ROOT)}: {len(json.loads(text)['components'])} npm packages")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def _checked(command: Sequence[str]) -> str:
    result = _run(command)
    if result.returncode:
        raise SystemExit(f"{command[0]} ended with {result.returncode}:\n{result.stderr[-2000:]}")
    return result.stdout


def _last_line(text: str) -> str:
    lines = [re.sub(r"\s+", " ", line) for line in text.splitlines() if line.strip() and "complete log" not in line]
    return lines[-1][:200] if lines else "it said nothing"


if __name__ == "__main__":
    sys.exit(main())

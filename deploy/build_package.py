"""requirements.txt + sources -> the Lambda package (a zip), checked against Lambda's size limit.

    python deploy/build_package.py --architecture arm64 --python 3.13 --output build/package-arm64.zip

Wheels of the target platform are installed (nothing is compiled, Docker is not needed), what is never
imported at run time is left out, bytecode is compiled in, and the zip is the same bytes for the same input,
so that a deploy of unchanged sources changes nothing.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

# The package and its layers, unzipped. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_UNZIPPED_BYTES: Final = 262_144_000

ROOT: Final = Path(__file__).resolve().parent.parent
WHEEL_TAGS: Final = {"arm64": "aarch64", "x86_64": "x86_64"}
# Amazon Linux 2023, which python3.13 runs on, has glibc 2.34: manylinux_2_28 wheels and older fit.
MANYLINUX: Final = ("manylinux_2_28", "manylinux_2_27", "manylinux2014")

SOURCES: Final = ("handler.py", "worker.py", "hpe")
NOT_SHIPPED: Final = (
    "hpe/train", "hpe/measure", "hpe/score", "hpe/label", "hpe/prune", "hpe/export", "hpe/server", "hpe/commands",
    "hpe/cli.py",
)  # fmt: skip

# Never imported by handler or worker; tests/deploy runs the package without them.
PRUNED: Final = (
    "*.dist-info", "bin", "google", "flatbuffers", "packaging",
    # The C API twice: the Python binding has its own copy linked in.
    "onnxruntime/capi/libonnxruntime.so*", "onnxruntime/capi/libonnxruntime_providers_shared.so",
    "onnxruntime/transformers", "onnxruntime/tools", "onnxruntime/quantization",
    "onnxruntime/backend", "onnxruntime/datasets", "onnxruntime/ThirdPartyNotices.txt",
    "cv2/data/*.xml", "cv2/LICENSE-3RD-PARTY.txt",
    "numpy/f2py", "numpy/_core/include", "numpy/_core/lib", "numpy/random/lib", "numpy/_pyinstaller",
    "numpy/_core/_simd*.so", "numpy/_core/*_tests*.so",
    "**/tests", "**/*.pyi", "**/*.pxd", "**/*.pyx", "**/*.h", "**/*.a", "**/__pycache__",
)  # fmt: skip


class PackageError(Exception):
    """The package cannot be built. The message is for the person who deploys: what is wrong and what to do."""


def requirements_for(architecture: str, root: Path) -> str:
    """requirements.txt, with what deploy/override-ARCHITECTURE.txt says instead: other pins, or -NAME for none."""

    def pins(path: Path) -> dict[str, str]:
        lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()] if path.is_file() else []
        return {line.split("==")[0].lower(): line for line in lines if line}

    merged = pins(root / "requirements.txt") | pins(root / "deploy" / f"override-{architecture}.txt")
    kept = [line for name, line in merged.items() if not name.startswith("-") and f"-{name}" not in merged]
    return "\n".join(kept) + "\n"


def install_wheels(requirements: Path, target: Path, architecture: str, python: str) -> None:
    """Install the pinned wheels of the target platform into `target`, then drop what is never imported."""
    tag = WHEEL_TAGS[architecture]
    platforms = [f"--platform={name}_{tag}" for name in MANYLINUX]
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check",
        "--target", str(target), "--requirement", str(requirements), "--implementation=cp",
        f"--python-version={python}", "--only-binary=:all:", *platforms,
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = result.stderr.strip().splitlines()[-1:] or ["no message"]
        raise PackageError(f"pip found no wheels for {architecture} and Python {python}: {reason[0]}")
    prune(target)


def prune(target: Path) -> None:
    """Delete in `target` what PRUNED names."""
    for pattern in PRUNED:
        for path in list(target.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def copy_sources(root: Path, target: Path) -> None:
    """Copy the runtime's own modules, without training, export and command line."""
    left_out = {root / name for name in NOT_SHIPPED}

    def ignored(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if name == "__pycache__" or Path(folder) / name in left_out]

    for name in SOURCES:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignored)
        elif source.is_file():
            shutil.copy2(source, target / name)
        else:
            raise PackageError(f"{name} is missing: deploy from a complete checkout")


def find_python(version: str) -> str | None:
    """A Python of just this version on this machine, or None. pyenv's shims are asked, not trusted."""
    candidates = [sys.executable, f"python{version}"]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += [str(path / "bin" / "python") for path in sorted(pyenv.glob(f"{version}*"))]
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in candidates:
        try:
            answer = subprocess.run([candidate, "-c", question], capture_output=True, text=True, check=False)
        except OSError:
            continue
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return candidate
    return None


def compile_bytecode(target: Path, python: str, names: Sequence[str] = (".",)) -> bool:
    """Compile `names` in `target`, since Lambda cannot write .pyc files: imports take about half as long.

    False where this machine has no Python of the target's version: the package then works, but starts slower.
    """
    interpreter = find_python(python)
    if interpreter is None:
        return False
    command = [
        interpreter, "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash",
        "-s", str(target), "-p", "/var/task", *(str(target / name) for name in names),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
    return True


def sizes(target: Path) -> dict[str, int]:
    """Bytes of each top-level entry of the package, largest first."""
    entries = {
        entry.name: entry.stat().st_size
        if entry.is_file()
        else sum(path.stat().st_size for path in entry.rglob("*") if path.is_file())
        for entry in target.iterdir()
    }
    return dict(sorted(entries.items(), key=lambda item: -item[1]))


def check_size(by_entry: dict[str, int], limit: int = LAMBDA_UNZIPPED_BYTES) -> int:
    """Total bytes; raises PackageError with the largest entries where Lambda would refuse the package."""
    total = sum(by_entry.values())
    if total > limit:
        largest = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in list(by_entry.items())[:8])
        raise PackageError(
            f"The package is {total} bytes unzipped; Lambda's limit is {limit}. Largest: {largest}. "
            "Leave something out: PRUNED in deploy/build_package.py names what already is."
        )
    return total


def write_zip(target: Path, output: Path, recipe: str) -> None:
    """Zip `target` with fixed order, dates and modes: the same files give the same bytes. Skipped where it is done."""
    if output.is_file() and zip_comment(output) == recipe:
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(path for path in target.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(path.relative_to(target).as_posix(), date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, path.read_bytes())
        archive.comment = recipe.encode()
    partial.replace(output)


def zip_comment(path: Path) -> str:
    """The comment at the end of a zip; empty where it is broken."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment.decode()
    except zipfile.BadZipFile:
        return ""


def content_hash(target: Path, wheels: Path) -> str:
    """The wheels' folder name, which has their own hash, and every source file."""
    digest = hashlib.sha256(wheels.name.encode())
    for path in sorted(path for name in SOURCES for path in [target / name, *(target / name).rglob("*")]):
        if path.is_file():
            digest.update(path.relative_to(target).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def installed(requirements: str, architecture: str, python: str, cache: Path) -> Path:
    """The folder of installed, pruned and compiled wheels; built once for each set of pins and target."""
    recipe = f"{architecture} {python} {PRUNED} {find_python(python)} {requirements}"
    name = f"wheels-{architecture}-{python}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    folder = cache / name
    if folder.is_dir():
        return folder
    pins = cache / f"{name}.txt"
    pins.write_text(requirements)
    partial = cache / f"{name}.{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    install_wheels(pins, partial, architecture, python)
    compile_bytecode(partial, python)
    partial.rename(folder)
    return folder


def build(architecture: str, python: str, output: Path, root: Path = ROOT) -> tuple[int, bool]:
    """Build the package zip. Gives its unzipped bytes and whether bytecode is in. Raises PackageError."""
    cache = root / "build"
    cache.mkdir(exist_ok=True)
    target = cache / f"package-{architecture}-{python}"
    shutil.rmtree(target, ignore_errors=True)
    wheels = installed(requirements_for(architecture, root), architecture, python, cache)
    shutil.copytree(wheels, target, copy_function=os.link)
    copy_sources(root, target)
    compiled = compile_bytecode(target, python, SOURCES)
    total = check_size(sizes(target))
    write_zip(target, output, content_hash(target, wheels))
    return total, compiled


def main(arguments: list[str] | None = None) -> int:
    """Command line: build, say the size in one line, or say in one line why not."""
    parser = argparse.ArgumentParser(description="Build the Lambda package.")
    parser.add_argument("--architecture", choices=sorted(WHEEL_TAGS), default="arm64")
    parser.add_argument("--python", default="3.13", help="the Lambda runtime's Python version")
    parser.add_argument("--output", type=Path, help="default build/package-ARCHITECTURE.zip")
    options = parser.parse_args(arguments)
    output = options.output or ROOT / "build" / f"package-{options.architecture}.zip"
    try:
        total, compiled = build(options.architecture, options.python, output)
    except PackageError as error:
        print(error, file=sys.stderr)
        return 1
    room = LAMBDA_UNZIPPED_BYTES - total
    note = "" if compiled else f"; no Python {options.python} here, so no bytecode: cold starts are slower"
    zipped = output.stat().st_size
    print(f"{output.name}: {total} bytes unzipped, {room} below Lambda's limit, {zipped} zipped{note}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The package builder: what it leaves out, what it refuses, and that the same input gives the same bytes."""

import ast
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import build_package
from deploy.build_package import LAMBDA_UNZIPPED_BYTES, PackageError

ROOT = Path(__file__).resolve().parents[2]


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}")
    return folder


def test_what_is_never_imported_is_left_out(tmp_path: Path) -> None:
    kept = ("onnxruntime/capi/onnxruntime_pybind11_state.so", "numpy/linalg/x.py", "cv2/cv2.abi3.so", "PIL/Image.py")
    dropped = (
        "onnxruntime/capi/libonnxruntime.so.1.32.0",
        "onnxruntime/transformers/x.py",
        "numpy-2.4.6.dist-info/RECORD",
        "numpy/_core/tests/x.py",
        "numpy/__init__.pyi",
        "google/protobuf/x.py",
        "bin/f2py",
        "PIL/__pycache__/Image.cpython-311.pyc",
    )
    build_package.prune(tree(tmp_path, *kept, *dropped))
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(kept)


def test_sources_go_in_without_training_export_and_commands(tmp_path: Path) -> None:
    build_package.copy_sources(ROOT, tmp_path)
    assert (tmp_path / "handler.py").is_file()
    assert (tmp_path / "worker.py").is_file()
    for name in (*build_package.NOT_SHIPPED, "tests", "models"):
        assert not (tmp_path / name).exists(), name


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that this code imports, but for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        else:
            yield from imported(node)


def test_nothing_that_is_shipped_imports_what_is_not(tmp_path: Path) -> None:
    build_package.copy_sources(ROOT, tmp_path)
    left_out = tuple(name.removesuffix(".py").replace("/", ".") for name in build_package.NOT_SHIPPED)
    for path in tmp_path.rglob("*.py"):
        names = list(imported(ast.parse(path.read_text())))
        assert not [name for name in names if any(f"{name}.".startswith(f"{one}.") for one in left_out)], path


def test_incomplete_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"handler\.py is missing"):
        build_package.copy_sources(tmp_path, tmp_path / "out")


def test_package_at_the_limit_passes_and_one_byte_more_names_the_largest() -> None:
    assert build_package.check_size({"a": LAMBDA_UNZIPPED_BYTES - 1, "b": 1}) == LAMBDA_UNZIPPED_BYTES
    with pytest.raises(PackageError, match=r"limit is 262144000\. Largest: cv2 262\.1 MB") as caught:
        build_package.check_size({"cv2": LAMBDA_UNZIPPED_BYTES, "b": 1})
    assert "PRUNED in deploy/build_package.py" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_same_files_give_the_same_zip(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "b.py", "a/c.py")
    zips = [tmp_path / name for name in ("one.zip", "two.zip")]
    build_package.write_zip(folder, zips[0], "recipe")
    for path in folder.rglob("*.py"):
        path.touch()
    build_package.write_zip(folder, zips[1], "recipe")
    assert zips[0].read_bytes() == zips[1].read_bytes()
    with zipfile.ZipFile(zips[0]) as archive:
        assert archive.namelist() == ["a/c.py", "b.py"]
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}


def test_changed_source_gives_another_zip(tmp_path: Path) -> None:
    folder, output = tree(tmp_path / "in", "handler.py", "hpe/x.py"), tmp_path / "out.zip"
    build_package.write_zip(folder, output, build_package.content_hash(folder, Path("wheels")))
    before = output.read_bytes()
    (folder / "hpe" / "x.py").write_text("changed")
    build_package.write_zip(folder, output, build_package.content_hash(folder, Path("wheels")))
    assert output.read_bytes() != before


def test_broken_zip_is_written_anew(tmp_path: Path) -> None:
    folder, output = tree(tmp_path / "in", "handler.py"), tmp_path / "out.zip"
    output.write_bytes(b"not a zip")
    build_package.write_zip(folder, output, "recipe")
    assert build_package.zip_comment(output) == "recipe"


def test_x86_64_has_its_own_pins(tmp_path: Path) -> None:
    tree(tmp_path, "x")
    (tmp_path / "requirements.txt").write_text("# why\nNumPy==2.0\nbig==9.0  # why\nodd==1\n")
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "override-x86_64.txt").write_text("# why\nbig==8.0\n-odd\n")
    assert build_package.requirements_for("x86_64", tmp_path) == "NumPy==2.0\nbig==8.0\n"
    assert build_package.requirements_for("arm64", tmp_path) == "NumPy==2.0\nbig==9.0\nodd==1\n"


def test_bytecode_is_compiled_for_the_folder_that_lambda_has(tmp_path: Path) -> None:
    import marshal

    version = "{}.{}".format(*sys.version_info)
    (tmp_path / "handler.py").write_text("def handler():\n    pass\n")
    assert build_package.compile_bytecode(tmp_path, version)
    (compiled,) = (tmp_path / "__pycache__").glob("*.pyc")
    code = marshal.loads(compiled.read_bytes()[16:])
    assert code.co_filename == "/var/task/handler.py"
    assert compiled.read_bytes()[4] == 1, "unchecked: Lambda's files have other dates"


def test_python_that_is_not_here_leaves_the_package_without_bytecode(tmp_path: Path) -> None:
    assert build_package.find_python("2.99") is None
    assert not build_package.compile_bytecode(tmp_path, "2.99")


def test_missing_wheels_are_one_line_of_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (tmp_path / "requirements.txt").write_text("no-such-package-of-ours==1.0\n")
    with pytest.raises(PackageError, match=r"pip found no wheels for arm64 and Python 3\.13") as caught:
        build_package.build("arm64", "3.13", tmp_path / "out.zip", tmp_path)
    assert "\n" not in str(caught.value)


def test_deployer_policy_fits_into_a_managed_policy_and_names_no_account() -> None:
    policy = json.loads((ROOT / "deploy" / "deployer-policy.json").read_text())
    compact = json.dumps(policy, separators=(",", ":"))
    assert len(compact) <= 6144
    for statement in policy["Statement"]:
        assert (
            "*" not in [statement["Action"]] if isinstance(statement["Action"], str) else "*" not in statement["Action"]
        )

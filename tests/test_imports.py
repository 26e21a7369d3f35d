"""Who may import whom, read from the source: imports go one way, and the runtime stays light."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# part -> the parts that it may import, besides itself
SMALL = {"errors", "extras", "settings", "places", "cores", "stderr"}
ENGINE = {"engine", "store", "image", "pose", *SMALL}
MAY_IMPORT = {
    "errors": set(),
    "extras": set(),
    "settings": {"errors", "cores"},
    "places": set(),
    "stderr": set(),
    "cores": set(),
    "image": {"errors"},
    "pose": {"errors"},
    "store": SMALL,
    "engine": ENGINE,
    "photo": ENGINE,
    "video": {"photo", *ENGINE},
    "web": {"video", "photo", *ENGINE},
    "handler": {"web", "photo", *ENGINE},
    "batch": {"video", "web", "photo", *ENGINE},
    "clip_queue": {"batch", "video", "web", "photo", *ENGINE},
    "queue": {"web", "photo", *ENGINE},
    "worker": {"batch", "clip_queue", "queue", "video", "web", "photo", *ENGINE},
    "server": {"web", "photo", *ENGINE},
    "score": {"pose"},
    "train": {"image", "pose", "score", *SMALL},
    "measure": {"train", "score", "video", *ENGINE},
    "label": {"train", "measure", "score", *ENGINE},
    "prune": {"train", "errors"},
    "export": {"train", "measure", "score", *ENGINE},
    "commands": {
        *("batch", "server", "video", "web", "photo", "train", "measure", "label", "prune", "export", "score"),
        *ENGINE,
    },
    "cli": {"commands", "errors", "extras"},
}
RUNTIME = {"batch", "clip_queue", "queue", "video", "web", "photo", "handler", "worker", *ENGINE}
TRAINING_ONLY = {"torch", "torchvision", "onnx", "scipy", "matplotlib", "yaml", "pycocotools", "motmetrics"}
# imported inside the function that needs them: each costs a cold start 30 ms to 0.5 s
LAZY = {"onnxruntime", "boto3", "botocore", "requests_toolbelt", "pillow_heif", "PIL", "click", "tqdm"}


def sources() -> dict[str, Path]:
    """Module name -> its file, for Lambda's two entries and everything in hpe/."""
    found = {name: ROOT / f"{name}.py" for name in ("handler", "worker")}
    for path in sorted((ROOT / "hpe").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


SOURCES = sources()


def part_of(module: str) -> str:
    """hpe.pose.draw -> pose; handler -> handler; hpe -> hpe."""
    parts = module.split(".")
    return parts[1] if parts[0] == "hpe" and len(parts) > 1 else parts[0]


@cache
def imports(module: str, top_level_only: bool = False, types: bool = False) -> list[tuple[str, int]]:
    """(imported module, line). types: those as well that only type checkers see."""
    return list(_imports(module, top_level_only, types))


def _imports(module: str, top_level_only: bool, types: bool) -> Iterator[tuple[str, int]]:
    waiting: list[ast.AST] = [ast.parse(SOURCES[module].read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if not types and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: relative import"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        if not (top_level_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            waiting += ast.iter_child_nodes(node)


def test_every_part_has_its_place_in_the_order() -> None:
    assert {part_of(module) for module in SOURCES} <= {*MAY_IMPORT, "hpe"}


def test_imports_go_one_way() -> None:
    wrong = [
        f"{module}, line {line}: {name}, but {part} may import {sorted(MAY_IMPORT[part])} only"
        for module in SOURCES
        if (part := part_of(module)) != "hpe"
        for name, line in imports(module, types=True)
        if name.split(".")[0] in ("hpe", "handler", "worker")
        and part_of(name) not in {*MAY_IMPORT[part], part, "__version__"}
    ]
    assert not wrong


def test_no_module_imports_itself_by_a_detour() -> None:  # not for its types either
    needs = {m: {target for name, _ in imports(m, types=True) if (target := source_of(name))} for m in SOURCES}
    while free := [module for module, targets in needs.items() if not targets & needs.keys()]:
        for module in free:
            del needs[module]
    assert not needs, f"a circle is among {sorted(needs)}"


def source_of(name: str) -> str | None:
    """hpe.pose.draw.draw_pose -> hpe.pose.draw; None for what is not of this project. A package's own file is not
    counted: `from hpe import PoseEstimator` is the public face, which imports nothing until it is asked.
    """
    return next((n for n in (name, name.rpartition(".")[0]) if n in SOURCES and n != "hpe"), None)


def test_runtime_never_imports_what_training_needs() -> None:
    runtime = [module for module in SOURCES if part_of(module) in RUNTIME]
    found = [f"{m}: {name}" for m in runtime for name, _ in imports(m) if name.split(".")[0] in TRAINING_ONLY]
    assert not found


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    light = [m for m in SOURCES if part_of(m) in ("engine", "store", "photo", "web", "queue", "handler", "worker")]
    found = [f"{m}: {name}" for m in light for name, _ in imports(m, top_level_only=True) if name.split(".")[0] in LAZY]
    assert not found


def test_every_package_and_dependency_is_installed_with_pip() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {str(path.parent.relative_to(ROOT)).replace("/", ".") for path in (ROOT / "hpe").rglob("__init__.py")}
    assert packages <= set(project["tool"]["setuptools"]["packages"])
    named = {re.split(r"[\[<>=]", line)[0].lower() for line in project["project"]["dependencies"]}
    pinned = "".join((ROOT / name).read_text() for name in ("requirements.txt", "requirements-cli.txt"))
    assert named == {name.lower() for name in re.findall(r"^([\w-]+)==", pinned, re.M)}


def loaded_by(code: str) -> set[str]:
    """The packages in sys.modules of a fresh Python after `code`."""
    script = f"import sys\n{code}\nprint(*sys.modules, sep='\\n', file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return {line.split(".")[0] for line in run.stderr.splitlines()}


def test_import_hpe_loads_no_package_at_all() -> None:
    assert not loaded_by("import hpe") & {"numpy", "cv2", "onnxruntime", "PIL", "click", "torch"}


def test_help_loads_neither_numpy_nor_torch() -> None:
    code = "from hpe.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert not loaded_by(code) & {"numpy", "cv2", "onnxruntime", "PIL", "torch", "onnx", "boto3"}


def test_predicting_loads_neither_torch_nor_onnx_nor_boto3() -> None:
    code = "import numpy as np\nfrom hpe import PoseEstimator, draw_pose\n"
    code += "image = np.zeros((64, 64, 3), np.uint8)\ndraw_pose(image, PoseEstimator()(image))"
    loaded = loaded_by(code)
    assert "onnxruntime" in loaded
    assert not loaded & {"torch", "onnx", "boto3", "botocore", "scipy", "matplotlib", "click"}


def test_settings_and_fetching_need_no_numpy() -> None:
    code = "from hpe.settings import Settings\nfrom hpe.engine.bundle import open_bundle, prefetch"
    assert not loaded_by(code) & {"numpy", "cv2", "ssl", "http", "boto3"}

"""The site's files by themselves: Python's skeleton, lint, unit tests, weight, nothing from elsewhere."""

import gzip
import json
import os
import posixpath
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from checkout import tracked

from hpe.pose import angles, skeleton

NODE = shutil.which("node")


@pytest.fixture(scope="module")
def site(root: Path) -> Path:
    """static-site/."""
    return root / "static-site"


def node(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run node in the checkout."""
    if not NODE:
        pytest.skip("needs Node 20 or newer: apt-get install nodejs npm")
    return subprocess.run([NODE, *arguments], cwd=root, capture_output=True, text=True, timeout=120)


def exported(root: Path, module: str, name: str) -> Any:
    """A constant of one of the site's modules."""
    script = f"import {{ {name} }} from './static-site/{module}'; console.log(JSON.stringify({name}))"
    ran = node(root, "--input-type=module", "--eval", script)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_joints_and_colours_are_those_of_the_package(root: Path) -> None:
    names = [name for _, part in exported(root, "skeleton.js", "PARTS") for name in part]
    assert sorted(names) == sorted(skeleton.KEYPOINTS)
    assert exported(root, "skeleton.js", "KEYPOINTS") == list(skeleton.KEYPOINTS)
    assert exported(root, "skeleton.js", "LIMBS") == [list(limb) for limb in skeleton.LIMBS_BY_NAME]
    assert {k: tuple(v) for k, v in exported(root, "skeleton.js", "COLOURS").items()} == skeleton.COLOURS_RGB


def test_angles_are_those_of_the_package(root: Path) -> None:
    of_page = exported(root, "angles.js", "ANGLES")
    assert [(name, tuple(ends)) for name, ends in of_page.items()] == list(angles.ANGLES.items())


def test_colours_in_the_stylesheet_are_the_skeletons(site: Path) -> None:
    css = (site / "style.css").read_text()
    hexes = {side: "#{:02x}{:02x}{:02x}".format(*rgb) for side, rgb in skeleton.COLOURS_RGB.items()}
    assert f"--accent: {hexes['left']};" in css
    assert f".right {{ --c: {hexes['right']}; }}" in css
    assert f".middle {{ --c: {hexes['middle']}; }}" in css


def test_nodes_own_tests_pass(root: Path) -> None:
    ran = node(root, "--test", *(str(file) for file in sorted((root / "tests" / "site").glob("*.test.js"))))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_javascript_is_linted(root: Path) -> None:
    eslint = root / "node_modules" / "eslint" / "bin" / "eslint.js"
    if not eslint.is_file():
        pytest.skip("needs eslint: npm ci")
    ran = node(root, str(eslint), "static-site", "tests/site")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_whole_site_is_light_as_it_is_sent(site: Path) -> None:
    """Compressed, as the CDN sends it; a browser test holds the first load uncompressed."""
    sizes = {file.name: len(gzip.compress(file.read_bytes(), mtime=0)) for file in code(site)}
    assert sum(sizes.values()) < 118_000, sizes


def code(site: Path) -> list[Path]:
    """The site's code and text, without pictures."""
    return [file for file in tracked(site) if file.suffix in (".js", ".html", ".css", ".svg", ".webmanifest")]


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for file in code(site):
        for address in re.findall(r"""(?:src|href|import|url)[\s=(]*["'](https?:)?//""", file.read_text()):
            raise AssertionError(f"{file.name} loads from {address}")


def test_pages_hold_no_inline_code_or_style(site: Path) -> None:
    for page in site.glob("*.html"):
        text = page.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), page.name
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), page.name
        assert "Content-Security-Policy" in text, page.name


def test_every_module_of_the_first_view_is_asked_for_at_once(site: Path) -> None:
    """Else the browser learns of them file by file, a round trip each."""
    for page, script in (("index.html", "app.js"), ("live.html", "live.js"), ("video.html", "video.js")):
        listed = re.findall(r'<link rel="modulepreload" href="([\w/]+\.js)">', (site / page).read_text())
        assert sorted(imports(site, script)) == sorted(listed), page


def imports(site: Path, script: str) -> set[str]:
    """The modules that a script needs at once, with those that they need."""
    needed: set[str] = set()
    left = [script]
    while left:
        module = left.pop()
        names = re.findall(r'^import [^;]*?from "(\.[\w./]+\.js)";', (site / module).read_text(), re.MULTILINE)
        found = {posixpath.normpath(posixpath.join(posixpath.dirname(module), name)) for name in names}
        left += found - needed
        needed |= found
    return needed


def test_built_site_names_its_preview_as_other_sites_need_it(root: Path, tmp_path: Path) -> None:
    if not NODE or not (root / "node_modules" / "esbuild").is_dir():
        pytest.skip("needs Node and esbuild: npm ci")
    env = {**os.environ, "SITE_URL": "https://poses.example/tool"}
    subprocess.run([NODE, "deploy/build_site.js", str(tmp_path)], cwd=root, env=env, check=True, timeout=120)
    named = re.findall(r'<meta property="og:image" content="([^"]+)">', (tmp_path / "index.html").read_text())
    assert named == ["https://poses.example/tool/preview.jpg"]
    assert (tmp_path / "preview.jpg").is_file()


def test_shipped_config_names_no_api(site: Path) -> None:
    assert (site / "config.js").read_text().rstrip().endswith("window.HPE_CONFIG = {};")


def test_every_id_the_scripts_use_is_on_a_page(site: Path) -> None:
    there = set(re.findall(r'\bid="([^"]+)"', "".join(page.read_text() for page in site.glob("*.html"))))
    used = {name for file in site.glob("*.js") for name in re.findall(r'\$\("([a-z-]+)"\)', file.read_text())}
    assert used
    assert used - there == set()


def test_lockfile_names_no_registry(root: Path) -> None:
    lock = json.loads((root / "package-lock.json").read_text())
    assert [
        name for name, package in lock["packages"].items() if "resolved" in package and not package.get("link")
    ] == []

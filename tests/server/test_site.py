"""hpe.server.site: the website's files, and nothing else."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from checkout import tracked

from hpe.errors import NotFound
from hpe.server.site import CONTENT_TYPES, SECURITY_HEADERS, content_security_policy, site_response
from hpe.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    (folder / "index.html").write_text("<title>home</title>")
    (folder / "sub" / "a.js").write_text("1")
    (folder / ".secret.html").write_text("hidden")
    (folder / "notes.md").write_text("not of the site")
    (tmp_path / "outside.html").write_text("outside")
    (folder / "link.html").symlink_to(tmp_path / "outside.html")
    return folder


def get(site: Path, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    response = site_response(site, path, {name.replace("_", "-"): value for name, value in headers.items()}, Settings())
    return response.status, response.body, dict(response.headers)


def test_files_come_with_their_types(site: Path) -> None:
    assert get(site, "/")[:2] == (200, b"<title>home</title>")
    assert get(site, "/index.html")[2]["Content-Type"] == "text/html; charset=utf-8"
    assert get(site, "/sub/a.js")[2]["Content-Type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/missing.html",
        "/sub",
        "/sub/",
        "/../outside.html",
        "/sub/../../outside.html",
        "/..%2foutside.html",
        "/..\\outside.html",
        "//etc/passwd",
        "/link.html",
        "/.secret.html",
        "/sub/./a.js",
        "/notes.md",
        "/a\0.html",
        "/" + "x" * 5000 + ".html",
        "/index.html/",
    ],
)
def test_what_is_not_of_the_site_is_not_found(site: Path, path: str) -> None:
    with pytest.raises(NotFound):
        get(site, path)


def test_a_browser_gets_a_page_about_what_is_not_there(site: Path) -> None:
    (site / "404.html").write_text("<h1>nothing</h1>")
    status, body, headers = get(site, "/gone.html", accept="text/html,application/xhtml+xml")
    assert (status, body) == (404, b"<h1>nothing</h1>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    with pytest.raises(NotFound):
        get(site, "/gone.js", accept="*/*")


def test_config_points_the_page_at_this_server(site: Path) -> None:
    (site / "config.js").write_text("window.HPE_CONFIG = {};")
    status, body, headers = get(site, "/config.js")
    assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    config = json.loads(re.fullmatch(rb"window\.HPE_CONFIG = (.*);\n", body).group(1))
    assert config == {"apiUrl": "", "uploads": False, "maxBytes": Settings().max_upload_bytes}


def test_an_unchanged_file_is_not_sent_again(site: Path) -> None:
    tag = get(site, "/")[2]["ETag"]
    assert get(site, "/", if_none_match=tag)[:2] == (304, b"")
    assert get(site, "/", if_none_match='"other"')[0] == 200


def test_security_headers_are_sent(site: Path) -> None:
    headers = get(site, "/")[2]
    assert headers.items() >= SECURITY_HEADERS.items()
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self';")
    assert "unsafe" not in policy.replace("'wasm-unsafe-eval'", "")
    assert "frame-ancestors 'none'" in policy


def test_the_policy_is_the_cdns_but_for_its_hosts() -> None:
    template = (ROOT / "deploy" / "resources" / "site-cloudfront.yml").read_text()
    deployed = re.search(r"ContentSecurityPolicy: !Sub >-\n((?: {14}.*\n)+)", template).group(1)

    def directives(policy: str) -> dict[str, set[str]]:
        found = [part.split() for part in policy.split(";") if part.strip()]
        return {name: {source for source in sources if "https://" not in source} for name, *sources in found}

    assert directives(deployed) == directives(content_security_policy(Settings()))


def test_every_file_of_the_site_has_a_type() -> None:
    for file in tracked(ROOT / "static-site"):
        assert file.suffix in CONTENT_TYPES, file


def test_private_mode_gets_the_runtime_and_the_model_of_the_api(site: Path) -> None:
    if not (ROOT / "node_modules" / "onnxruntime-web").is_dir():
        pytest.skip("needs onnxruntime-web: npm ci")
    listed = json.loads(get(site, "/private/files.json")[1])
    assert [file["role"] for file in listed["files"]] == ["runtime", "wasm", "locate", "pose"]
    for file in listed["files"]:
        status, body, headers = get(site, "/" + file["url"])
        assert (status, len(body)) == (200, file["bytes"])
        assert hashlib.sha256(body).hexdigest() == file["sha256"]
        assert headers["Content-Type"].startswith(file["type"])
    card = json.loads((ROOT / "models" / "pose.json").read_text())
    assert listed["card"]["pose"]["sha256"] == card["pose"]["sha256"] == listed["files"][3]["sha256"]
    assert listed["site"] == ["index.html", "sub/a.js"], "what the page keeps to work offline"


def test_private_mode_that_lacks_a_file_says_why(site: Path, tmp_path: Path) -> None:
    response = site_response(site, "/private/files.json", {}, Settings(model=str(tmp_path / "gone.json")))
    assert set(json.loads(response.body)) == {"missing", "site"}
    with pytest.raises(NotFound):
        site_response(site, "/private/pose.onnx", {}, Settings(model=str(tmp_path / "gone.json")))


@pytest.mark.parametrize("name", ["../../secret.js", "store.js", "pose.json"])
def test_private_mode_serves_its_own_files_only(site: Path, name: str) -> None:
    with pytest.raises(NotFound):
        get(site, f"/private/{name}")

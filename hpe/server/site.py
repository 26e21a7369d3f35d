"""The website's files as responses, with the headers that the CDN gives them once deployed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hpe.errors import NotFound
from hpe.photo.formats import MARK
from hpe.server.private import PREFIX, private_file
from hpe.settings import Settings
from hpe.web.messages import Response

CONTENT_TYPES: Final[dict[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
# As in deploy/resources/site-cloudfront.yml.
SECURITY_HEADERS: Final[dict[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
}


def content_security_policy(settings: Settings) -> str:
    """The page may load its own files and talk to its own API, and to S3 where big photos go there."""
    store = " https://*.amazonaws.com" if settings.photo_bucket else ""
    return (
        # of WebAssembly alone: private mode runs the networks in the page
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; manifest-src 'self'; "
        "style-src 'self'; font-src 'self'; media-src 'self' blob:; "
        f"img-src 'self' blob: data:{store}; connect-src 'self' blob: data:{store}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def site_response(static_dir: Path, path: str, headers: Mapping[str, str], settings: Settings) -> Response:
    """A decoded URL path -> the file of the website that it names. Raises NotFound; a browser gets a page instead."""
    status, name = 200, path.lstrip("/") or "index.html"
    try:
        body, suffix = _content(static_dir, name, settings)
    except NotFound:
        page = static_dir / "404.html"
        if "text/html" not in headers.get("accept", "") or not page.is_file():
            raise
        status, body, suffix = 404, page.read_bytes(), ".html"
    tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    answer = {
        **SECURITY_HEADERS,
        "Content-Security-Policy": content_security_policy(settings),
        "Cache-Control": "no-cache",
        "ETag": tag,
    }
    if status == 200 and tag in headers.get("if-none-match", ""):
        return Response(304, answer)
    return Response(status, {**answer, "Content-Type": CONTENT_TYPES[suffix]}, body)


def _content(static_dir: Path, name: str, settings: Settings) -> tuple[bytes, str]:
    """A file's bytes and its suffix. Raises NotFound."""
    if name == "config.js":
        return _config_js(settings), ".js"
    if name.startswith(PREFIX):
        body = private_file(name.removeprefix(PREFIX), settings, _names(static_dir))
        if body is not None:
            return body, Path(name).suffix
    file = _inside(static_dir, name)
    return file.read_bytes(), file.suffix


def _names(static_dir: Path) -> list[str]:
    """Every file of the website, for those who keep it to use it offline."""
    root = static_dir.resolve()
    files = (file for file in root.rglob("*") if file.suffix in CONTENT_TYPES and file.resolve().is_relative_to(root))
    ours = (file for file in files if file.is_file() and file.name[0] != "." and MARK not in file.name)
    return sorted(file.relative_to(root).as_posix() for file in ours)


def _config_js(settings: Settings) -> bytes:
    """What deploying writes into this file, for a page that shares its origin with the API."""
    config = {"apiUrl": "", "uploads": bool(settings.photo_bucket), "maxBytes": settings.max_upload_bytes}
    return f"window.HPE_CONFIG = {json.dumps(config)};\n".encode()


def _inside(static_dir: Path, name: str) -> Path:
    """A relative name -> the file in the folder. What leads out of it, hidden files and other types are not there."""
    missing = NotFound(f"the website has no file {name[:100]!r}")
    parts = name.split("/")
    if any(not part or part.startswith(".") or "\0" in part or "\\" in part for part in parts):
        raise missing
    root = static_dir.resolve()
    try:
        file = root.joinpath(*parts).resolve()
        if file.suffix in CONTENT_TYPES and file.is_relative_to(root) and file.is_file():
            return file
    except OSError:  # a name too long for the file system
        pass
    raise missing

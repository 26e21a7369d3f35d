"""The address of a problem's `type`: a page that says what such an answer means and what to do about it."""

from html import escape
from http import HTTPStatus
from typing import Final

from hpe.errors import NotFound
from hpe.web.messages import Response
from hpe.web.problems import INTERNAL, KINDS, Kind

_KINDS: Final = {kind.slug: kind for kind in (*KINDS.values(), INTERNAL)}
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
body {{ max-width: 40rem; margin: 2rem auto; padding: 0 1rem }}
</style>
<h1>{title}</h1>
<p>Status {status}, <code>{type}</code></p>
<p>What to do: {hint}.</p>
<p>The answer that brought you here is <a href="https://www.rfc-editor.org/rfc/rfc9457">problem details</a>: its
<code>detail</code> says what was wrong with that one request, its <code>limit</code> the limit or what is allowed, and
its <code>hint</code> what to do next. Tell problems apart by <code>type</code>.</p>
<h2>All problems</h2>
<ul>
{links}
</ul>
<p><a href="../openapi.json">The whole API</a></p>
</html>
"""


def problem_page(slug: str) -> Response:
    """The last part of a type's address -> its page. Raises NotFound."""
    if slug not in _KINDS:
        raise NotFound(f"there is no problem {slug[:40]!r}", limit=tuple(_KINDS))
    kind = _KINDS[slug]
    page = _PAGE.format(
        title=escape(kind.title),
        status=f"{kind.status} {HTTPStatus(kind.status).phrase}",
        type=kind.type,
        hint=escape(kind.hint),
        links="\n".join(map(_link, sorted(_KINDS.values(), key=lambda one: (one.status, one.slug)))),
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=300",
    }
    return Response(200, headers, page.encode())


def _link(kind: Kind) -> str:
    return f'<li><a href="{kind.slug}">{kind.slug}</a>, {kind.status}: {escape(kind.title)}</li>'

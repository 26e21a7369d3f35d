"""A client of POST /uploads and GET /results/ID, and of POST /pose where there is no store for uploads.

Whatever stands between (proxies, gateways, sign-in pages), a photo ends in its results or in one line of text.
"""

import base64
import json
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

import requests

_POLL_S: Final = 1.0
_OF_A_PHOTO: Final[Mapping[str, type]] = {"json": str, "png": str}
_LEAST_PAUSE_S: Final = 0.05
# For one answer; API Gateway gives up after 30 s.
_ANSWER_S: Final = 60.0
_NO_ROUTE: Final = (404, 405, 501)
_PATIENT: Final = (429, 503)  # the server says to try again


class SubmitError(Exception):
    """One photo could not be done. The message is one line, the server's own words if it gave any."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split())[:400])


@dataclass(frozen=True)
class RemoteApi:
    """A deployed API. base: its address without a trailing slash. timeout_s: for one photo, all told.

    key: sent to the API as a bearer token, '' for none; S3 never gets it. stop: set it, and nothing waits any longer.
    direct: set once it is known to take no uploads.
    """

    base: str
    timeout_s: float
    key: str = ""
    stop: threading.Event = field(default_factory=threading.Event)
    direct: threading.Event = field(default_factory=threading.Event)

    def pose(self, photo: bytes, content_type: str) -> tuple[dict[str, Any], bytes]:
        """Photo bytes -> (the API's JSON, the drawn PNG's bytes). Raises SubmitError."""
        deadline = time.monotonic() + self.timeout_s
        wish = json.dumps({"content_type": content_type, "size": len(photo)})
        if self.direct.is_set():
            return self._pose_at_once(deadline, photo, content_type)
        given = self._ask(deadline, "POST", f"{self.base}/uploads", missing_is_fine=True, data=wish)
        if given.status_code in _NO_ROUTE:
            found = self._pose_at_once(deadline, photo, content_type)
            self.direct.set()
            return found
        ticket = _members(given, {"url": str, "fields": dict, "result": str})
        fields = {str(name): str(value) for name, value in ticket["fields"].items()}
        self._ask(deadline, "POST", ticket["url"], data=fields, files={"file": photo})
        links = self._wait(deadline, f"{self.base}{ticket['result']}")
        answer = _members(self._ask(deadline, "GET", links["json"]), {"people": list})
        png = self._ask(deadline, "GET", links["png"])
        if not png.content.startswith(b"\x89PNG"):
            raise SubmitError(f"{_where(png.url)} answers with {_kind(png)}, not with a PNG")
        return answer, png.content

    def tracks(self, clip: Path, content_type: str, seconds: float, fps: float) -> bytes:
        """A clip's file, how long it is and its rate -> its tracks as JSON lines. Raises SubmitError, OSError."""
        deadline = time.monotonic() + self.timeout_s
        told = {"seconds": seconds, "fps": fps} if seconds > 0 else {}
        wish = json.dumps({"content_type": content_type, "size": clip.stat().st_size, **told})
        given = self._ask(deadline, "POST", f"{self.base}/uploads", missing_is_fine=True, data=wish)
        if given.status_code in _NO_ROUTE:
            raise SubmitError("this API takes no clips: it has no uploads. hpe video follows people on this machine")
        ticket = _members(given, {"url": str, "fields": dict, "result": str})
        fields = {str(name): str(value) for name, value in ticket["fields"].items()}
        with clip.open("rb") as file:
            self._ask(deadline, "POST", ticket["url"], data=fields, files={"file": file})
        links = self._wait(deadline, f"{self.base}{ticket['result']}", {"jsonl": str})
        return self._ask(deadline, "GET", links["jsonl"]).content

    def _pose_at_once(self, deadline: float, photo: bytes, content_type: str) -> tuple[dict[str, Any], bytes]:
        """As `hpe serve` and the container answer, which take no uploads: one call, the drawing within the JSON."""
        headers = {"Content-Type": content_type}
        url = f"{self.base}/pose?format=json&image=png"
        answer = _members(
            self._ask(deadline, "POST", url, data=photo, headers=headers), {"people": list, "drawn": dict}
        )
        try:
            png = base64.b64decode(answer.pop("drawn")["data"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise SubmitError(f"{_where(url)} answers without the drawing: is it the API's address?") from error
        return answer, png

    def _wait(self, deadline: float, url: str, wanted: Mapping[str, type] = _OF_A_PHOTO) -> dict[str, Any]:
        while True:
            response = self._ask(deadline, "GET", url)
            if response.status_code != 202:
                return _members(response, wanted)
            self._pause(deadline, response)

    def _ask(
        self,
        deadline: float,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        missing_is_fine: bool = False,
        **body: Any,
    ) -> requests.Response:
        """One request, tried again while the server asks for patience or is slow. Raises SubmitError otherwise."""
        own = url.startswith(self.base + "/")
        # asking for a ticket or a result twice does no harm; a photo is not worked on twice for a slow line
        harmless = method == "GET" or url == f"{self.base}/uploads"
        headers = {**(headers or {}), **({"Authorization": f"Bearer {self.key}"} if self.key and own else {})}
        while True:
            left_s = max(1.0, deadline - time.monotonic())
            try:
                response = requests.request(method, url, timeout=min(_ANSWER_S, left_s), headers=headers, **body)
            except (requests.RequestException, ValueError) as error:  # some odd addresses raise plain UnicodeError
                if harmless and isinstance(error, requests.ReadTimeout) and time.monotonic() < deadline:
                    continue
                raise SubmitError(f"{_where(url)} does not answer: {_cause(error)}") from error
            if response.status_code in _PATIENT:
                self._pause(deadline, response)
                continue
            if missing_is_fine and response.status_code in _NO_ROUTE:
                return response
            if response.status_code >= 400:
                raise SubmitError(_reason(response))
            return response

    def _pause(self, deadline: float, response: requests.Response) -> None:
        pause_s = retry_after(response.headers)
        if time.monotonic() + pause_s > deadline:
            raise SubmitError(f"not done in {self.timeout_s:g} s: give more with --timeout, or send it again later")
        if self.stop.wait(pause_s):
            raise SubmitError("interrupted")


def retry_after(headers: Mapping[str, str]) -> float:
    """Retry-After (RFC 9110, 10.2.3: seconds or a date) -> seconds to wait; a second if it makes no sense."""
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            return _POLL_S
        # "-0000" instead of a zone makes a time without one
        seconds = max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
    if math.isnan(seconds) or seconds < 0:
        return _POLL_S
    return max(_LEAST_PAUSE_S, seconds)


def _members(response: requests.Response, wanted: Mapping[str, type]) -> dict[str, Any]:
    """A response's JSON object, which must have these members. Raises SubmitError."""
    where = _where(response.url)
    try:
        found: Any = response.json()
    except (ValueError, RecursionError) as error:
        raise SubmitError(
            f"{where} answers {response.status_code} with {_kind(response)}, not with JSON: is it the API's address?"
        ) from error
    if isinstance(found, dict):
        missing = [name for name, kind in wanted.items() if not isinstance(found.get(name), kind)]
        if not missing:
            return found
        raise SubmitError(f"{where} answers {response.status_code} without {missing[0]!r}: is it the API's address?")
    raise SubmitError(f"{where} answers {response.status_code} with {json.dumps(found)[:40]}: is it the API's address?")


def _reason(response: requests.Response) -> str:
    """The server's own words: RFC 9457's detail, a gateway's message, S3's Message, or the status."""
    try:
        problem = response.json()
    except (ValueError, RecursionError):
        problem = None
    if isinstance(problem, dict):
        words = next((problem[key] for key in ("detail", "title", "message") if isinstance(problem.get(key), str)), "")
    else:
        words = response.text.partition("<Message>")[2].partition("</Message>")[0]
    return words or f"{_where(response.url)} answers {response.status_code} {response.reason or _kind(response)}"


def _cause(error: BaseException) -> str:
    """What the system says of a request that failed, or the error's own words: three packages are wrapped round it."""
    words, inner = str(error), error.__context__
    while inner is not None:
        words, inner = getattr(inner, "strerror", None) or words, inner.__context__
    return words


def _where(url: str) -> str:
    # what follows the question mark is a signature
    return url.partition("?")[0][:200]


def _kind(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0][:60] or "nothing"

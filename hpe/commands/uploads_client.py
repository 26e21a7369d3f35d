"""A client of POST /uploads and GET /results/ID: bytes there, joints and drawn photo back."""

import json
import time
from dataclasses import dataclass
from typing import Any, Final

import requests

_POLL_S: Final = 1.0
_PATIENT: Final = (429, 503)  # the server says to try again


class SubmitError(Exception):
    """One photo could not be done. The message is the server's own where it gave one."""


@dataclass(frozen=True)
class RemoteApi:
    """A deployed API. base: its address without a trailing slash. timeout_s: for one photo, all told."""

    base: str
    timeout_s: float

    def pose(self, photo: bytes, content_type: str) -> tuple[dict[str, Any], bytes]:
        """Photo bytes -> (the API's JSON, the drawn PNG's bytes). Raises SubmitError."""
        deadline = time.monotonic() + self.timeout_s
        wish = json.dumps({"content_type": content_type, "size": len(photo)})
        ticket = self._ask(deadline, "POST", f"{self.base}/uploads", data=wish).json()
        self._ask(deadline, "POST", ticket["url"], data=ticket["fields"], files={"file": photo})
        links = self._wait(deadline, f"{self.base}{ticket['result']}")
        answer: dict[str, Any] = self._ask(deadline, "GET", links["json"]).json()
        return answer, self._ask(deadline, "GET", links["png"]).content

    def _wait(self, deadline: float, url: str) -> dict[str, str]:
        while True:
            response = self._ask(deadline, "GET", url)
            if response.status_code != 202:
                links: dict[str, str] = response.json()
                return links
            self._pause(deadline, response)

    def _ask(self, deadline: float, method: str, url: str, **body: Any) -> requests.Response:
        """One request, tried again while the server asks for patience. Raises SubmitError otherwise."""
        while True:
            left_s = max(1.0, deadline - time.monotonic())
            try:
                response = requests.request(method, url, timeout=min(60.0, left_s), **body)
            except requests.RequestException as error:
                raise SubmitError(f"{url.split('?')[0]} does not answer: {error}") from error
            if response.status_code in _PATIENT:
                self._pause(deadline, response)
                continue
            if response.status_code >= 400:
                raise SubmitError(_reason(response))
            return response

    def _pause(self, deadline: float, response: requests.Response) -> None:
        pause_s = float(response.headers.get("Retry-After", _POLL_S))
        if time.monotonic() + pause_s > deadline:
            raise SubmitError(f"not done in {self.timeout_s:g} s: give more with --timeout, or send it again later")
        time.sleep(pause_s)


def _reason(response: requests.Response) -> str:
    """The server's own words: RFC 9457's detail, S3's Message, or the status."""
    try:
        problem = response.json()
        return str(problem.get("detail") or problem.get("title") or response.reason)
    except ValueError:
        text = response.text
        message = text.partition("<Message>")[2].partition("</Message>")[0]
        return f"{response.status_code} {message or response.reason}"

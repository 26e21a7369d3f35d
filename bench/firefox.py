"""Firefox without a driver: its own WebDriver BiDi, https://www.w3.org/TR/webdriver-bidi/, over a WebSocket."""

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

PREFERENCES: Final = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "remote.active-protocols": 1,  # BiDi alone
    "toolkit.telemetry.enabled": False,
}
_START_S: Final = 60


class Firefox:
    """One tab."""

    def __init__(self, address: str) -> None:
        import websocket  # comes with selenium

        self._socket = websocket.create_connection(f"{address}/session", timeout=180, suppress_origin=True)
        self._sent = 0
        self.version = str(self.command("session.new", capabilities={})["capabilities"]["browserVersion"])
        self._tab = self.command("browsingContext.getTree")["contexts"][0]["context"]

    def command(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of BiDi -> its result. Raises RuntimeError with what Firefox says."""
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == self._sent:
                if told["type"] == "error":
                    raise RuntimeError(f"{method}: {told['message']}")
                return dict(told["result"])

    def open(self, url: str, *, width: int = 1280, height: int = 900) -> None:
        """Loads url in a window of this size, CSS px."""
        self.command("browsingContext.setViewport", context=self._tab, viewport={"width": width, "height": height})
        self.command("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def js(self, body: str) -> Any:
        """The body of an async function, run in the page -> what it returns."""
        script = f"(async () => JSON.stringify((await (async () => {{ {body} }})()) ?? null))()"
        told = self.command(
            "script.evaluate", expression=script, target={"context": self._tab}, awaitPromise=True, userActivation=True
        )
        if told["type"] == "exception":
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    def text(self, name: str) -> str:
        """What the element with this id holds, seen or not."""
        return str(self.js(f"return document.getElementById({json.dumps(name)}).textContent"))

    def click(self, name: str) -> None:
        """Presses the element with this id."""
        self.js(f"document.getElementById({json.dumps(name)}).click()")

    def choose(self, *files: Path) -> None:
        """As the file chooser of the page gives them."""
        target = {"context": self._tab}
        found = self.command(
            "script.evaluate", expression="document.getElementById('file')", target=target, awaitPromise=False
        )
        element = {"sharedId": found["result"]["sharedId"]}
        self.command("input.setFiles", context=self._tab, element=element, files=[str(file) for file in files])

    def until(self, body: str, seconds: float = 180) -> Any:
        """Waits until that function body returns something true, and gives it. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while not (got := self.js(body)):
            if time.monotonic() > end:
                raise TimeoutError(f"after {seconds} s Firefox still says no to: {body}")
            time.sleep(0.02)
        return got

    def shot(self, file: Path) -> None:
        """What the window shows, as PNG."""
        told = self.command("browsingContext.captureScreenshot", context=self._tab)
        file.write_bytes(base64.b64decode(told["data"]))


def binary() -> str | None:
    """Where Firefox is; None without one."""
    return shutil.which("firefox") or shutil.which("firefox-esr")


@contextmanager
def firefox(program: str) -> Iterator[Firefox]:
    """A headless Firefox with a profile of its own, until the block ends."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = (f'user_pref("{name}", {json.dumps(value)});\n' for name, value in PREFERENCES.items())
        Path(profile, "user.js").write_text("".join(lines))
        said = Path(profile, "said.txt")
        command = [program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        with said.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
            try:
                yield Firefox(_address(process, said))
            finally:
                process.terminate()


def _address(process: subprocess.Popen[bytes], said: Path) -> str:
    """ws://... as Firefox prints it when it is ready. Raises TimeoutError."""
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)\n", said.read_text()):
            return found[1]
        time.sleep(0.1)
    raise TimeoutError(f"Firefox did not start within {_START_S} s: {said.read_text()[-500:]}")

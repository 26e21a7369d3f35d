"""A plain file host with the built website: no API anywhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from running import address, running

READY_S = 90  # a busy machine compiles 14 MB of WebAssembly and loads two networks


@dataclass
class Host:
    """A plain file host. asked: the paths of all requests so far; down: it answers nothing."""

    url: str
    folder: Path
    asked: list[str] = field(default_factory=list)
    down: bool = False


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        host: Host = self.server.host  # type: ignore[attr-defined]
        host.asked.append(self.path)
        if host.down:
            self.close_connection = True
            self.connection.close()
            return
        super().do_GET()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@contextmanager
def hosting(folder: Path) -> Iterator[Host]:
    """Serves a folder until the block ends."""
    with running(partial(_Handler, directory=str(folder))) as server:
        host = Host(f"{address(server)}/", folder)
        vars(server)["host"] = host
        yield host

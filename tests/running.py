"""Small HTTP servers that tests talk to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any


@contextmanager
def running(handler: Any, **attributes: Any) -> Iterator[ThreadingHTTPServer]:
    """A server of this handler on a free port, with these attributes, until the block ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        vars(server).update(attributes)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def address(server: ThreadingHTTPServer) -> str:
    """http://127.0.0.1:PORT, without a slash."""
    return f"http://127.0.0.1:{server.server_port}"

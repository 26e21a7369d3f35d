"""What one hostile picture costs: time and memory of a forked child that decodes it, as POST /pose would."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
GIVE_UP_S: Final = 20.0
_MAX_ADDRESS_BYTES: Final = 8_000_000_000
_MAX_SIDE: Final = 1600


@dataclass(frozen=True)
class Cost:
    """outcome: 'answered', the name of an error of ours, or what went wrong in words. harmless: it was one of the
    first two. wall_ms; cpu_ms of all threads; megabytes: at the peak, over what the process had before."""

    outcome: str
    harmless: bool
    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    megabytes: float = 0.0


def warm_up() -> None:
    """Import every decoder, so that children do not pay for it; no threads that a fork would lose."""
    import cv2

    from fuzz.seeds import seeds
    from hpe.errors import HpeError
    from hpe.image.decode import decode_image

    cv2.setNumThreads(1)
    for data in seeds().values():
        with contextlib.suppress(HpeError):  # one of float pixels is refused
            decode_image(data, max_side=_MAX_SIDE)


def cost_of(data: bytes) -> Cost:
    """Decode in a child; after `GIVE_UP_S` it is killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            os.write(writer, json.dumps(asdict(_decode(data))).encode())
        finally:
            os._exit(0)
    os.close(writer)
    until = time.monotonic() + GIVE_UP_S
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        time.sleep(0.002)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    return Cost(**json.loads(said)) if said else Cost("killed: it crashed, or took too long", harmless=False)


def _decode(data: bytes) -> Cost:
    from hpe.errors import HpeError
    from hpe.image.decode import Limits, decode_image

    resource.setrlimit(resource.RLIMIT_AS, (_MAX_ADDRESS_BYTES, _MAX_ADDRESS_BYTES))
    before_kb, wall, cpu = _peak_kb(), time.perf_counter(), time.process_time()
    harmless = True
    try:
        decode_image(data, Limits(), _MAX_SIDE)
        outcome = "answered"
    except HpeError as error:
        outcome = type(error).__name__
    except BaseException as error:
        outcome, harmless = f"{type(error).__name__}: {error}"[:300], False
    wall_ms, cpu_ms = (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000
    return Cost(outcome, harmless, wall_ms, cpu_ms, (_peak_kb() - before_kb) * 1024 / 1e6)


def _peak_kb() -> int:
    """VmHWM: a fork begins with what its parent had then."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def costs(names: Sequence[str] = ()) -> Iterator[tuple[str, int, Cost]]:
    """The pictures named, or all -> (name, its bytes, its cost), measured in a fresh process."""
    command = [sys.executable, "-m", "fuzz.measured", *names]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            found = json.loads(line)
            yield found.pop("name"), found.pop("bytes"), Cost(**found)


def main(names: Sequence[str]) -> None:
    """The fresh process: a line of JSON for each picture."""
    from fuzz.hostile import HOSTILE

    warm_up()
    for name in names or HOSTILE:
        data = HOSTILE[name][0]()
        print(json.dumps({"name": name, "bytes": len(data), **asdict(cost_of(data))}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

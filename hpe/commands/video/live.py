"""A camera, live: in a window where there is one, or as JSON lines."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.commands.video.outputs import ROWS
from hpe.engine.estimator import PoseEstimator
from hpe.errors import BadRequest, BadSettings
from hpe.video.paint import draw_frame
from hpe.video.result import TrackedFrame
from hpe.video.rows import json_lines
from hpe.video.track import Tracker


def live(camera: int, outs: tuple[str, ...], *, model: str | None, people: int | None, **options: Any) -> None:
    """Until the window is closed, or Ctrl-C. outs: '-' or a .jsonl file; with none, a window. Raises HpeError."""
    if len(outs) > 1 or (outs and outs[0] != "-" and ROWS.get(Path(outs[0]).suffix.lower()) != "jsonl"):
        raise BadSettings("--camera writes JSON lines: give -o - or -o NAME.jsonl, or no -o for a window")
    window = None if outs else _window()
    tracker = Tracker(PoseEstimator(model), max_people=people, **options)
    file = None if not outs or outs[0] == "-" else Path(outs[0]).open("ab")  # noqa: SIM115 (closed below)
    try:
        for frame in frames(_open(camera), tracker):
            if window is not None:
                draw_frame(frame)
                if not window.show(frame.rgb):
                    return
            elif file is not None:
                file.write(json_lines(frame).encode())
                file.flush()
            else:
                click.echo(json_lines(frame), nl=False)
                sys.stdout.flush()
    finally:
        if file is not None:
            file.close()


def _open(camera: int) -> "cv2.VideoCapture":
    capture = cv2.VideoCapture(camera)
    if not capture.isOpened():
        raise BadRequest(f"camera {camera} cannot be opened: is it plugged in, and free? The first is --camera 0")
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def frames(capture: "cv2.VideoCapture", tracker: Tracker) -> Iterator[TrackedFrame]:
    """A camera's frames with the people in them, times from the first one, until it stops."""
    began, index = time.monotonic(), 0
    try:
        while True:
            done, bgr = capture.read()
            if not done:
                return
            rgb: NDArray[np.uint8] = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
            now = time.monotonic() - began
            yield TrackedFrame(index, now, tracker(rgb, now), rgb, detected=False, cut=False)
            index += 1
    finally:
        capture.release()


def _window() -> "Window":
    try:
        return Window()
    except Exception as error:  # tkinter is not there, or no screen is
        raise BadSettings(
            f"there is no window to show the camera in ({error}): give -o - for JSON lines on standard output"
        ) from error


class Window:
    """A window that shows pictures, by Python's own tkinter: OpenCV's headless build has none."""

    def __init__(self) -> None:
        import tkinter

        self._root = tkinter.Tk()
        self._root.title("hpe video")
        self._label = tkinter.Label(self._root, borderwidth=0)
        self._label.pack()
        self._image: Any = None
        self._open = True
        self._root.protocol("WM_DELETE_WINDOW", self._close)
        self._root.bind("<Escape>", lambda _: self._close())

    def _close(self) -> None:
        self._open = False

    def show(self, rgb: NDArray[np.uint8]) -> bool:
        """(H, W, 3) uint8 RGB. False once the window is closed."""
        import tkinter

        height, width = rgb.shape[:2]
        data = b"P6 %d %d 255\n" % (width, height) + rgb.tobytes()
        self._image = tkinter.PhotoImage(data=data, format="PPM")
        self._label.configure(image=self._image)
        self._root.update()
        if not self._open:
            self._root.destroy()
        return self._open

"""Kinds of values that options have: a wrong one is an error before any work begins."""

import math
from typing import TYPE_CHECKING, Any

import click

from hpe.errors import BadRequest

if TYPE_CHECKING:
    from hpe.photo.boxes import Box


class Share(click.FloatRange):
    """From 0 to 1, and not nan, which every comparison lets pass."""

    def __init__(self) -> None:
        super().__init__(0, 1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range 0<=x<=1.", param, ctx)
        return number


class Duration(click.ParamType[float]):
    """A time, above 0."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = click.FLOAT.convert(value, param, ctx)
        if not 0 < number < math.inf:
            self.fail(f"{value} is not a time: give a number above 0", param, ctx)
        return number


class Side(click.ParamType[int]):
    """A side of a network's input in px: the networks halve a picture five times."""

    name = "px"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number: int = click.INT.convert(value, param, ctx)
        if number % 32 or not 32 <= number <= 1024:
            self.fail(
                f"{value} is not a side that the networks take: give a multiple of 32 from 32 to 1024", param, ctx
            )
        return number


class BoxText(click.ParamType["Box"]):
    """x0,y0,x1,y1 in px."""

    name = "box"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Box":
        from hpe.photo.boxes import parse_box

        try:
            return parse_box(str(value))
        except BadRequest as error:
            self.fail(str(error), param, ctx)


class Address(click.ParamType[str]):
    """An API's address, without the slash at its end."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not str(value).startswith(("https://", "http://")):
            self.fail(f"{value!r} is not an address: it begins with https://", param, ctx)
        return str(value).rstrip("/")

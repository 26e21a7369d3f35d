"""`hpe keys`: who may call a deployed API, kept as hashes in the stack's table."""

import secrets
import time
from collections.abc import Callable
from typing import Any, Final

import click

from hpe.commands.stack import REGION_OPTION, STACK_OPTION, Stack, aws_errors
from hpe.web.keys import PREFIX, hashed, plain

_DEPLOY: Final = "npx serverless deploy --param=auth=key"
_DAY_S: Final = 86_400
_NAME_CHARACTERS: Final = 64


@click.group("keys")
def group() -> None:
    """Issue, list, rotate and revoke the keys of a deployed API (auth=key).

    A key is shown once, when it is issued; the stack keeps its hash. Callers send it as `Authorization: Bearer KEY`.
    """


def _options(command: Callable[..., None]) -> Callable[..., None]:
    return STACK_OPTION(REGION_OPTION(command))


def _name(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A name stands in a table and in log lines: one line of printable characters."""
    if not value.strip() or value != value.strip() or not value.isprintable() or len(value) > _NAME_CHARACTERS:
        raise click.BadParameter(
            f"{value[:80]!r}: give 1 to {_NAME_CHARACTERS} printable characters on one line, without spaces at the ends"
        )
    return value


_NEW_NAME = click.argument("name", callback=_name)


@group.command("add")
@_NEW_NAME
@click.option("--rate", default=60, show_default=True, type=click.IntRange(1), help="Calls a minute.")
@click.option("--days", type=click.IntRange(1, 3650), help="The key expires after so many days.  [default: never]")
@_options
def add(name: str, rate: int, days: int | None, stack: str, region: str | None) -> None:
    """Issue a key for NAME and print it: it cannot be shown again."""
    table = _Table(Stack(stack, region))
    if table.good(name):
        raise click.ClickException(
            f"{name} has a key: replace it (hpe keys rotate {name}), revoke it (hpe keys revoke {name}), or give "
            "another name"
        )
    _issue(table, name, rate, days)


@group.command("rotate")
@_NEW_NAME
@click.option("--days", type=click.IntRange(1, 3650), help="The new key's days.  [default: as many as the old one's]")
@click.option(
    "--grace", default=24, show_default=True, type=click.IntRange(0, 720), help="Hours that the old key stays good."
)
@_options
def rotate(name: str, days: int | None, grace: int, stack: str, region: str | None) -> None:
    """Issue a new key for NAME, with the same rate, and let the old one expire."""
    table = _Table(Stack(stack, region))
    old = table.good(name)
    if not old:
        raise click.ClickException(f"{name} has no key that could be rotated: issue one (hpe keys add {name})")
    latest = max(old, key=lambda one: str(one["created"]))
    if days is None and "expires" in latest:
        days = max(1, round((latest["expires"] - _seconds(latest["created"])) / _DAY_S))
    _issue(table, name, latest["per_minute"], days)
    end = int(time.time()) + grace * 3600
    for one in old:
        if one.get("expires", end + 1) > end:
            table.set(one["sha256"], "expires", {"N": str(end)})
    click.echo(f"The old key is refused from {_day(end)} on.", err=True)


def _issue(table: "_Table", name: str, rate: int, days: int | None) -> None:
    key = PREFIX + secrets.token_urlsafe(32)
    now = time.time()
    item = {
        "sha256": {"S": hashed(key)}, "name": {"S": name}, "per_minute": {"N": str(rate)}, "created": {"S": _day(now)},
        "window": {"N": "0"}, "calls": {"N": "0"},
    }  # fmt: skip
    if days is not None:
        item["expires"] = {"N": str(int(now) + days * _DAY_S)}
    table.put(item)
    click.echo(key)
    until = "" if days is None else f" until {_day(int(now) + days * _DAY_S)}"
    click.echo(f"{name} may call {rate} times a minute{until}. Keep the key now: only its hash is stored.", err=True)
    if table.auth != "key":
        click.echo(f"No key is asked for yet (auth={table.auth}): {_DEPLOY}", err=True)


@group.command("list")
@_options
def list_keys(stack: str, region: str | None) -> None:
    """Names, rates, ends and last use; never a key."""
    rows = sorted(_Table(Stack(stack, region)).items(), key=lambda one: (one["name"], one["created"]))
    head = f"{'name':24} {'a minute':>8}  {'issued':20} {'expires':20} {'last used (minute)':20} revoked"
    click.echo(head)
    for one in rows:
        used = _day(one["window"] * 60) if one["window"] else "never"
        ends = _day(one["expires"]) if "expires" in one else "never"
        name = "".join(letter if letter.isprintable() else "?" for letter in one["name"])
        click.echo(
            f"{name:24} {one['per_minute']:>8}  {one['created']:20} {ends:20} {used:20} {one.get('revoked', '')}"
        )


@group.command("revoke")
@click.argument("name")
@_options
def revoke(name: str, stack: str, region: str | None) -> None:
    """Refuse NAME's key from now on."""
    table = _Table(Stack(stack, region))
    found = table.good(name)
    if not found:
        raise click.ClickException(f"{name} has no key that could be revoked: see hpe keys list")
    for one in found:
        table.set(one["sha256"], "revoked", {"S": _day(time.time())})
    click.echo(f"{name}'s key is refused from now on", err=True)


class _Table:
    """The stack's table of keys. auth: what the stack asks its callers for."""

    def __init__(self, stack: Stack) -> None:
        self._name = stack.output("KeysTableName", _DEPLOY)
        self._client = stack.client("dynamodb")
        self.auth = stack.outputs.get("Auth", "key")  # stacks of version 2.0 have a table only if it is asked

    def items(self) -> list[dict[str, Any]]:
        with aws_errors():
            pages = self._client.get_paginator("scan").paginate(TableName=self._name, ConsistentRead=True)
            return [plain(item) for page in pages for item in page["Items"]]

    def good(self, name: str) -> list[dict[str, Any]]:
        """The keys of this name that would be let in."""
        now = time.time()
        return [
            one
            for one in self.items()
            if one["name"] == name and "revoked" not in one and one.get("expires", now + 1) > now
        ]

    def put(self, item: dict[str, dict[str, str]]) -> None:
        with aws_errors():
            self._client.put_item(TableName=self._name, Item=item)

    def set(self, sha256: str, attribute: str, value: dict[str, str]) -> None:
        with aws_errors():
            self._client.update_item(
                TableName=self._name,
                Key={"sha256": {"S": sha256}},
                UpdateExpression="SET #attribute = :value",
                ExpressionAttributeNames={"#attribute": attribute},
                ExpressionAttributeValues={":value": value},
            )


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _seconds(day: str) -> int:
    import calendar

    return calendar.timegm(time.strptime(day, "%Y-%m-%dT%H:%M:%SZ"))

"""`hpe keys`: who may call a deployed API, kept as hashes in the stack's table."""

import secrets
import time
from collections.abc import Callable
from typing import Any, Final

import click

from hpe.commands.stack import REGION_OPTION, STACK_OPTION, Stack, aws_errors
from hpe.web.keys import PREFIX, hashed, plain

_DEPLOY: Final = "npx serverless deploy --param=auth=key"


@click.group("keys")
def group() -> None:
    """Issue, list and revoke the keys of a deployed API (auth=key).

    A key is shown once, when it is issued; the stack keeps its hash. Callers send it as `Authorization: Bearer KEY`.
    """


def _options(command: Callable[..., None]) -> Callable[..., None]:
    return STACK_OPTION(REGION_OPTION(command))


@group.command("add")
@click.argument("name")
@click.option("--rate", default=60, show_default=True, type=click.IntRange(1), help="Calls a minute.")
@_options
def add(name: str, rate: int, stack: str, region: str | None) -> None:
    """Issue a key for NAME and print it: it cannot be shown again."""
    table = _Table(Stack(stack, region))
    if any(one["name"] == name and "revoked" not in one for one in table.items()):
        raise click.ClickException(f"{name} has a key: revoke it first (hpe keys revoke {name}), or give another name")
    key = PREFIX + secrets.token_urlsafe(32)
    table.put({
        "sha256": {"S": hashed(key)}, "name": {"S": name}, "per_minute": {"N": str(rate)}, "created": {"S": _now()},
        "window": {"N": "0"}, "calls": {"N": "0"},
    })  # fmt: skip
    click.echo(key)
    click.echo(f"{name} may call {rate} times a minute. Keep the key now: only its hash is stored.", err=True)


@group.command("list")
@_options
def list_keys(stack: str, region: str | None) -> None:
    """Names, rates and last use; never a key."""
    rows = sorted(_Table(Stack(stack, region)).items(), key=lambda one: (one["name"], one["created"]))
    click.echo(f"{'name':24} {'a minute':>8}  {'issued':20} {'last used (minute)':20} revoked")
    for one in rows:
        used = _day(one["window"] * 60) if one["window"] else "never"
        click.echo(f"{one['name']:24} {one['per_minute']:>8}  {one['created']:20} {used:20} {one.get('revoked', '')}")


@group.command("revoke")
@click.argument("name")
@_options
def revoke(name: str, stack: str, region: str | None) -> None:
    """Refuse NAME's key from now on."""
    table = _Table(Stack(stack, region))
    found = [one for one in table.items() if one["name"] == name and "revoked" not in one]
    if not found:
        raise click.ClickException(f"{name} has no key that could be revoked: see hpe keys list")
    for one in found:
        table.revoke(one["sha256"])
    click.echo(f"{name}'s key is refused from now on", err=True)


class _Table:
    """The stack's table of keys."""

    def __init__(self, stack: Stack) -> None:
        self._name = stack.output("KeysTableName", _DEPLOY)
        self._client = stack.client("dynamodb")

    def items(self) -> list[dict[str, Any]]:
        with aws_errors():
            pages = self._client.get_paginator("scan").paginate(TableName=self._name, ConsistentRead=True)
            return [plain(item) for page in pages for item in page["Items"]]

    def put(self, item: dict[str, dict[str, str]]) -> None:
        with aws_errors():
            self._client.put_item(TableName=self._name, Item=item)

    def revoke(self, sha256: str) -> None:
        with aws_errors():
            self._client.update_item(
                TableName=self._name,
                Key={"sha256": {"S": sha256}},
                UpdateExpression="SET #revoked = :now",
                ExpressionAttributeNames={"#revoked": "revoked"},
                ExpressionAttributeValues={":now": {"S": _now()}},
            )


def _now() -> str:
    return _day(time.time())


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))

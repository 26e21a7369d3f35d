"""A deployed stack, as the commands that need one see it: its outputs, and AWS's clients with errors of one line."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import click

STACK_OPTION = click.option(
    "--stack", default="hpe-dev", show_default=True, envvar="HPE_STACK", help="The deployed stack: hpe-STAGE."
)
REGION_OPTION = click.option("--region", default=None, help="Its region, if AWS_REGION and the profile do not say it.")


@dataclass
class Stack:
    """name: of the CloudFormation stack. region: empty for the environment's own."""

    name: str
    region: str | None = None
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """boto3's client, made once. Without boto3 `hpe` says what to install."""
        if service not in self._clients:
            import boto3
            from botocore.config import Config

            config = Config(max_pool_connections=32, retries={"mode": "standard", "total_max_attempts": 5})
            region = self.region or os.environ.get("AWS_REGION") or None  # boto3 reads AWS_DEFAULT_REGION alone
            with aws_errors():
                self._clients[service] = boto3.Session(region_name=region).client(service, config=config)
        return self._clients[service]

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Name -> value. Raises ClickException if there is no such stack."""
        with aws_errors():
            (found,) = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def output(self, name: str, remedy: str) -> str:
        """One of the outputs; `remedy` is how to deploy a stack that has it."""
        if name not in self.outputs:
            raise click.ClickException(f"stack {self.name} was deployed without that: {remedy}")
        return self.outputs[name]


@contextlib.contextmanager
def aws_errors() -> Iterator[None]:
    """What boto3 raises -> one line that says what to do."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    try:
        yield
    except NoCredentialsError as error:
        raise click.ClickException("no AWS credentials: set AWS_PROFILE, or log in again") from error
    except NoRegionError as error:
        raise click.ClickException("no region: give --region, or set AWS_REGION") from error
    except ClientError as error:
        told = error.response.get("Error", {})
        raise click.ClickException(
            f"AWS refuses {error.operation_name} ({told.get('Code')}): {told.get('Message')}"
        ) from error
    except BotoCoreError as error:
        raise click.ClickException(f"AWS does not answer: {error}") from error

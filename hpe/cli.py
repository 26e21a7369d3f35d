"""The `hpe` command. Each subcommand is imported only when it is called: `hpe --help` loads no numpy, no torch."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final

import click

from hpe import __version__
from hpe.errors import HpeError
from hpe.extras import remedy

# name -> (module:attribute, one line for `hpe --help`; a test holds it to the command's own first line)
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "predict": ("hpe.commands.predict.command:predict", "Find people in photos: draw them, or write their joints."),
    "video": (
        "hpe.commands.video.command:video",
        "Find everybody in clips, each with an identity: draw them, or write their tracks.",
    ),
    "serve": ("hpe.commands.serve:serve", "Serve the website and the API on this machine."),
    "submit": ("hpe.commands.submit:submit", "Send photos through an API and fetch the results."),
    "batch": ("hpe.commands.batch:command", "Find the people in photos that lie in S3, inside your AWS account."),
    "keys": ("hpe.commands.keys:group", "Issue, list, rotate and revoke the keys of a deployed API (auth=key)."),
    "version": ("hpe.commands.version:version", "Print the versions of hpe, of its model and of what it runs on."),
    "train": ("hpe.commands.train:train", "Train a network from a configuration file."),
    "eval": ("hpe.commands.evaluate:evaluate", "Measure a model on labelled people: PCK, PCKh, OKS AP."),
    "relabel": (
        "hpe.commands.relabel:relabel",
        "Correct or add labels by a trained model.",
    ),
    "prune": ("hpe.commands.prune:prune", "Make a network faster: cut channels, and fit the rest by least squares."),
    "export": ("hpe.commands.export:export", "Turn checkpoints into a model that runs."),
    "thresholds": (
        "hpe.commands.thresholds:thresholds",
        "Fit a model's calibrations and thresholds.",
    ),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        try:
            command: click.Command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise _explained(error, cmd_name) from error
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COMMANDS)}."
            ctx.fail(f"No command {args[0]!r}: {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Errors that are meant for people -> one line on stderr and exit status 1; Ctrl-C -> 130."""
        try:
            return super().invoke(ctx)
        except HpeError as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            raise _explained(error, ctx.invoked_subcommand or "this command") from error
        except KeyboardInterrupt:
            click.echo("\nStopped.", err=True)
            ctx.exit(130)


def _explained(error: ModuleNotFoundError, command: str) -> Exception:
    line = remedy(error, f"hpe {command}")
    return click.ClickException(line) if line else error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="hpe %(version)s")
def main() -> None:
    """Human pose estimation: a photo in, the person's joints and limbs out.

    \b
    hpe predict photo.jpg                  writes photo.pose.png beside it
    hpe predict album/ -o drawn/           draws a whole folder
    hpe predict *.jpg --format json        the joints as JSON, one line a photo
    hpe serve                              the website on http://127.0.0.1:8000

    HPE_MODEL names another model: the path of its manifest, or s3://bucket/key.json.
    """


if __name__ == "__main__":
    main()

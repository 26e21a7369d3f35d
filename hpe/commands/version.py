"""`hpe version`."""

import click

from hpe import __version__


@click.command()
def version() -> None:
    """Print the versions of hpe, of its model and of what it runs on."""
    import os
    import platform
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    from hpe.engine.bundle import open_bundle
    from hpe.errors import HpeError
    from hpe.settings import Settings

    click.echo(f"hpe {__version__}")
    settings = Settings.from_env(os.environ)
    try:
        bundle = open_bundle(settings.model, settings.cache_dir)
        card = bundle.card
        locator = f", locator {card.locate.sha256[:12]}" if card.locate else ""
        click.echo(f"model {card.name} (sha256 {card.sha256[:12]}{locator}) {settings.model or bundle.pose}")
    except HpeError as error:
        click.echo(f"model: {error}")
    click.echo(f"python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in ("onnxruntime", "opencv-python-headless", "numpy", "Pillow"):
        try:
            click.echo(f"{package} {installed(package)}")
        except PackageNotFoundError:
            click.echo(f"{package} is not installed")

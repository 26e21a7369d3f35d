"""`hpe serve`: the website and the API on this machine."""

from typing import Final

import click

_EXAMPLES: Final = """\b
Examples:
  hpe serve
  hpe serve --port 9000
  HPE_MODEL=s3://my-models/pose.json hpe serve
  curl -F image=@photo.jpg http://127.0.0.1:8000/pose -o drawn.png
"""


@click.command(epilog=_EXAMPLES)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other machines in.")
def serve(port: int, host: str) -> None:
    """Serve the website and the API on this machine.

    Both come from one port, by the code that runs in AWS Lambda. The HPE_* variables set its limits. Ctrl-C stops it.
    """
    import os

    from hpe.places import bundled
    from hpe.server.serve import serve as run
    from hpe.settings import Settings

    settings = Settings.from_env(os.environ)
    if settings.photo_bucket or settings.keys_table:
        import boto3  # noqa: F401 (now, in a line of `hpe`, and not in the first request)
    run(port, settings, bundled("static-site"), host=host)

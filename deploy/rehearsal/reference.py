"""What the deployed package must answer: its own code on its own libraries, without any cloud.

    PYTHON -I reference.py PACKAGE MODEL ANSWER_MAX_BYTES PHOTO...

prints one line of JSON a photo: {"people", "png_sha256", "worker": the same two, as the worker makes them}.

Runs under the Lambda runtime's Python with nothing but the package on the path.
"""

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

# The worker's HPE_MAX_OUTPUT_SIDE in serverless.yml.
WORKER_SIDE: Final = 4096


def main() -> None:
    """Answer each photo through the package's own API."""
    package, model, answer_max_bytes, *photos = sys.argv[1:]
    sys.path.insert(0, package)
    from hpe.photo.stages import Stages
    from hpe.queue import results
    from hpe.settings import Settings
    from hpe.web.api import handle
    from hpe.web.messages import Request
    from hpe.web.source import EstimatorSource

    cache = str(Path(photos[0]).parent)
    settings = Settings(model=model, cache_dir=cache, max_response_bytes=int(answer_max_bytes))
    source = EstimatorSource(settings)
    worker_settings = replace(settings, max_output_side=WORKER_SIDE, max_pixels=120_000_000)
    for photo in photos:
        body = Path(photo).read_bytes()
        headers = {"content-type": "image/jpeg"}
        joints = handle(Request("POST", "/pose", {"format": "json"}, headers, body), source, settings)
        png = handle(Request("POST", "/pose", {"format": "png"}, headers, body), source, settings)
        if (joints.status, png.status) != (200, 200):
            sys.exit(joints.body.decode())
        drawn, found, _ = results(body, source, worker_settings, Stages())
        answer = summary(joints.body, png.body) | {"worker": summary(found, drawn)}
        print(json.dumps(answer))


def summary(joints: bytes, png: bytes) -> dict[str, Any]:
    """What is compared of an answer."""
    return {"people": json.loads(joints)["people"], "png_sha256": hashlib.sha256(png).hexdigest()}


if __name__ == "__main__":
    main()

"""What the deployed package must answer: its own code on its own libraries, without any cloud.

    PYTHON -I reference.py PACKAGE MODEL PHOTO...   -> one line of JSON a photo: {"people", "png_sha256"}

Runs under the Lambda runtime's Python with nothing but the package on the path.
"""

import hashlib
import json
import sys
from pathlib import Path


def main() -> None:
    """Answer each photo through the package's own API."""
    package, model, *photos = sys.argv[1:]
    sys.path.insert(0, package)
    from hpe.settings import Settings
    from hpe.web.api import handle
    from hpe.web.messages import Request
    from hpe.web.source import EstimatorSource

    settings = Settings(model=model, cache_dir=str(Path(photos[0]).parent))
    source = EstimatorSource(settings)
    for photo in photos:
        body = Path(photo).read_bytes()
        headers = {"content-type": "image/jpeg"}
        joints = handle(Request("POST", "/pose", {"format": "json"}, headers, body), source, settings)
        png = handle(Request("POST", "/pose", {"format": "png"}, headers, body), source, settings)
        if (joints.status, png.status) != (200, 200):
            sys.exit(joints.body.decode())
        people = json.loads(joints.body)["people"]
        print(json.dumps({"people": people, "png_sha256": hashlib.sha256(png.body).hexdigest()}))


if __name__ == "__main__":
    main()

"""One line of JSON a photo: what a file of many photos is made of; documents are made of such lines."""

import json
from typing import Any, Final

# what of a line names its photo
FILE: Final = "file"


def json_line(value: Any) -> str:
    """One line. Characters stay readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"

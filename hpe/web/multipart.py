"""A request body -> the bytes of the photo in it, and a form's other fields.

requests-toolbelt splits the form; this holds it to the standard.
"""

import re
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final

from hpe.errors import BadRequest, TooLarge
from hpe.web.messages import query_of, repeated_in
from hpe.web.params import PARAMETERS, check_once

FIELD: Final = "image"
# RFC 2046, 5.1.1; a space, which it allows inside, is sent by nobody and breaks parsers
_BOUNDARY_BYTES: Final = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=?")
_CURL: Final = f"curl -F {FIELD}=@photo.jpg sends a form as it should be"


@dataclass(frozen=True)
class Upload:
    """A photo in a request. file: the name that the form gives it, '' if there is none."""

    data: bytes
    file: str = ""


@dataclass(frozen=True)
class _Part:
    """One part of a form. name: of its field. kind: its Content-Type, lower case, '' for none. file: a file's name."""

    name: str
    kind: str
    file: str | None
    data: bytes

    @property
    def is_file(self) -> bool:
        return self.file is not None

    @property
    def is_photo(self) -> bool:
        """Whether it is meant as one: by its field's name, or as a file that is not declared to be something else."""
        undeclared = self.kind.partition(";")[0].strip() in ("", "application/octet-stream")
        return self.name == FIELD or self.kind.startswith("image/") or (self.is_file and undeclared)


def read_body(body: bytes, content_type: str, max_parts: int) -> tuple[list[Upload], dict[str, str]]:
    """A body and its Content-Type -> the photos, at least one, and the text fields of a form by name (`query_of`).

    What else the type says does not matter: the bytes tell what they are. Raises BadRequest, TooLarge.
    """
    if not body:
        raise BadRequest("the request has no body", hint=f"send the photo as the body, or as a form: {_CURL}")
    if content_type.strip().lower().startswith("multipart/"):
        return read_form(body, content_type, max_parts)
    if body.startswith(b"--") and b"content-disposition" in body[:2000].lower():
        raise BadRequest(
            f"the body looks like a form, but the Content-Type is {content_type[:60]!r}",
            hint="send Content-Type: multipart/form-data; boundary=..., as HTTP clients do when left to it",
        )
    return [Upload(body)], {}


def read_form(body: bytes, content_type: str, max_parts: int) -> tuple[list[Upload], dict[str, str]]:
    """A multipart/form-data body -> its photos, in order, and its text fields by name.

    Photos are fields named `image` and files of a photo's type, else the form's first file; inputs without a file are
    passed over. Raises BadRequest for a form that is broken, cut off, or without a photo; TooLarge over `max_parts`.
    """
    boundary = _boundary(content_type)
    parts = _parts(_inside(body, boundary, max_parts), boundary)
    files = [part for part in parts if part.is_file or part.is_photo]
    texts = [part for part in parts if not (part.is_file or part.is_photo)]
    if not files:
        raise BadRequest(
            f"there is no file in the form, among {len(parts)} fields", hint=f"name the file's field {FIELD!r}: {_CURL}"
        )
    filled = [part for part in files if part.data]
    if not filled:
        raise BadRequest("the file in the form is empty", hint="choose a photo before sending")
    photos = [part for part in filled if part.is_photo]
    pairs = [(part.name, part.data.decode("utf-8", "replace").strip()) for part in texts]
    check_once(repeated_in((name, value) for name, value in pairs if name in PARAMETERS and value))
    return [Upload(part.data, part.file or "") for part in photos or filled[:1]], query_of(pairs)


def _boundary(content_type: str) -> bytes:
    try:
        return _boundary_of(_header("Content-Type", content_type))
    except (TypeError, ValueError) as error:  # RFC 2231 continuations (boundary*0=...) that contradict each other
        raise BadRequest(
            "the boundary in the Content-Type cannot be read: give it once, plainly", hint=_CURL
        ) from error


def _boundary_of(header: Message) -> bytes:
    if header.get_content_type() != "multipart/form-data":
        raise BadRequest(f"{header.get_content_type()} is not read here: send multipart/form-data", hint=_CURL)
    value = header.get_param("boundary", "")
    boundary = value.encode("latin-1", "replace") if isinstance(value, str) else b""
    if not boundary:
        raise BadRequest("the Content-Type names no boundary", hint=f"leave that header to your HTTP client: {_CURL}")
    if len(boundary) > 70 or not _BOUNDARY_BYTES.issuperset(boundary):
        raise BadRequest("the boundary in the Content-Type is none that RFC 2046 allows (1 to 70 plain characters)")
    return boundary


def _inside(body: bytes, boundary: bytes, max_parts: int) -> bytes:
    """The body from its first delimiter to its closing one, both included: what the decoder expects.

    The decoder takes a body without its end for a whole one, and would hand over half a photo.
    """
    delimiter = b"--" + boundary
    start = 0 if body.startswith(delimiter) else body.find(b"\r\n" + delimiter) + 2
    if body.startswith(delimiter + b"--", start):
        raise BadRequest("the form is empty: there is no field in it", hint=f"choose a photo before sending: {_CURL}")
    end = body.find(b"\r\n" + delimiter + b"--", start)
    if end < 0 or start == 1:
        if re.search(rb"(?<!\r)\n" + re.escape(delimiter), body):
            raise BadRequest("the form cannot be read: its lines end in LF: they must end in CR LF", hint=_CURL)
        if start == 1:
            raise BadRequest("the form cannot be read: the Content-Type's boundary is not in it", hint=_CURL)
        raise BadRequest(f"the form is cut off: {len(body)} bytes arrived and its end is missing", hint="send it again")
    parts = body.count(b"\r\n" + delimiter, start, end) + 1
    if parts > max_parts:
        raise TooLarge(
            f"{parts} parts in the form; the limit is {max_parts}: send fewer photos",
            limit=max_parts,
            hint="send so many photos at most, and as other fields only the parameters of /openapi.json",
        )
    return body[start : end + 4 + len(delimiter)]


def _parts(form: bytes, boundary: bytes) -> list[_Part]:
    from requests_toolbelt.multipart.decoder import MultipartDecoder

    content_type = f"multipart/form-data; boundary={boundary.decode('ascii')}"
    try:
        # latin-1: file names come in any encoding, and none of them may stop the photo
        decoder = MultipartDecoder(form, content_type, encoding="latin-1")
        return [_part(part) for part in decoder.parts]
    except BadRequest:
        raise
    except Exception as error:  # the decoder raises anything on broken forms (requests-toolbelt issues 199, 303, 352)
        raise BadRequest(f"the form cannot be read ({type(error).__name__}: {error})", hint=_CURL) from error


def _part(part: Any) -> _Part:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in part.headers.items()}
    kind = headers.get("content-type", "").strip().lower()
    if kind.startswith("multipart/"):
        raise BadRequest("there is a form inside the form, which is not read here", hint=_CURL)
    disposition = _header("Content-Disposition", headers.get("content-disposition", ""))
    name = disposition.get_param("name", "", "content-disposition")
    file = disposition.get_filename()
    return _Part(name if isinstance(name, str) else "", kind, file, part.content)


def _header(name: str, value: str) -> Message:
    header = Message()
    # a line break would end the header
    header[name] = " ".join(value.split())
    return header

"""A request body -> the bytes of the photo in it. requests-toolbelt splits the form; this holds it to the standard."""

from email.message import Message
from typing import Any, Final

from hpe.errors import BadRequest, TooLarge

FIELD: Final = "image"
# RFC 2046, 5.1.1; a space, which it allows inside, is sent by nobody and breaks parsers
_BOUNDARY_BYTES: Final = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=?")
_CURL: Final = f"curl -F {FIELD}=@photo.jpg sends a form as it should be"


def photo_bytes(body: bytes, content_type: str, max_parts: int) -> bytes:
    """A body and its Content-Type -> the file's bytes: of a form, or the body itself.

    What else the type says does not matter: the bytes tell what they are. Raises BadRequest, TooLarge.
    """
    if not body:
        raise BadRequest("the request has no body", hint=f"send the photo as the body, or as a form: {_CURL}")
    if content_type.strip().lower().startswith("multipart/"):
        return first_file(body, content_type, max_parts)
    if body.startswith(b"--") and b"content-disposition" in body[:2000].lower():
        raise BadRequest(
            f"the body looks like a form, but the Content-Type is {content_type[:60]!r}",
            hint="send Content-Type: multipart/form-data; boundary=..., as HTTP clients do when left to it",
        )
    return body


def first_file(body: bytes, content_type: str, max_parts: int) -> bytes:
    """A multipart/form-data body -> the bytes of the field `image`, else of the first file in it.

    Raises BadRequest where the form is broken, cut off or has no file in it; TooLarge over `max_parts`.
    """
    boundary = _boundary(content_type)
    parts = _parts(_inside(body, boundary, max_parts), boundary)
    named = [data for name, is_file, data in parts if name == FIELD]
    chosen = next(iter(named or [data for _, is_file, data in parts if is_file]), None)
    if chosen is None:
        raise BadRequest(
            f"there is no file in the form, among {len(parts)} fields", hint=f"name the file's field {FIELD!r}: {_CURL}"
        )
    if not chosen:
        raise BadRequest("the file in the form is empty", hint="choose a photo before sending")
    return chosen


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
    if start == 1:
        found = b"\n" + delimiter in body
        why = "its lines end in LF: they must end in CR LF" if found else "the Content-Type's boundary is not in it"
        raise BadRequest(f"the form cannot be read: {why}", hint=_CURL)
    end = body.find(b"\r\n" + delimiter + b"--", start)
    if end < 0:
        raise BadRequest(f"the form is cut off: {len(body)} bytes arrived and its end is missing", hint="send it again")
    parts = body.count(b"\r\n" + delimiter, start, end) + 1
    if parts > max_parts:
        raise TooLarge(f"{parts} parts in the form; the limit is {max_parts}: send one photo", limit=max_parts)
    return body[start : end + 4 + len(delimiter)]


def _parts(form: bytes, boundary: bytes) -> list[tuple[str, bool, bytes]]:
    """-> (field name, whether it is a file, its bytes) for each part, in order."""
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


def _part(part: Any) -> tuple[str, bool, bytes]:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in part.headers.items()}
    kind = headers.get("content-type", "")
    if kind.strip().lower().startswith("multipart/"):
        raise BadRequest("there is a form inside the form, which is not read here", hint=_CURL)
    disposition = _header("Content-Disposition", headers.get("content-disposition", ""))
    name = disposition.get_param("name", "", "content-disposition")
    is_file = disposition.get_filename() is not None or kind.strip().lower().startswith("image/")
    return (name if isinstance(name, str) else ""), is_file, part.content


def _header(name: str, value: str) -> Message:
    header = Message()
    # a line break would end the header
    header[name] = " ".join(value.split())
    return header

"""What can go wrong, as a small tree of exceptions. Knows nothing of HTTP: `hpe.web.api` maps it to statuses."""

from typing import Final

# A quantity, a range from..to, or the list of what is allowed.
Limit = int | tuple[float, float] | tuple[str, ...]


class HpeError(Exception):
    """Base of every error this package raises on purpose.

    The message is for the person who made the request: it states the value, the limit and the remedy. `limit`
    is the limit alone, for programs; `hint` is what to do next, if that is more than the message says.
    """

    def __init__(self, message: str, *, limit: Limit | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.limit = limit
        self.hint = hint


class BadRequest(HpeError):
    """The request itself is malformed: broken multipart body, unknown parameter value, bad base64."""


class HeadersTooLarge(HpeError):
    """The request's first line and headers are larger than the server reads."""


class NotFound(HpeError):
    """There is nothing at this path."""


class MethodNotAllowed(HpeError):
    """The path exists, the method does not. `allowed` lists the methods that do."""

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        super().__init__(message, limit=allowed)
        self.allowed = allowed


class NotAcceptable(HpeError):
    """The client's Accept header or `format` asks for something this API does not produce."""


class RequestTimeout(HpeError):
    """The request did not arrive whole within its time."""


class TooLarge(HpeError):
    """Too many bytes, pixels or parts."""


class UnsupportedImage(HpeError):
    """The bytes are not an image type that is read here."""


class BrokenImage(HpeError):
    """The bytes claim to be an image of a known type but cannot be decoded whole."""


class TryAgain(HpeError):
    """What may be gone in a moment: `retry_after_s` says when to ask again."""

    def __init__(self, message: str, retry_after_s: int = 5, *, limit: Limit | None = None, hint: str = "") -> None:
        super().__init__(message, limit=limit, hint=hint)
        self.retry_after_s = retry_after_s


class ModelUnavailable(TryAgain):
    """The model cannot be had now (missing, unreachable, wrong checksum)."""


class Busy(TryAgain):
    """As many requests as can be are being answered, and as many wait."""


class Unauthorized(HpeError):
    """The caller gives no key, or one that nobody issued."""


class Forbidden(HpeError):
    """The caller's key was revoked."""


class OverRate(TryAgain):
    """The caller's key has used up its rate."""


class KeysUnavailable(TryAgain):
    """The keys cannot be checked now."""


class PhotosUnavailable(TryAgain):
    """The bucket of big photos does not answer now."""


class BadModel(HpeError):
    """A model or checkpoint file was read but is not one this package can use."""


class BadData(HpeError):
    """A data set folder or annotation file is missing or has an unexpected shape."""


class BadSettings(HpeError):
    """An environment variable or option has a value that cannot be used."""


class UnknownJoint(HpeError, KeyError):
    """There is no joint of this name."""

    __str__ = Exception.__str__  # a KeyError shows the repr of its message


class UnsupportedVideo(UnsupportedImage):
    """The bytes are not a clip of a kind that is read here, or one in a codec that is not."""


class BrokenVideo(BrokenImage):
    """The clip is damaged or cut off, or has no picture in it."""


class VideoTooLarge(TooLarge):
    """The clip has too many bytes, frames or minutes, or frames with too many pixels."""


# What a second try may heal: such a photo is neither answered nor given up.
OUR_FAULT: Final = (ModelUnavailable, BadModel, PhotosUnavailable)

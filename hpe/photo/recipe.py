"""What is done with one photo, the same for every door: what is refused, and how large it is drawn."""

from dataclasses import dataclass, replace
from typing import Final

from hpe.image.decode import LIMITS, Limits
from hpe.settings import Settings


@dataclass(frozen=True)
class Recipe:
    """The analysed side is not in it: it is `hpe.settings.ANALYSED_SIDE` everywhere, so that the people are the same.

    limits: of the file, checked before it is decoded. drawn_side: the longer side of the drawn photo, px, at most; None
    for the photo's own. drawn_pixels: a drawn photo of more px is halved until it has no more. max_bytes: of the drawn
    file.
    """

    limits: Limits
    drawn_side: int | None = None
    drawn_pixels: int | None = None
    max_bytes: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Recipe":
        """That of a service: its limits are the settings'."""
        limits = Limits(settings.max_upload_bytes, settings.max_pixels, settings.max_frames)
        return cls(limits, drawn_side=settings.max_output_side, max_bytes=settings.max_response_bytes)

    def with_max_bytes(self, max_bytes: int) -> "Recipe":
        """The same for a drawn file of another size."""
        return replace(self, max_bytes=max_bytes)


# Of the command line, where the photos are the user's own: drawn at their own size, but for panoramas, so that no run
# takes more than 700 MiB.
OWN_PHOTOS: Final = Recipe(LIMITS, drawn_pixels=61_000_000)

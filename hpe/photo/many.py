"""`hpe.PoseEstimator`: the engine's, which also takes many images and gives what can be saved."""

from collections.abc import Iterable, Iterator
from itertools import islice
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, Final

from hpe.engine import estimator as engine
from hpe.errors import BadSettings, HpeError
from hpe.image.decode import DecodedImage, picture_of
from hpe.photo.answer import model_of
from hpe.photo.results import Result, Results
from hpe.settings import ANALYSED_SIDE

if TYPE_CHECKING:
    from hpe.image.decode import ImageLike

# Images whose people share the runs of the pose network, and that are in memory at once.
TOGETHER: Final[int] = 8


class PoseEstimator(engine.PoseEstimator):
    __doc__ = engine.PoseEstimator.__doc__

    def many(
        self,
        images: "Iterable[ImageLike]",
        *,
        max_people: int | None = None,
        flip: bool | None = None,
        threshold: float | None = None,
        skip_bad: bool = False,
        progress: bool = False,
    ) -> Results:
        """Paths, bytes, arrays or Pillow images, in any iterable -> Results, one for each, in order.

        Nothing is done before results are asked for, and then a few images at a time. skip_bad: an image that cannot be
        read has a result with a `problem` and nobody in it, instead of raising HpeError's kinds. progress: show a bar,
        which needs tqdm.
        """
        bar = _with_bar(images) if progress else images
        options: dict[str, Any] = {"max_people": max_people, "flip": flip, "threshold": threshold}
        return Results(self._results(iter(bar), skip_bad, options))

    def _results(self, images: "Iterator[ImageLike]", skip_bad: bool, options: dict[str, Any]) -> Iterator[Result]:
        model = model_of(self.card)
        limit = self.threshold if options["threshold"] is None else options["threshold"]
        while several := list(islice(images, TOGETHER)):
            read = [_read(image, skip_bad) for image in several]
            found = iter(self.batch([one for one in read if isinstance(one, DecodedImage)], **options))
            for image, one in zip(several, read, strict=True):
                name = fspath(image) if isinstance(image, str | PathLike) else ""
                if isinstance(one, DecodedImage):
                    yield Result(name, next(found), one.width, one.height, "", model, limit)
                else:
                    yield Result(name, [], problem=one)


def _read(image: "ImageLike", skip_bad: bool) -> DecodedImage | str:
    """-> the picture, or why it cannot be read."""
    try:
        return picture_of(image, ANALYSED_SIDE)
    except HpeError as error:
        if not skip_bad:
            raise
        return str(error)


def _with_bar(images: "Iterable[ImageLike]") -> "Iterable[ImageLike]":
    try:
        from tqdm import tqdm
    except ModuleNotFoundError as error:
        raise BadSettings("progress=True needs tqdm, which is not installed: pip install tqdm") from error
    bar: Iterable[ImageLike] = tqdm(images, unit="image")
    return bar

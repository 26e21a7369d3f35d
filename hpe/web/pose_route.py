"""POST /pose: a photo in; the drawn photo, or the joints in one of several formats, out."""

import base64
import json
from collections.abc import Callable

from hpe.image.encode import EncodedImage
from hpe.photo.analyse import Estimator, Found, analyse
from hpe.photo.formats import FORMATS, text_of
from hpe.photo.picture import picture
from hpe.photo.recipe import Recipe
from hpe.settings import Settings
from hpe.web.messages import Request, Response
from hpe.web.multipart import read_body
from hpe.web.params import PoseParams, check_once, read_params, with_fields
from hpe.web.request_log import Record


def answer_pose(request: Request, source: Callable[[], Estimator], settings: Settings, record: Record) -> Response:
    """The whole of it: the file and what is asked for out of the request, the answer into the response."""
    data, fields = read_body(request.body, request.headers.get("content-type", ""), settings.max_parts)
    check_once(request.repeated)
    params = read_params(with_fields(request.query, fields), request.headers.get("accept", ""), settings.max_people)
    recipe = Recipe.of(settings)
    found = analyse(data, recipe, source, record.stages, params.options)
    people = found.answer.people
    record.people = len(people)
    headers, body = _answer(found, params, recipe, record)
    headers |= {"X-Pose-People": str(len(people)), "Server-Timing": record.stages.server_timing()}
    if people:
        headers["X-Pose-Score"] = f"{max(pose.score for pose in people):.4f}"
    return Response(200, headers, body)


def _answer(found: Found, params: PoseParams, recipe: Recipe, record: Record) -> tuple[dict[str, str], bytes]:
    """-> the headers and the body."""
    kind = {"Content-Type": FORMATS[params.format].media_type}
    if FORMATS[params.format].drawn:
        drawn = picture(found, params.format, recipe, record.stages)
        return kind | {"X-Pose-Scale": f"{drawn.width / found.image.width:.6g}"}, drawn.data
    if not params.image:
        return kind, text_of(found.answer, params.format).encode()
    # all of it fits where the picture alone would
    answer = found.answer.to_dict()
    room = recipe.with_max_bytes(max(1, (recipe.max_bytes or 0) - len(json.dumps(answer))))
    answer["drawn"] = _inside(picture(found, params.image, room, record.stages))
    return kind, json.dumps(answer | {"timings_ms": record.stages.rounded()}).encode()


def _inside(drawn: EncodedImage) -> dict[str, str | int]:
    """A picture as a part of the JSON."""
    data = base64.b64encode(drawn.data).decode("ascii")
    return {"media_type": drawn.media_type, "width": drawn.width, "height": drawn.height, "data": data}

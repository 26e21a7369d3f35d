"""POST /pose: a photo in; the drawn photo, or the joints in one of several formats, out. Of several, an array."""

import json
from collections.abc import Callable
from dataclasses import replace

from hpe.errors import OUR_FAULT, BadRequest, HpeError
from hpe.photo.analyse import Estimator, Found, analyse
from hpe.photo.combined import combined
from hpe.photo.formats import FORMATS, text_of
from hpe.photo.picture import picture
from hpe.photo.recipe import Recipe
from hpe.settings import Settings
from hpe.web.messages import Request, Response
from hpe.web.multipart import Upload, read_body
from hpe.web.params import PoseParams, check_once, read_params, with_fields
from hpe.web.problems import problem
from hpe.web.request_log import Record


def answer_pose(request: Request, source: Callable[[], Estimator], settings: Settings, record: Record) -> Response:
    """The whole of it: the files and what is asked for out of the request, the answer into the response."""
    photos, fields = read_body(request.body, request.headers.get("content-type", ""), settings.max_parts)
    check_once(request.repeated)
    params = read_params(with_fields(request.query, fields), request.headers.get("accept", ""), settings.max_people)
    recipe = Recipe.of(settings)
    if len(photos) > 1:
        return _several(photos, params, recipe, source, record)
    found = analyse(photos[0].data, recipe, source, record.stages, params.options)
    people = found.answer.people
    record.people = len(people)
    headers, body = _answer(found, params, recipe, record)
    headers |= {"X-Pose-People": str(len(people)), "Server-Timing": record.stages.server_timing()}
    if people:
        headers["X-Pose-Score"] = f"{max(pose.score for pose in people):.4f}"
    return Response(200, headers, body)


def _several(
    photos: list[Upload], params: PoseParams, recipe: Recipe, source: Callable[[], Estimator], record: Record
) -> Response:
    """An array with each photo's answer, in order; a photo that cannot be read has its problem there instead."""
    _check_several(len(photos), params)
    share = replace(recipe, max_bytes=max(1, (recipe.max_bytes or 0) // len(photos)))
    answers = []
    record.people = 0
    for upload in photos:
        name = {"file": upload.file} if upload.file else {}
        try:
            found = analyse(upload.data, recipe, source, record.stages, params.options, upload.file)
            record.people += len(found.answer.people)
            answers.append(combined(found, share, record.stages, params.include, params.image))
        except OUR_FAULT:
            raise  # no photo can be answered then
        except HpeError as error:
            answers.append(name | json.loads(problem(error).body))
    headers = {"Content-Type": FORMATS["json"].media_type, "X-Pose-People": str(record.people)}
    headers["Server-Timing"] = record.stages.server_timing()
    return Response(200, headers, json.dumps(answers).encode())


def _check_several(count: int, params: PoseParams) -> None:
    if params.format != "json":
        raise BadRequest(
            f"there are {count} photos in the form, and {params.format} is of one photo: send format=json for an array",
            hint="or send the photos one by one",
        )
    if params.options.boxes:
        raise BadRequest(f"there are {count} photos in the form, and box is of one photo: send them one by one")


def _answer(found: Found, params: PoseParams, recipe: Recipe, record: Record) -> tuple[dict[str, str], bytes]:
    """-> the headers and the body."""
    kind = {"Content-Type": FORMATS[params.format].media_type}
    if FORMATS[params.format].drawn:
        drawn = picture(found, params.format, recipe, record.stages)
        return kind | {"X-Pose-Scale": f"{drawn.width / found.image.width:.6g}"}, drawn.data
    if params.format != "json":
        return kind, text_of(found.answer, params.format).encode()
    return kind, json.dumps(combined(found, recipe, record.stages, params.include, params.image)).encode()

"""POST /pose: a photo in; the drawn photo, or the joints in one of several formats, out."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from hpe.image.decode import DecodedImage, Limits, decode_image
from hpe.image.encode import EncodedImage, Format, encode_image
from hpe.photo.answer import Answer, answer_of, boxes_within
from hpe.pose.draw import draw_pose
from hpe.pose.result import Pose
from hpe.settings import Settings
from hpe.web.messages import Request, Response
from hpe.web.multipart import read_body
from hpe.web.params import OUTPUT_TYPES, OutputFormat, PoseParams, read_params, with_fields
from hpe.web.request_log import Record
from hpe.web.source import Estimator


def answer_pose(request: Request, estimator_source: Any, settings: Settings, record: Record) -> Response:
    """The whole of it: file, parameters, decode, infer, then draw and encode or list the joints."""
    data, fields = read_body(request.body, request.headers.get("content-type", ""), settings.max_parts)
    params = read_params(with_fields(request.query, fields), request.headers.get("accept", ""), settings.max_people)
    image = decode(data, settings, record)
    poses, answer = estimate(image, estimator_source(), params, record)
    if params.format in ("png", "jpeg", "webp"):
        response = drawn_response(image, poses, params.format, settings, record)
    elif params.image:
        response = joints_and_picture(image, poses, answer, params.image, settings, record)
    else:
        response = joints_response(answer, params.format)
    headers = {**response.headers, "X-Pose-People": str(len(poses)), "Server-Timing": record.server_timing()}
    if poses:
        headers["X-Pose-Score"] = f"{max(pose.score for pose in poses):.4f}"
    return Response(200, headers, response.body)


def decode(data: bytes, settings: Settings, record: Record) -> DecodedImage:
    """A photo's bytes -> its pixels, within the service's limits. Raises TooLarge, UnsupportedImage, BrokenImage."""
    with record.stage("decode"):
        limits = Limits(settings.max_upload_bytes, settings.max_pixels, settings.max_frames)
        return decode_image(data, limits, settings.max_output_side)


def estimate(
    image: DecodedImage, estimator: Estimator, params: PoseParams, record: Record
) -> tuple[list[Pose], Answer]:
    """A decoded photo -> its people in px of `image.rgb`, for drawing, and the answer in px of the photo as sent."""
    height, width = image.rgb.shape[:2]
    boxes = boxes_within(params.boxes, image, (width, height))
    with record.stage("infer"):
        poses = estimator(
            image.rgb, max_people=params.people, boxes=boxes, flip=params.flip, threshold=params.threshold
        )
    record.people = len(poses)
    threshold = estimator.threshold if params.threshold is None else params.threshold
    return poses, answer_of(image, (width, height), poses, threshold, estimator.card, record.stages_ms)


def drawn_response(
    image: DecodedImage, poses: Sequence[Pose], format: Format, settings: Settings, record: Record
) -> Response:
    """The photo with its people drawn in, as an image of at most `max_response_bytes`."""
    encoded = _drawn(image, poses, format, settings.max_response_bytes, record)
    scale = encoded.width / image.width
    return Response(200, {"Content-Type": encoded.media_type, "X-Pose-Scale": f"{scale:.6g}"}, encoded.data)


def joints_response(answer: Answer, format: OutputFormat = "json") -> Response:
    """Joints in px of the photo as it was sent, upright, whatever size they were found at."""
    return Response(200, {"Content-Type": OUTPUT_TYPES[format]}, _joints(answer, format).encode())


def joints_and_picture(
    image: DecodedImage, poses: Sequence[Pose], answer: Answer, format: Format, settings: Settings, record: Record
) -> Response:
    """The JSON answer with the drawn photo in it as base64; all of it fits where the picture alone would."""
    room = settings.max_response_bytes - len(json.dumps(answer.to_dict()))
    encoded = _drawn(image, poses, format, max(room, 1), record)
    drawn = {
        "media_type": encoded.media_type,
        "width": encoded.width,
        "height": encoded.height,
        "data": base64.b64encode(encoded.data).decode("ascii"),
    }
    stages = {name: round(took, 1) for name, took in record.stages_ms.items()}
    body = answer.to_dict() | {"drawn": drawn, "timings_ms": stages}
    return Response(200, {"Content-Type": "application/json"}, json.dumps(body).encode())


def _joints(answer: Answer, format: OutputFormat) -> str:
    # each is loaded by those who ask for it: a cold start waits for none of them
    if format == "csv":
        from hpe.photo.tables import as_csv, header

        return header(named=False) + as_csv(answer)
    if format == "coco":
        from hpe.photo import coco

        return json.dumps(coco.results(answer, 1))
    if format == "openpose":
        from hpe.photo import openpose

        return json.dumps(openpose.document(answer))
    if format == "svg":
        from hpe.photo import svg

        return svg.document(answer)
    return json.dumps(answer.to_dict())


def _drawn(image: DecodedImage, poses: Sequence[Pose], format: Format, max_bytes: int, record: Record) -> EncodedImage:
    with record.stage("draw"):
        drawn = draw_pose(image.rgb, poses) if poses else image.rgb
    with record.stage("encode"):
        return encode_image(drawn, format, max_bytes)

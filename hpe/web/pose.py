"""POST /pose: a photo in, the drawn photo or the joints out."""

import json
from typing import Any

from hpe.engine.session import usable_cores
from hpe.image.decode import DecodedImage, Limits, decode_image
from hpe.image.encode import Format, encode_image
from hpe.pose.draw import draw_pose
from hpe.pose.result import Pose
from hpe.settings import Settings
from hpe.web.messages import Request, Response
from hpe.web.multipart import photo_bytes
from hpe.web.params import read_params
from hpe.web.record import Record
from hpe.web.source import Estimator


def answer_pose(request: Request, estimator_source: Any, settings: Settings, record: Record) -> Response:
    """The whole of it: parameters, file, decode, infer, then draw and encode or list the joints."""
    params = read_params(request.query, request.headers.get("accept", ""))
    data = photo_bytes(request.body, request.headers.get("content-type", ""), settings.max_parts)
    with record.stage("decode"):
        limits = Limits(settings.max_upload_bytes, settings.max_pixels, settings.max_frames)
        image = decode_image(data, limits, settings.max_output_side)
    estimator: Estimator = estimator_source()
    with record.stage("infer"):
        poses = estimator(image.rgb, flip=params.flip, threshold=params.threshold)
    record.people = len(poses)
    if params.format == "json":
        response = joints_response(image, poses, estimator, record)
    else:
        response = drawn_response(image, poses, params.format, settings, record)
    headers = {**response.headers, "X-Pose-People": str(len(poses)), "Server-Timing": record.server_timing()}
    if poses:
        headers["X-Pose-Score"] = f"{max(pose.score for pose in poses):.4f}"
    return Response(200, headers, response.body)


def drawn_response(
    image: DecodedImage, poses: list[Pose], format: Format, settings: Settings, record: Record
) -> Response:
    """The photo with its people drawn in, as an image of at most `max_response_bytes`."""
    with record.stage("draw"):
        drawn = draw_pose(image.rgb, poses) if poses else image.rgb
    with record.stage("encode"):
        encoded = encode_image(drawn, format, settings.max_response_bytes, settings.threads or usable_cores())
    scale = encoded.width / image.width
    return Response(200, {"Content-Type": encoded.media_type, "X-Pose-Scale": f"{scale:.6g}"}, encoded.data)


def joints_response(image: DecodedImage, poses: list[Pose], estimator: Estimator, record: Record) -> Response:
    """Joints in px of the photo as it was sent, upright, whatever size they were found at."""
    height, width = image.rgb.shape[:2]
    full = [pose.scaled(image.width / width, image.height / height) for pose in poses]
    body = {
        "image": {"width": image.width, "height": image.height},
        "people": [pose.to_dict() for pose in full],
        "model": {"name": estimator.card.name, "sha256": estimator.card.sha256},
        "timings_ms": {name: round(took, 1) for name, took in record.stages_ms.items()},
    }
    return Response(200, {"Content-Type": "application/json"}, json.dumps(body).encode())

"""A model's manifest <-> ModelCard: two networks in schema 2, one in schema 1."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from hpe.engine.card import (
    LIMB_GROUPS,
    Calibration,
    CoarseLook,
    FineLook,
    FlipTest,
    LocatorCard,
    ModelCard,
    PersonCalibration,
    TurnedLook,
)
from hpe.engine.fields import Fields
from hpe.errors import BadModel
from hpe.pose.skeleton import FACE, JOINTS, KEYPOINTS

SCHEMA: Final = 2


def write_manifest(card: ModelCard) -> bytes:
    """A card -> JSON of schema 2; `parse_manifest` is its inverse."""
    pose: dict[str, Any] = {
        "file": card.file,
        "sha256": card.sha256,
        "architecture": card.architecture,
        "input_size": list(card.frame),
        "threshold": card.threshold,
        "person_threshold": card.person_threshold,
        "sigma": card.sigma,
    }
    if card.keypoints != JOINTS:
        pose["keypoints"] = list(card.keypoints)
    if card.photo_threshold:
        pose["photo_threshold"] = card.photo_threshold
    if card.calibration is not None:
        pose["calibration"] = vars(card.calibration)
    if card.person is not None:
        pose["person"] = vars(card.person) | {"limbs": list(card.person.limbs)}
    if card.flip_test is not None:
        pose["flip_test"] = vars(card.flip_test)
    content: dict[str, Any] = {"schema": SCHEMA, "name": card.name, "figures": card.figures}
    if card.locate is not None:
        locate = asdict(card.locate)
        content["locate"] = {
            k: v
            for k, v in locate.items()
            if v is not None and (k, v) not in (("size_unit", 0), ("photo_threshold", 0.0))
        }
    return (json.dumps({**content, "pose": pose}, indent=2) + "\n").encode()


def read_manifest(path: Path) -> ModelCard:
    """A manifest file -> ModelCard. Raises BadModel naming what is wrong with it."""
    try:
        return parse_manifest(path.read_bytes(), str(path))
    except OSError as error:
        raise BadModel(f"{path}: {error.strerror}: a model needs its manifest beside it") from error


def parse_manifest(data: bytes, name: str) -> ModelCard:
    """Manifest bytes -> ModelCard. `name` is for messages. Raises BadModel."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadModel(f"{name} is not a model manifest: {error}") from error
    if not isinstance(content, dict):
        raise BadModel(f"{name} is not a model manifest: a JSON object is wanted, this is a {type(content).__name__}")
    whole = Fields(content, name)
    schema = whole.get("schema", int, 1)
    if schema not in (1, SCHEMA):
        raise BadModel(f"{name}: schema {schema} is newer than this version of hpe, which reads 1 and {SCHEMA}: update")
    pose = whole if schema == 1 else Fields(whole.get("pose", dict), name, "pose.")
    locate = whole.inner("locate") if schema == SCHEMA else None
    return ModelCard(
        name=whole.get("name", str),
        figures=whole.get("figures", dict, {}),
        file=pose.file(),
        sha256=pose.sha256(),
        architecture=pose.get("architecture", str),
        input_size=pose.frame(),
        threshold=pose.share("threshold"),
        person_threshold=pose.share("person_threshold"),
        sigma=pose.number("sigma", 0, 100),
        calibration=_calibration(pose),
        person=_person(pose),
        locate=_locator(locate) if locate else None,
        photo_threshold=pose.share("photo_threshold", 0.0),
        keypoints=_keypoints(pose),
        flip_test=_flip_test(pose),
    )


def _keypoints(pose: Fields) -> tuple[str, ...]:
    """The names of the network's outputs: these are known, so their order is as well."""
    names = tuple(pose.get("keypoints", list, list(JOINTS)))
    if names not in (JOINTS, KEYPOINTS):
        raise pose.wrong(
            "keypoints",
            f"are {len(names)} names that this version of hpe does not know: expected MPII's {len(JOINTS)} joints in "
            f"their order, alone or followed by {', '.join(FACE)}",
        )
    return names


def _flip_test(pose: Fields) -> FlipTest | None:
    inner = pose.inner("flip_test")
    return None if inner is None else FlipTest(inner.share("above"), inner.share("below"))


def _locator(locate: Fields) -> LocatorCard:
    return LocatorCard(
        file=locate.file(),
        sha256=locate.sha256(),
        architecture=locate.get("architecture", str),
        input_size=locate.side("input_size"),
        threshold=locate.share("threshold"),
        calibration=_calibration(locate),
        size_unit=locate.side("size_unit") if locate.has("size_unit") else 0,
        coarse=_coarse(locate),
        fine=_fine(locate),
        photo_threshold=locate.share("photo_threshold", 0.0),
        turned=_turned(locate),
    )


def _calibration(network: Fields) -> Calibration | None:
    inner = network.inner("calibration")
    if inner is None:
        return None
    return Calibration(inner.number("slope", 0, 1e6), inner.number("intercept", -1e6, 1e6))


def _person(pose: Fields) -> PersonCalibration | None:
    inner = pose.inner("person")
    if inner is None:
        return None
    keys = ("locator", "joints", "intercept", *(("size",) if inner.has("size") else ()))
    weights = {key: inner.number(key, -1e6, 1e6) for key in keys}
    return PersonCalibration(**weights, limbs=inner.weights("limbs", LIMB_GROUPS, -1e6, 1e6))


def _coarse(locate: Fields) -> CoarseLook | None:
    inner = locate.inner("coarse")
    if inner is None:
        return None
    return CoarseLook(inner.whole("pixels", 128 * 128, 4096**2), inner.whole("small_px", 0, 4096), inner.share("score"))


def _fine(locate: Fields) -> FineLook | None:
    inner = locate.inner("fine")
    if inner is None:
        return None
    return FineLook(inner.whole("person_px", 1, 4096), inner.side("longest", locate.side("input_size")))


def _turned(locate: Fields) -> TurnedLook | None:
    inner = locate.inner("turned")
    if inner is None:
        return None
    least = inner.share("person_threshold")
    sure = inner.share("sure", least)
    return TurnedLook(inner.whole("pixels", 64 * 64, 4096**2), inner.share("score"), least, sure)

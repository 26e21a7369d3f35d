"""What a request asks for: query parameters, a form's fields and the Accept header -> PoseParams."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hpe.errors import BadRequest, NotAcceptable
from hpe.photo.analyse import Options
from hpe.photo.boxes import parse_boxes
from hpe.photo.formats import PICTURES, known, of_api
from hpe.settings import Settings

OUTPUT_TYPES: Final = of_api()
# Those that Accept chooses among, in the order of preference if a client has none.
_NEGOTIATED: Final = ("png", "jpeg", "webp", "json")
_OTHERS: Final = tuple(name for name in OUTPUT_TYPES if name not in _NEGOTIATED)
_SWITCHES: Final = {"1": True, "true": True, "0": False, "false": False}
PARAMETERS: Final = ("format", "threshold", "flip", "people", "box", "angles", "include", "image")
# What an answer in JSON may hold besides: other formats, and angles.
INCLUDED: Final = ("angles", *(name for name in OUTPUT_TYPES if name != "json"))
_DECIMAL: Final = re.compile(r"[0-9]{0,6}\.?[0-9]{1,12}")


@dataclass(frozen=True)
class PoseParams:
    """What is asked for.

    format: of the answer. options: of the photo. image: the format of the drawn photo inside the JSON, '' for none.
    include: other formats inside the JSON, in this order.
    """

    format: str
    options: Options
    image: str = ""
    include: tuple[str, ...] = ()


def read_params(query: Mapping[str, str], accept: str, max_people: int = Settings.max_people) -> PoseParams:
    """Query and Accept header -> PoseParams. `format` wins over Accept.

    Raises BadRequest for a value that makes no sense and for a parameter that does not exist (a misspelt
    threshold that is silently ignored costs hours), NotAcceptable if Accept leaves nothing.
    """
    unknown = sorted(set(query) - set(PARAMETERS))
    if unknown:
        raise BadRequest(
            f"there is no parameter {unknown[0][:40]!r}", limit=PARAMETERS, hint=f"use {', '.join(PARAMETERS)}"
        )
    chosen = query.get("format")
    include = _include(query["include"]) if "include" in query else ()
    options = Options(
        people=_people(query["people"], max_people) if "people" in query else None,
        boxes=parse_boxes(query["box"].split(";"), max_people) if "box" in query else (),
        threshold=_threshold(query["threshold"]) if "threshold" in query else None,
        flip=_switch("flip", query["flip"]) if "flip" in query else None,
        angles="angles" in include or ("angles" in query and _switch("angles", query["angles"])),
    )
    params = PoseParams(
        negotiate(accept) if chosen is None else _format(chosen),
        options,
        _image(query["image"]) if "image" in query else "",
        tuple(name for name in include if name != "angles"),
    )
    if params.image and params.format != "json":
        raise BadRequest(
            f"image={params.image} puts the drawn photo into the JSON, but the answer is {params.format}",
            hint=f"send format=json&image={params.image} for both, or format={params.image} for the picture alone",
        )
    if params.format != "json" and (include or params.options.angles):
        raise BadRequest(
            f"{'include' if include else 'angles'} adds to the JSON, but the answer is {params.format}",
            hint="send format=json as well; tables have angles without being asked",
        )
    return params


def check_once(repeated: Iterable[str]) -> None:
    """Raises BadRequest if there is a name in `repeated`: one of several values would count, and nobody says which."""
    for name in repeated:
        raise BadRequest(
            f"{name[:40]!r} is given several times: give it once", hint="only box may come several times, one a person"
        )


def with_fields(query: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, str]:
    """A query and the text fields of a form -> one query. Empty fields and those of other names are left out.
    (A form's field `image` is the photo.)

    Raises BadRequest for a field that seems to be a misspelt parameter, or that contradicts the query.
    """
    found = dict(query)
    for name, value in fields.items():
        if name not in PARAMETERS:
            from difflib import get_close_matches

            if near := get_close_matches(name.lower(), PARAMETERS, 1, 0.8):
                raise BadRequest(f"there is no form field {name[:40]!r}: did you mean {near[0]!r}?", limit=PARAMETERS)
            continue
        if not value:
            continue  # an input of an HTML form that nobody filled in
        if query.get(name, value) != value:
            raise BadRequest(f"{name} is {query[name][:40]!r} in the URL and {value[:40]!r} in the form: send it once")
        found[name] = value
    return found


def _people(text: str, max_people: int) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= max_people:
        raise BadRequest(
            f"people={text[:40]!r} is not possible: give a whole number from 1 to {max_people}", limit=(1, max_people)
        )
    return int(text)


def _format(text: str) -> str:
    name = known(text, OUTPUT_TYPES)
    if name is None:
        raise BadRequest(
            f"format={text[:40]!r} is not made here: choose one of {', '.join(OUTPUT_TYPES)}", limit=tuple(OUTPUT_TYPES)
        )
    return name


def _image(text: str) -> str:
    name = known(text, PICTURES)
    if name is None:
        raise BadRequest(f"image={text[:40]!r} is not made here: choose one of {', '.join(PICTURES)}", limit=PICTURES)
    return name


def _threshold(text: str) -> float:
    if not _DECIMAL.fullmatch(text) or not 0 <= float(text) <= 1:
        raise BadRequest(f"threshold={text[:40]!r} is not a score: give a number from 0 to 1, like 0.3", limit=(0, 1))
    return float(text)


def _switch(name: str, text: str) -> bool:
    if text.lower() not in _SWITCHES:
        raise BadRequest(f"{name}={text[:40]!r} is neither on nor off: give 1 or 0", limit=tuple(_SWITCHES))
    return _SWITCHES[text.lower()]


def _include(text: str) -> tuple[str, ...]:
    """'angles,coco' -> the names, each once."""
    names = [part.strip() for part in text.split(",")]
    found = [name if name == "angles" else known(name, INCLUDED) for name in names]
    wrong = next((name for name, good in zip(names, found, strict=True) if good is None), None)
    if wrong is not None:
        raise BadRequest(
            f"include={wrong[:40]!r} is not made here: give some of {', '.join(INCLUDED)}, with commas between",
            limit=INCLUDED,
        )
    return tuple(dict.fromkeys(name for name in found if name))


def negotiate(accept: str) -> str:
    """An Accept header (RFC 9110, 12.5.1) -> PNG, JPEG, WebP or JSON, whichever the client likes best.

    Of equal q-values the more specific entry wins, then the order above. A page that is being
    navigated to (Accept has text/html: a plain HTML form) gets PNG, though Chrome lists WebP as well. Raises
    NotAcceptable.
    """
    wanted = _parse_accept(accept)
    if not wanted:
        return "png"
    ranked = [(*_quality(wanted, OUTPUT_TYPES[name]), name) for name in _NEGOTIATED]
    usable = [entry for entry in ranked if entry[0] > 0]
    if not usable:
        raise NotAcceptable(
            f"Accept: {accept[:100]} leaves none of the types that are made here",
            limit=tuple(OUTPUT_TYPES[name] for name in _NEGOTIATED),
            hint="accept one of the types in limit, or */*; for other formats send format=" + " or ".join(_OTHERS),
        )
    if "text/html" in wanted and any(entry[2] == "png" for entry in usable):
        return "png"
    return max(usable, key=lambda entry: entry[:2])[2]  # the first of equals


def _quality(wanted: Mapping[str, float], media_type: str) -> tuple[float, int]:
    """-> the q-value of a media type, and how specific the entry that gives it is (2, 1, 0)."""
    family = media_type.partition("/")[0] + "/*"
    for specific, key in ((2, media_type), (1, family), (0, "*/*")):
        if key in wanted:
            return wanted[key], specific
    return 0.0, 0


def _parse_accept(accept: str) -> dict[str, float]:
    wanted: dict[str, float] = {}
    for entry in accept[:4096].lower().split(","):
        media_type, *parameters = (part.strip() for part in entry.split(";"))
        if "/" in media_type:
            q = next((part[2:].strip() for part in parameters if part.startswith("q=")), "1")
            wanted[media_type] = min(float(q), 1.0) if _DECIMAL.fullmatch(q) else 1.0
    return wanted

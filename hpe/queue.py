"""The queue of large photos: messages of photos that landed in uploads/ -> results/ID.png and results/ID.json.

S3 and SQS may deliver twice and out of order, so a photo that has its result is left alone; a photo that cannot be read
gets its problem as a result; what fails otherwise is tried again by SQS, and ends in the dead-letter queue.
"""

from collections.abc import Callable
from typing import Any, Final

from hpe.errors import OUR_FAULT, HpeError
from hpe.photo.analyse import Estimator, analyse
from hpe.photo.formats import FORMATS, text_of
from hpe.photo.picture import picture
from hpe.photo.recipe import Recipe
from hpe.photo.stages import Stages
from hpe.settings import Settings
from hpe.web.notifications import NOT_UNDERSTOOD, keys_of
from hpe.web.photo_bucket import DONE, PhotoStore, id_of_upload
from hpe.web.problems import INTERNAL, internal, kind_of, problem
from hpe.web.request_log import LOGGER, Record, note

# As in the queue's redrive policy (deploy/resources/photos.yml); a test compares them.
LAST_TRY: Final = 3
Source = Callable[[], Estimator]


def failed_messages(event: dict[str, Any], store: PhotoStore, source: Source, settings: Settings) -> dict[str, Any]:
    """A batch of SQS messages -> the ids of those that SQS must deliver again, as it wants them."""
    messages = event.get("Records", [])
    failed = [message for message in messages if not answer_message(message, store, source, settings)]
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in failed]}


def answer_message(message: dict[str, Any], store: PhotoStore, source: Source, settings: Settings) -> bool:
    """Every photo of one message. False if SQS must deliver it again."""
    last_try = int(message.get("attributes", {}).get("ApproximateReceiveCount", 1)) >= LAST_TRY
    try:
        ids = photo_ids(message.get("body", ""))
    except NOT_UNDERSTOOD:
        LOGGER.exception("message %s is not an S3 notification", message.get("messageId"))
        return False
    done = True
    for photo_id in ids:
        record = Record(str(message.get("messageId", "")), "SQS", route="/uploads")
        try:
            answer_photo(photo_id, store, source, settings, record)
            record.status = record.status or 200
        except Exception as error:  # whatever it is, SQS tries again, and keeps it in the end
            LOGGER.exception("a photo could not be answered")
            kind = kind_of(error) if isinstance(error, HpeError) else INTERNAL
            record.status, record.problem, record.detail = kind.status, kind.type, type(error).__name__
            done = False
            if last_try:
                _give_up(photo_id, store)
        note(record)
    return done


def _give_up(photo_id: str, store: PhotoStore) -> None:
    """Tell the client who waits; if even that cannot be written, the other photos of the batch go on."""
    try:
        store.put_result(photo_id, "problem.json", internal().body, "application/problem+json")
    except Exception:
        LOGGER.exception("the problem of a photo could not be written")


def photo_ids(body: str) -> list[str]:
    """A message's body -> the ids of the photos that landed, without other keys. Raises NOT_UNDERSTOOD."""
    return [photo_id for photo_id in map(id_of_upload, keys_of(body)) if photo_id is not None]


def answer_photo(photo_id: str, store: PhotoStore, source: Source, settings: Settings, record: Record) -> None:
    """One photo: find the people, draw, write both results, delete the photo. Raises what may pass on another try."""
    if store.state(photo_id) == DONE:
        store.delete_upload(photo_id)
        return
    data = store.upload(photo_id, settings.max_upload_bytes)
    if data is None:
        return  # deleted after its day, or done by another delivery
    record.bytes_in = len(data)
    try:
        png, joints, record.people = results(data, source, settings, record.stages)
    except HpeError as error:
        if isinstance(error, OUR_FAULT):
            raise
        answer = problem(error)
        record.status, record.problem, record.detail = answer.status, answer.problem, str(error)
        store.put_result(photo_id, "problem.json", answer.body, "application/problem+json")
    else:
        record.bytes_out = len(png) + len(joints)
        store.put_result(photo_id, "png", png, FORMATS["png"].media_type)
        store.put_result(photo_id, "json", joints, FORMATS["json"].media_type)  # last: where it is, all is there
    store.delete_upload(photo_id)


def results(data: bytes, source: Source, settings: Settings, stages: Stages) -> tuple[bytes, bytes, int]:
    """A photo's bytes -> (the drawn PNG, the joints' JSON as POST /pose gives it, how many people)."""
    # no gateway stands behind it: the drawn photo may be as large as an upload
    recipe = Recipe.of(settings).with_max_bytes(settings.max_upload_bytes)
    found = analyse(data, recipe, source, stages)
    joints = text_of(found.answer, "json").encode()
    return picture(found, "png", recipe, stages).data, joints, len(found.answer.people)

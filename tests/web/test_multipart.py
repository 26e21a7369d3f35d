"""hpe.web.multipart: what is wrong with a form is said; half a photo is never handed over."""

import contextlib
import random
import re

import pytest
from web.fakes import BOUNDARY, form, part, photo

from hpe.errors import BadRequest, HpeError, TooLarge
from hpe.web.multipart import Upload, read_body

PHOTO = photo()
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def read(body: bytes, content_type: str = TYPE, max_parts: int = 20) -> bytes:
    (upload,) = read_body(body, content_type, max_parts)[0]
    return upload.data


def test_the_image_field_is_taken_wherever_it_stands() -> None:
    body = form(part(b"other", "file", "a.txt", "text/plain"), part(b"0.3", "note", None, ""), part(PHOTO))
    assert read(body) == PHOTO


def test_without_an_image_field_the_only_photo_is_taken() -> None:
    body = form(
        part(b"hello", "note", None, ""), part(b"%PDF", "cv", "cv.pdf", "application/pdf"), part(PHOTO, "upload")
    )
    assert read(body) == PHOTO
    assert read(form(part(PHOTO, "a", "a.bin", "application/octet-stream"))) == PHOTO
    assert read(form(part(PHOTO, "a", "a.txt", "text/plain"))) == PHOTO


@pytest.mark.parametrize("second", [part(PHOTO), part(PHOTO, "more"), part(PHOTO, "more", "b.jpg", "")])
def test_a_second_photo_is_not_dropped(second: bytes) -> None:
    uploads, _ = read_body(form(part(PHOTO), second), TYPE, 20)
    assert [upload.data for upload in uploads] == [PHOTO, PHOTO]
    assert uploads[0].file == "photo.jpg"


@pytest.mark.parametrize("names", [("image", "image"), ("camera", "image"), ("image", "camera"), ("a", "b")])
def test_of_two_file_inputs_the_one_that_was_filled_in_is_taken(names: tuple[str, str]) -> None:
    empty, filled = part(b"", names[0], "", "application/octet-stream"), part(PHOTO, names[1])
    assert read(form(empty, filled)) == PHOTO
    assert read(form(filled, empty)) == PHOTO


def test_text_fields_are_handed_over_and_boxes_add_up() -> None:
    sent = (("threshold", b" 0.4\r\n"), ("box", b"1"), ("box", b"2"))
    body = form(*[part(value, name, None, "") for name, value in sent], part(PHOTO))
    assert read_body(body, TYPE, 20) == ([Upload(PHOTO, "photo.jpg")], {"threshold": "0.4", "box": "1;2"})


def test_an_image_field_without_a_file_name_is_taken() -> None:
    assert read(form(part(PHOTO, "image", None, ""))) == PHOTO


def test_a_raw_body_is_the_photo_whatever_its_type_says() -> None:
    for kind in ("image/jpeg", "application/octet-stream", "", "application/x-www-form-urlencoded"):
        assert read(PHOTO, kind) == PHOTO


@pytest.mark.parametrize(
    "content_type",
    [
        f'multipart/form-data; boundary="{BOUNDARY}"',
        f"Multipart/Form-Data; Boundary={BOUNDARY}",
        f"multipart/form-data; charset=utf-8; boundary={BOUNDARY}",
        f"multipart/form-data;boundary={BOUNDARY};charset=utf-8",
        f"  multipart/form-data ; boundary = {BOUNDARY}",
        f"multipart/form-data; junk; boundary={BOUNDARY}",
    ],
)
def test_all_spellings_of_the_content_type_are_read(content_type: str) -> None:
    assert read(form(part(PHOTO)), content_type) == PHOTO


@pytest.mark.parametrize("parameter", ["boundary*=a; boundary*0=b", "boundary*" + "1" * 5000 + "=a"])
def test_a_boundary_that_contradicts_itself_is_refused(parameter: str) -> None:
    with pytest.raises(BadRequest, match="boundary"):
        read(b"--a\r\n", f"multipart/form-data; {parameter}")


def test_what_stands_before_and_after_the_form_is_skipped() -> None:
    body = b"This is a form.\r\nOf several lines.\r\n\r\n" + form(part(PHOTO)) + b"epilogue\r\n"
    assert read(body) == PHOTO


def test_the_last_line_break_may_be_missing() -> None:
    assert read(form(part(PHOTO)).removesuffix(b"\r\n")) == PHOTO


def test_line_breaks_and_boundary_lookalikes_in_the_photo_are_kept() -> None:
    data = b"\r\n\r\n--x\r\n" + PHOTO + b"\r\n--" + BOUNDARY[:-1].encode() + b"\r\n\r\n"
    assert read(form(part(data))) == data


@pytest.mark.parametrize(
    "name", ["фото.jpg", "写真 📷.png", "Ångström.jpg", 'a"b.jpg', "a;b=c.jpg", "..\\..\\x.jpg", "", "x" * 5000]
)
def test_file_names_of_any_kind_do_no_harm(name: str) -> None:
    assert read(form(part(PHOTO, "image", name.replace('"', "%22")))) == PHOTO


def test_file_names_in_other_encodings_do_no_harm() -> None:
    head = b'Content-Disposition: form-data; name="image"; filename="\xe5\x86\x99\xff\x85.jpg"\r\n\r\n'
    assert read(form(head + PHOTO)) == PHOTO
    head = b"Content-Disposition: form-data; name=image; filename*=UTF-8''%e2%82%ac.jpg\r\n\r\n"
    assert read(form(head + PHOTO)) == PHOTO


def test_header_names_of_parts_come_in_any_case() -> None:
    assert read(form(b'CONTENT-DISPOSITION: form-data; NAME="image"; Filename="a.jpg"\r\n\r\n' + PHOTO)) == PHOTO


INNER = form(part(PHOTO), boundary="inner")
BROKEN = {
    "no body": (b"", TYPE, "no body"),
    "no boundary in the type": (form(part(PHOTO)), "multipart/form-data", "no boundary"),
    "empty boundary": (form(part(PHOTO)), "multipart/form-data; boundary=", "no boundary"),
    "wrong boundary": (form(part(PHOTO)), "multipart/form-data; boundary=other", "boundary is not in it"),
    "boundary not allowed": (form(part(PHOTO)), 'multipart/form-data; boundary="a b"', "RFC 2046"),
    "boundary too long": (form(part(PHOTO)), "multipart/form-data; boundary=" + "b" * 71, "RFC 2046"),
    "boundary with bytes over 127": (form(part(PHOTO)), "multipart/form-data; boundary=gr\u00fcn", "RFC 2046"),
    "another multipart": (form(part(PHOTO)), f"multipart/mixed; boundary={BOUNDARY}", "multipart/mixed is not read"),
    "form without its type": (form(part(PHOTO)), "", "looks like a form"),
    "form as JSON": (form(part(PHOTO)), "application/json", "looks like a form"),
    "LF line ends": (form(part(b"data")).replace(b"\r\n", b"\n"), TYPE, "LF"),
    "LF line ends after a preamble": (b"\n" + form(part(b"data")).replace(b"\r\n", b"\n"), TYPE, "LF"),
    "cut off in the photo": (form(part(PHOTO))[: len(PHOTO) // 2], TYPE, "cut off"),
    "cut off before the end": (form(part(PHOTO))[:-4], TYPE, "cut off"),
    "no parts": (f"--{BOUNDARY}--\r\n".encode(), TYPE, "the form is empty"),
    "no parts after a preamble": (f"hello\r\n--{BOUNDARY}--".encode(), TYPE, "the form is empty"),
    "a parameter twice": (
        form(part(PHOTO), part(b"1", "people", None, ""), part(b"2", "people", None, "")),
        TYPE,
        "'people' is given several",
    ),
    "only text fields": (form(part(b"hello", "note", None, "")), TYPE, "no file"),
    "no content disposition": (form(b"X-Nothing: 1\r\n\r\n" + PHOTO), TYPE, "no file"),
    "no part headers at all": (form(b"\r\n" + PHOTO), TYPE, "no file"),
    "no blank line": (form(b'Content-Disposition: form-data; name="image"'), TYPE, "cannot be read"),
    "an empty file": (form(part(b"")), TYPE, "empty"),
    "a form in the form": (
        form(part(form(part(PHOTO), boundary="inner"), "image", None, "multipart/mixed; boundary=inner")),
        TYPE,
        "inside",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_form_is_a_bad_request_with_advice(name: str) -> None:
    body, content_type, words = BROKEN[name]
    with pytest.raises(BadRequest, match=words):
        read(body, content_type)


def test_parts_are_limited_at_the_edge() -> None:
    body = form(*[part(b"x", "note", None, "")] * 19, part(PHOTO))
    assert read(body, max_parts=20) == PHOTO
    with pytest.raises(TooLarge, match=re.escape("20 parts")) as caught:
        read(body, max_parts=19)
    assert caught.value.limit == 19


def test_a_form_cut_off_anywhere_is_never_a_photo() -> None:
    body = form(part(b"1", "note", None, ""), part(PHOTO))
    end = len(body) - len(b"\r\n")
    for length in range(0, end, 3):
        with pytest.raises(BadRequest):
            read(body[:length])


def test_mutated_forms_raise_our_errors_alone() -> None:
    random_bytes = random.Random(7)
    whole = form(part(b"1", "note", None, ""), part(PHOTO[:200]))
    for _ in range(2000):
        body = bytearray(whole)
        for _ in range(random_bytes.randint(1, 6)):
            at = random_bytes.randrange(len(body))
            choice = random_bytes.random()
            if choice < 0.5:
                body[at] = random_bytes.randrange(256)
            elif choice < 0.75:
                del body[at : at + random_bytes.randint(1, 20)]
            else:
                body[at:at] = body[at : at + 40]
        with contextlib.suppress(HpeError):
            assert isinstance(read(bytes(body)), bytes)


def test_a_20_mb_form_is_split_whole() -> None:
    data = random.Random(1).randbytes(20_000_000)
    assert read(form(part(data))) == data

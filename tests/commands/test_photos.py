"""hpe.commands: which photos a folder has and what their results are called, however many there are."""

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from hpe.commands.predict.names import Namer
from hpe.commands.predict.outputs import write_file
from hpe.commands.predict.photos import Photo, find_photos, head_of, media_type, shown, sniffed
from hpe.commands.predict.targets import Targets
from hpe.image.kinds import SUFFIXES


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def names_of(folder: Path, out: str | None = "out", format: str = "png") -> list[str]:
    namer = Namer(Targets(format, out, own=True), [str(folder)])
    return [namer.target(photo) for photo in find_photos([str(folder)])]


def test_folder_comes_in_the_order_of_names_with_its_folders_among_them(tmp_path: Path) -> None:
    touch(tmp_path, "b.jpg", "a/z.PNG", "a/b.heic", "c/d/e.webp", "x.txt", "x.pose.png", "a.avif")
    found = [photo.within for photo in find_photos([str(tmp_path)])]
    assert found == ["a/b.heic", "a/z.PNG", "a.avif", "b.jpg", "c/d/e.webp"]


def test_photos_are_found_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jpg", "b/b.jpg", "c/c.jpg")
    listed: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(str(folder)) or scandir(folder))
    photos = find_photos([str(tmp_path)])
    assert next(photos).within == "a.jpg"
    assert listed == [str(tmp_path)], "the folders in it can wait"
    assert [photo.within for photo in photos] == ["b/b.jpg", "c/c.jpg"]


def test_a_link_to_a_folder_above_does_not_go_round(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    (tmp_path / "up").symlink_to(tmp_path)
    assert [photo.within for photo in find_photos([str(tmp_path)])] == ["a.jpg"]


def test_what_is_not_there_is_a_photo_with_a_problem_or_is_told_when_it_is_read(tmp_path: Path) -> None:
    touch(tmp_path, "empty/x.txt")
    found = list(find_photos(["", str(tmp_path / "empty"), str(tmp_path / "*.bmp"), str(tmp_path / "missing.jpg")]))
    assert [bool(photo.problem) for photo in found] == [True, True, True, False]


def test_results_keep_the_layout_of_the_folder(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "sub/a.jpg")
    assert names_of(tmp_path) == ["out/a.pose.png", "out/sub/a.pose.png"]
    assert names_of(tmp_path, None) == [f"{tmp_path}/a.pose.png", f"{tmp_path}/sub/a.pose.png"]
    assert names_of(tmp_path, format="openpose") == ["out/a_keypoints.json", "out/sub/a_keypoints.json"]


def test_no_two_photos_have_one_result(tmp_path: Path) -> None:
    touch(tmp_path, "x.jpg", "x.png", "x.jpg.png", "X.webp", "x.jpg-2.gif")
    found = names_of(tmp_path)
    assert len({name.casefold() for name in found}) == 5
    assert names_of(tmp_path) == found, "the same ones every time"


def test_many_photos_of_one_name_are_named_without_looking_at_all_the_others() -> None:
    # each of 50,000 tried against each other would take hours
    namer = Namer(Targets("png", "out", own=True), [])
    found = [namer.target(Photo(f"{number}/a.jpg", "a.jpg")) for number in range(50_000)]
    assert len(set(found)) == 50_000
    assert (found[0], found[1], found[-1]) == ("out/a.pose.png", "out/a.jpg.pose.png", "out/a.jpg-49999.pose.png")


@pytest.mark.parametrize(
    ("name", "expected"), [("a.JPG", "image/jpeg"), ("x/a.heif", "image/heic"), ("a.txt", ""), ("jpg", "")]
)
def test_media_types_are_told_by_the_suffix(name: str, expected: str) -> None:
    assert media_type(name).replace("heif", "heic") == expected


def test_bytes_tell_a_photo_whose_name_does_not(tmp_path: Path) -> None:
    touch(tmp_path, "IMG_2", "Makefile", "empty")
    (tmp_path / "IMG_1").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (tmp_path / "IMG_2").write_bytes(b"\xff\xd8\xff\xe0" + bytes(40))
    touch(tmp_path, "IMG_2.jpg", *(f"a{suffix}" for suffix in SUFFIXES))
    found = {photo.within: photo.alone for photo in find_photos([str(tmp_path)])}
    assert set(found) == {"IMG_1", "IMG_2", "IMG_2.jpg", *(f"a{suffix}" for suffix in SUFFIXES)}
    assert found["IMG_1"]
    assert not found["IMG_2"], "a photo of the same name lies beside it"
    assert len(set(names_of(tmp_path))) == len(found)
    assert sniffed((tmp_path / "IMG_1").read_bytes()) == "image/heic"
    assert sniffed(head_of(str(tmp_path / "Makefile"))) == sniffed(head_of(str(tmp_path / "missing"))) == ""


def test_what_a_folder_holds_besides_is_counted(tmp_path: Path) -> None:
    touch(tmp_path, "day.jpg", "._day.jpg", "._night.heic", "day.pose.png", "a/day.pose.jpg", "b/x.jpg", "notes.txt")
    (tmp_path / "linked").symlink_to(tmp_path / "b")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nothing")
    left_out: Counter[str] = Counter()
    assert [photo.within for photo in find_photos([str(tmp_path)], left_out)] == ["b/x.jpg", "day.jpg"]
    assert left_out == {
        "companion file of macOS (._*)": 2,
        "earlier result (*.pose.*)": 2,
        "linked folder": 1,
        "broken link or device": 1,
    }


@pytest.mark.parametrize("name", ["a" * 246 + ".pose.png", "日" * 82 + ".pose.png", "x" * 250 + ".json"])
def test_a_name_as_long_as_file_systems_allow_is_written(tmp_path: Path, name: str) -> None:
    assert 240 <= len(os.fsencode(name)) <= 255
    write_file(str(tmp_path / name), b"result")
    assert (tmp_path / name).read_bytes() == b"result"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_system_that_refuses_chmod_gets_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    write_file(str(tmp_path / "new" / "a.png"), b"result")
    assert (tmp_path / "new" / "a.png").read_bytes() == b"result"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        write_file(str(tmp_path / "file" / "a.png"), b"result")
    target = tmp_path / ("x" * 260 + ".png")
    with pytest.raises(OSError, match=re.escape(f"cannot be written into {tmp_path}: File name too long")):
        write_file(str(target), b"result")
    assert [path.name for path in tmp_path.iterdir()] == ["file"], "no temporary file is left"


def test_names_are_shown_as_text() -> None:
    assert shown("日本.jpg") == "日本.jpg"
    assert shown(os.fsdecode(b"caf\xe9.jpg")) == "caf\\udce9.jpg"

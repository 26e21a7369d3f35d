"""The site's samples: small, credited, and answered by the very model that is committed."""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkout import tracked
from PIL import Image


@pytest.fixture(scope="module")
def samples(root: Path) -> Path:
    """static-site/samples/."""
    return root / "static-site" / "samples"


@pytest.fixture(scope="module")
def names(root: Path) -> list[str]:
    """The samples that the page lists."""
    return re.findall(r'name: "([a-z]+)\.jpg"', (root / "static-site" / "samples.js").read_text())


@pytest.fixture
def program(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """docs/make_samples.py."""
    monkeypatch.syspath_prepend(str(root / "docs"))
    return import_module("make_samples")


def test_every_sample_is_there_small_and_credited(samples: Path, names: list[str], root: Path) -> None:
    assert len(names) >= 3
    files = tracked(samples)
    assert {f.name for f in files} == {f"{n}{end}" for n in names for end in (".jpg", "-thumb.jpg", ".json")}
    assert all(file.stat().st_size <= 60_000 for file in files)
    listed = (root / "static-site" / "samples.js").read_text()
    assert listed.count("credit:") == listed.count("alt:") == len(names)


def test_stored_answers_are_what_the_api_says_now(samples: Path, names: list[str], program: Any) -> None:
    """Else: `make figures`. Other processors' kernels round otherwise, so joints may differ by a little."""
    for name in names:
        photo = samples / f"{name}.jpg"
        stored, now = json.loads((samples / f"{name}.json").read_text()), program.answer(photo.read_bytes())
        assert stored["model"] == now["model"], f"{name}.json is of another model: make figures"
        assert set(now) == set(stored), f"{name}.json has other fields: make figures"
        assert stored["threshold"] == now["threshold"]
        assert (stored["width"], stored["height"]) == Image.open(photo).size
        assert len(stored["people"]) == len(now["people"])
        for a, b in zip(stored["people"], now["people"], strict=True):
            sure = [i for i, k in enumerate(a["keypoints"]) if k["score"] > 1.3 * stored["threshold"]]
            apart = [
                np.hypot(
                    a["keypoints"][i]["x"] - b["keypoints"][i]["x"], a["keypoints"][i]["y"] - b["keypoints"][i]["y"]
                )
                for i in sure
            ]
            assert np.median(apart) < 4, (name, apart)


def test_pictures_are_what_their_program_makes(samples: Path, names: list[str], program: Any) -> None:
    assert sorted(program.PICTURES) == sorted(names)
    for name in names:
        made = program.PICTURES[name]().astype(int)
        stored = np.asarray(Image.open(samples / f"{name}.jpg").convert("RGB"), int)
        assert made.shape == stored.shape
        assert np.abs(made - stored).mean() < 8, name

"""hpe.photo.stages: what each stage of a photo took."""

import re

import pytest

from hpe.photo.stages import Stages


def test_stages_are_timed_in_order_and_added_up_even_if_they_fail() -> None:
    stages = Stages()
    with stages.stage("decode"):
        pass
    with pytest.raises(ValueError, match="x"), stages.stage("infer"):
        raise ValueError("x")
    once = stages.ms["decode"]
    with stages.stage("decode"):
        pass
    assert list(stages.ms) == ["decode", "infer"]
    assert stages.ms["decode"] > once > 0
    assert re.fullmatch(r"decode;dur=[\d.]+, infer;dur=[\d.]+", stages.server_timing())

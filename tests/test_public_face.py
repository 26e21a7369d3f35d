"""`import hpe`: what it shows is what it has, typed, and it takes the same images everywhere."""

import io
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hpe

ROOT = Path(__file__).parents[1]

SNIPPET = """
import hpe
from hpe import JOINTS, SKELETON, DrawStyle, HpeError, Pose, PoseEstimator, draw_pose
from hpe import BadModel, BadRequest, BadSettings, BrokenImage, ModelUnavailable, TooLarge, UnsupportedImage

def names(pose: Pose) -> list[str]:
    return [f"{JOINTS[a]} to {JOINTS[b]}" for a, b in SKELETON if pose.confident[a] and pose.confident[b]]

def main(photo: str) -> None:
    try:
        poses = PoseEstimator()(photo, max_people=3, boxes=[[0, 0, 10, 20]])
    except (BadModel, BadRequest, BadSettings, BrokenImage, ModelUnavailable, TooLarge, UnsupportedImage) as error:
        print(error.limit, error.hint)
        return
    except HpeError as error:
        print(error)
        return
    with open(photo, "rb") as file:
        print(PoseEstimator(threads=2)(file, boxes=[]), draw_pose(file, []).shape)
    print(names(poses[0]), draw_pose(photo, poses, DrawStyle(stroke=2)).shape, hpe.__version__)
"""


def test_dir_shows_the_public_names_and_each_is_there() -> None:
    assert dir(hpe) == sorted(hpe.__all__)
    assert all(getattr(hpe, name) is not None for name in hpe.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'estimator'"):
        _ = hpe.estimator


def test_it_is_typed(tmp_path: Path) -> None:
    (tmp_path / "snippet.py").write_text(SNIPPET)
    config = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "cache")]
    command = [sys.executable, "-m", "mypy", "--strict", *config, "snippet.py"]
    # type checkers do not follow the import hook of an editable installation
    env = {**os.environ, "MYPYPATH": str(ROOT)}
    run = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_what_is_installed_says_that_it_is_typed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "py.typed" in project["tool"]["setuptools"]["package-data"]["hpe"]
    assert (ROOT / "hpe" / "py.typed").exists()


def test_the_skeleton_joins_joints_by_index() -> None:
    edges = {(hpe.JOINTS[a], hpe.JOINTS[b]) for a, b in hpe.SKELETON}
    assert ("right_elbow", "right_wrist") in edges
    assert {joint for edge in edges for joint in edge} == set(hpe.JOINTS)


def test_a_pillow_image_that_lies_on_its_side_is_drawn_upright() -> None:
    upright = np.full((40, 60, 3), 90, np.uint8)
    upright[:10] = 200
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to show it
    out = io.BytesIO()
    Image.fromarray(np.rot90(upright)).save(out, "PNG", exif=exif)
    points = np.stack([np.linspace(5, 50, 16), np.full(16, 25)], axis=1).astype(np.float32)
    pose = hpe.Pose(points, np.ones(16, np.float32), np.array([5, 25, 50, 25], np.float32), 0.9, 0.2)
    expected = hpe.draw_pose(upright, [pose])
    for form in (Image.open(out), out.getvalue()):
        np.testing.assert_array_equal(hpe.draw_pose(form, [pose]), expected)


def test_poses_are_compared_by_their_values() -> None:
    def pose(x: float, score: float = 0.9) -> hpe.Pose:
        points = np.full((16, 2), x, np.float32)
        return hpe.Pose(points, np.ones(16, np.float32), np.zeros(4, np.float32), score, 0.2)

    assert pose(1) == pose(1)
    assert hash(pose(1)) == hash(pose(1))
    assert pose(1) != pose(2)
    assert pose(1) != pose(1, 0.8)
    assert pose(1) != "a pose"
    assert len({pose(1), pose(1), pose(2)}) == 2

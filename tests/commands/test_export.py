"""`hpe export`: checkpoints in, a bundle that the engine opens out."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from networks import lively_network
from train.figures import png, stick_figure, write_tar

from hpe import PoseEstimator
from hpe.commands.export import export
from hpe.engine.bundle import open_bundle
from hpe.errors import BadData, BadModel, BadSettings


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("checkpoints")
    pose, locate = lively_network(18, 16, width=8), lively_network(34, 16, width=8, joints=3)
    locate.final_layer.bias.data = torch.tensor([0.5, 0.3, 0.4])  # a person everywhere, a third of the frame
    torch.save({"state_dict": pose.state_dict(), "size": [128, 96], "sigma": 1.5}, folder / "pose.pt")
    torch.save({"state_dict": locate.state_dict(), "size": [416, 416]}, folder / "locate.pt")
    return {name: str(folder / f"{name}.pt") for name in ("pose", "locate")}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photos of two stick figures each, in the format of whole photos."""
    folder = tmp_path_factory.mktemp("people")
    rows, files = [], {}
    for seed in range(6):
        (left, a), (right, b) = stick_figure(2 * seed), stick_figure(2 * seed + 1)
        files[f"{seed}.png"] = png(np.concatenate([left, right], axis=1))
        found = []
        for points in (a, b + np.array([left.shape[1], 0])):
            box = [*(points.min(axis=0) - 5), *(points.max(axis=0) + 5)]
            joints = [[float(x), float(y), 1] for x, y in points[:16]]
            found.append({"box": [float(v) for v in box], "ignore": False, "joints": joints})
        rows.append({"id": f"stick/{seed}", "shard": "people-0.tar", "file": f"{seed}.png", "people": found})
    write_tar(folder / "people-0.tar", files)
    (folder / "people.json").write_text(json.dumps(rows))
    return folder / "people.json"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(export, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def exported(checkpoints, people: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(the manifest of both checkpoints in int8, what the command said)."""
    out = tmp_path_factory.mktemp("exported") / "models" / "pose.json"
    result = run("--pose", checkpoints["pose"], "--locate", checkpoints["locate"], "--people", people, "--count", 4,
                 "-o", out, "--verify", people)  # fmt: skip
    assert result.exit_code == 0, result.output
    return out, result.output


def test_two_checkpoints_become_a_bundle_that_runs(exported: tuple[Path, str], tmp_path: Path) -> None:
    out, output = exported
    assert sorted(path.name for path in out.parent.iterdir()) == ["locate.onnx", "pose.json", "pose.onnx"]
    card = open_bundle(str(out), tmp_path).card
    assert (card.frame, card.sigma, card.locate.input_size) == ((128, 96), 1.5, 384)
    assert (card.locate.coarse, card.locate.fine) == (None, None)
    assert card.locate.turned is not None
    assert "int8" in card.architecture
    assert "int8" in card.locate.architecture
    image = np.random.default_rng(0).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    estimator = PoseEstimator(str(out), cache_dir=tmp_path)
    assert len(estimator(image, boxes=[[5, 5, 80, 85]])) == 1
    assert isinstance(estimator(image), list)
    for expected in ("pose network", "locator", "torch fp32", "onnx fp32, rewritten", "onnx int8", "left_wrist"):
        assert expected in output
    rows = [line.split() for line in output.splitlines() if line.startswith("onnx fp32, rewritten")]
    assert float(rows[0][4]) < 0.01, "the rewritten pose network puts joints where torch does"
    assert float(rows[1][4]) == 100.0, "and the locator's boxes are torch's"


def test_the_locator_of_a_model_is_kept_as_it_is(
    checkpoints, people: Path, exported: tuple[Path, str], tmp_path: Path
) -> None:
    first, second = exported[0], tmp_path / "second" / "pose.json"
    result = run("--pose", checkpoints["pose"], "--locate", first, "--people", people, "--count", 4, "-o", second)
    assert result.exit_code == 0, result.output
    assert second.with_name("locate.onnx").read_bytes() == first.with_name("locate.onnx").read_bytes()
    cards = [open_bundle(str(path), tmp_path).card.locate for path in (first, second)]
    assert cards[0] is not None
    assert cards[0] == cards[1]


def test_a_model_without_a_locator_has_none_to_keep(checkpoints, people: Path, tmp_path: Path) -> None:
    run("--pose", checkpoints["pose"], "--fp32", "-o", tmp_path / "alone.json")
    result = run(
        "--pose", checkpoints["pose"], "--locate", tmp_path / "alone.json", "--fp32", "-o", tmp_path / "b.json"
    )
    assert isinstance(result.exception, BadModel)
    assert "has no locator" in str(result.exception)


def test_a_pose_network_alone_and_in_fp32(checkpoints, tmp_path: Path) -> None:
    out = tmp_path / "small.json"
    result = run("--pose", checkpoints["pose"], "--fp32", "--size", "64x96", "--name", "small", "-o", out)
    assert result.exit_code == 0, result.output
    bundle = open_bundle(str(out), tmp_path)
    assert (bundle.card.name, bundle.card.frame, bundle.locate) == ("small", (64, 96), None)
    assert bundle.pose.name == "small.onnx"


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        (["--pose", "pose", "--fp32", "-o", "model.onnx"], BadSettings, "named by its manifest, which ends in .json"),
        (["--pose", "pose", "-o", "m.json"], BadSettings, "give --people"),
        (["--pose", "pose", "--fp32", "--size", "100", "-o", "m.json"], BadSettings, "--size 100: give a side or"),
        (["--pose", "pose", "--fp32", "--size", "64x", "-o", "m.json"], BadSettings, "--size 64x: give a side or"),
        (["--pose", "pose", "--fp32", "--size", "64x64x64", "-o", "m.json"], BadSettings, "multiples of 32 px"),
        (["--pose", "pose", "--fp32", "--people", "p.json", "-o", "m.json"], BadSettings, "or else --fp32"),
        (["--pose", "locate", "--fp32", "-o", "m.json"], BadModel, "is a locator: give it with --locate"),
        (["--pose", "pose", "--locate", "pose", "--fp32", "-o", "m.json"], BadModel, "finds joints, not people"),
        (["--pose", "pose", "--people", "none.json", "-o", "m.json"], BadData, "none.json"),
    ],
)
def test_what_cannot_be_exported_is_refused_before_anything_is_written(
    checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], error: type[Exception], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*(checkpoints.get(argument, argument) for argument in arguments))
    assert isinstance(result.exception, error)
    assert why in str(result.exception)
    assert not list(tmp_path.iterdir())

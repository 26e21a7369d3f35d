"""The loop learns, and a run that was cut off goes on exactly where it stood."""

import csv
import dataclasses
import math
import resource
from pathlib import Path

import pytest
import torch
from train.figures import tiny_config, write_photos

from hpe.errors import BadModel, BadSettings
from hpe.train import loop
from hpe.train.checkpoint import read_checkpoint, read_network
from hpe.train.config import Augmentation, Source, Stage, TrainConfig
from hpe.train.loop import Trainer, has_bf16, learning_rate, update_ema
from hpe.train.network import PoseResNet
from hpe.train.runlog import append_row, draw_curve

MILD = Augmentation(
    flip_p=0, colour=0.1, occlude_p=0, rotation_p=0, scale=0.05, aspect=0, box_shift=0, box_size=0.05, cut_p=0,
    mosaic=(1.0, 0.0), zoom=(0.8, 1.1),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_curve(monkeypatch):
    monkeypatch.setattr("hpe.train.loop.draw_curve", lambda log, out: None)


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    return tiny_config(
        tmp_path,
        deconv_channels=16,
        width=8,
        steps=8,
        lr=2e-3,
        ema=0.9,
        validate_every_steps=3,
        augmentation=MILD,
    )


def run(config: TrainConfig, folder: Path, until: int | None = None) -> Trainer:
    """Trains in `folder`; `until` cuts the run off after that step, as a kill after a save would."""
    trainer = Trainer(config, folder)
    if until is None:
        trainer.run()
        return trainer
    batch = trainer.task.batch

    def cut_off(step, stage):
        if step == until:
            trainer.save()
            raise KeyboardInterrupt
        return batch(step, stage)

    trainer.task.batch = cut_off
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    return trainer


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "hours"} for row in csv.DictReader(file)]


def test_a_run_cut_off_and_resumed_is_the_run_that_was_not(config, tmp_path):
    # two stages and augmentation of every kind, so that all of a step's state is in play
    stages = (Stage(0.0, 64, 4), Stage(0.5, 96, 4))
    config = dataclasses.replace(config, stages=stages, augmentation=Augmentation())
    whole = run(config, tmp_path / "whole")
    run(config, tmp_path / "parts", until=5)
    resumed = run(config, tmp_path / "parts")
    assert resumed.step == whole.step == 8
    for name in ("model", "ema"):
        ours, theirs = getattr(resumed, name).state_dict(), getattr(whole, name).state_dict()
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs), name
    moments = [t.optimizer.state_dict()["state"] for t in (whole, resumed)]
    for key, state in moments[0].items():
        assert torch.equal(state["exp_avg_sq"], moments[1][key]["exp_avg_sq"])
    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")
    assert [row["step"] for row in rows(tmp_path / "whole")] == ["3", "6", "8"]


def test_rows_that_will_be_written_again_are_dropped_on_resume(config, tmp_path):
    trainer = run(config, tmp_path / "run", until=4)
    before = rows(tmp_path / "run")
    assert [row["step"] for row in before] == ["3"]
    with (tmp_path / "run/log.csv").open("a") as file:  # validated after the last save, then killed
        file.write("6,0.1,64,1e-3,0.1,99\n")
    resumed = Trainer(config, tmp_path / "run")
    assert resumed.step == trainer.step == 4
    assert rows(tmp_path / "run") == before


def test_eight_stick_figures_are_learnt(config, tmp_path, monkeypatch):
    monkeypatch.setattr("hpe.train.loop.draw_curve", draw_curve)
    people = (config.train[0],)
    config = dataclasses.replace(
        config, train=people, stages=(Stage(0.0, 64, 8),), steps=110, lr=3e-3, warmup_steps=10, validate_every_steps=55
    )
    trainer = run(config, tmp_path / "run")
    # 90 and more were reached, and 0.4; a network that does not learn stays near 10, and at 1
    assert trainer.best > 75
    log = rows(tmp_path / "run")
    assert float(log[-1]["loss"]) < 0.75 * float(log[0]["loss"])
    assert (tmp_path / "run/curve.png").read_bytes().startswith(b"\x89PNG")
    network, saved = read_network(tmp_path / "run/best.pt")
    assert (network.depth, network.deconv_channels, network.joints) == (18, (16, 16, 16), 21)
    assert saved["measures"] == {"people": trainer.best}
    assert (saved["task"], saved["size"], saved["sigma"]) == ("pose", [64, 64], 1.0)


def test_people_in_four_photos_are_learnt(config, tmp_path):
    source = Source("people", str(write_photos(tmp_path, 4, side_px=60)))
    config = dataclasses.replace(
        config, task="locate", train=(source,), val=(source,), stages=(Stage(0.0, 96, 8),), steps=50, lr=4e-3,
        warmup_steps=5, clip_norm=5.0, validate_every_steps=10,
    )  # fmt: skip
    untrained = Trainer(config, tmp_path / "untrained")
    assert untrained.task.validate(untrained.ema, config.stages[0])["ap50_32"] < 40
    trainer = run(config, tmp_path / "run")
    assert trainer.best > 80
    log = rows(tmp_path / "run")
    assert float(log[-1]["loss"]) < 0.5 * float(log[0]["loss"])
    network, saved = read_network(tmp_path / "run/best.pt")
    assert (network.joints, saved["task"], saved["size"]) == (3, "locate", [96, 96])
    assert list(saved["measures"]) == ["ap50_32", "ap50_96", "ap50_0"]


@pytest.mark.parametrize("task", ["pose", "locate"])
def test_the_loop_does_not_ask_what_it_trains(config, tmp_path, task):
    source = Source("people", str(write_photos(tmp_path, 2, side_px=60)))
    config = dataclasses.replace(config, task=task, train=(source,), val=(source,), steps=2, validate_every_steps=1)
    run(config, tmp_path / "parts", until=1)
    resumed, whole = run(config, tmp_path / "parts"), run(config, tmp_path / "whole")
    ours, theirs = resumed.ema.state_dict(), whole.ema.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert [row["step"] for row in rows(tmp_path / "parts")] == ["1", "2"]


def test_a_finished_run_does_nothing_more(config, tmp_path):
    config = dataclasses.replace(config, steps=2)
    run(config, tmp_path / "run")
    before = (tmp_path / "run/log.csv").read_text(), (tmp_path / "run/last.pt").read_bytes()
    assert run(config, tmp_path / "run").step == 2
    assert ((tmp_path / "run/log.csv").read_text(), (tmp_path / "run/last.pt").read_bytes()) == before


def test_a_budget_of_hours_ends_the_run(config, tmp_path):
    config = dataclasses.replace(config, steps=0, hours=1.5 / 3600)
    trainer = run(config, tmp_path / "run")
    assert trainer.elapsed_s >= 1.5
    assert trainer.step >= 1


def test_a_checkpoint_of_another_network_is_refused(config, tmp_path):
    Trainer(config, tmp_path / "run").save()
    with pytest.raises(BadModel, match="holds another network: give the run a new name"):
        Trainer(dataclasses.replace(config, deconv_channels=64), tmp_path / "run")


def test_a_changed_setting_is_told_on_resume(config, tmp_path, capsys):
    Trainer(config, tmp_path / "run").save()
    Trainer(config, tmp_path / "run")
    assert "written under another" not in capsys.readouterr().out
    Trainer(dataclasses.replace(config, lr=1e-4), tmp_path / "run")
    assert "written under another lr" in capsys.readouterr().out


def test_a_loss_that_is_no_number_stops_the_run(config, tmp_path):
    trainer = Trainer(config, tmp_path / "run")
    with torch.no_grad():
        trainer.model.final_layer.bias.fill_(float("nan"))
    with pytest.raises(BadSettings, match=r"the loss is nan: lower lr, now 0.002, and start again: .* its beginning"):
        trainer.run()
    assert not list((tmp_path / "run").glob("*.pt"))


def test_after_a_loss_that_is_no_number_the_run_goes_on_from_its_last_good_weights(config, tmp_path, monkeypatch):
    good = run(config, tmp_path / "run", until=4)
    saved = (tmp_path / "run/last.pt").read_bytes()
    monkeypatch.setattr(loop, "SAVE_EVERY_S", 0)
    broken = Trainer(config, tmp_path / "run")
    broken.task.loss = lambda outputs, targets: outputs.sum() * float("nan")  # as of a label that is no number
    with pytest.raises(BadSettings, match=r"step 5: the loss is nan: .* from step 4, its last checkpoint"):
        broken.run()
    assert (tmp_path / "run/last.pt").read_bytes() == saved
    again = Trainer(dataclasses.replace(config, lr=1e-4), tmp_path / "run")
    assert again.step == 4
    assert all(torch.equal(v, again.model.state_dict()[k]) for k, v in good.model.state_dict().items())
    again.run()
    assert again.step == 8


def test_weights_that_are_no_numbers_are_never_saved_nor_gone_on_from(config, tmp_path):
    trainer = Trainer(config, tmp_path / "run")
    with torch.no_grad():
        trainer.model.final_layer.bias.fill_(float("inf"))
    with pytest.raises(BadSettings, match="the weights are not numbers any more"):
        trainer.save()
    assert not list((tmp_path / "run").glob("*.pt"))
    torch.save({"state_dict": trainer.model.state_dict(), "config": {}}, tmp_path / "run/last.pt")
    with pytest.raises(BadModel, match="holds weights that are not numbers: delete it"):
        Trainer(config, tmp_path / "run")


def test_a_full_disk_is_one_line_and_keeps_the_last_checkpoint(config, tmp_path, monkeypatch):
    trainer = run(config, tmp_path / "run", until=3)
    kept = {name: (tmp_path / "run" / name).read_bytes() for name in ("last.pt", "best.pt", "log.csv")}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))  # smaller than a checkpoint
    try:
        with pytest.raises(BadSettings, match=r"last\.pt: this checkpoint cannot be written .*the one before is kept"):
            trainer.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {*kept}
    assert {name: (tmp_path / "run" / name).read_bytes() for name in kept} == kept
    log = tmp_path / "run/log.csv"
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 3, before[1]))
    try:
        with pytest.raises(BadSettings, match=r"log\.csv: cannot be written"):
            append_row(log, rows(tmp_path / "run")[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert log.read_bytes() == kept["log.csv"]


def test_a_warm_start_takes_what_fits(config, tmp_path):
    torch.manual_seed(5)
    wide = PoseResNet(18, deconv_channels=64, width=8)
    torch.save({f"module.{k}": v.half() for k, v in wide.state_dict().items() if v.ndim}, tmp_path / "wide.pth")
    start = dataclasses.replace(config, init=str(tmp_path / "wide.pth"), init_channels="bgr")
    model = Trainer(start, tmp_path / "run").model
    torch.testing.assert_close(model.layer4[1].conv2.weight, wide.layer4[1].conv2.weight.half().float())
    torch.testing.assert_close(model.conv1.weight, wide.conv1.weight.half().float().flip(1))
    assert model.deconv_layers[0].weight.shape[1] == 16
    with pytest.raises(BadModel, match="does not fit ResNet-50"):
        Trainer(dataclasses.replace(start, depth=50), tmp_path / "other")


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(BadModel, match="no such checkpoint"):
        read_checkpoint(tmp_path / "gone.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(BadModel, match="not a checkpoint that can be loaded safely"):
        read_checkpoint(tmp_path / "text.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(BadModel, match="holds a list"):
        read_checkpoint(tmp_path / "list.pt")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(BadModel, match="not a PoseResNet checkpoint"):
        read_network(tmp_path / "other.pt")


def test_the_learning_rate_warms_up_and_falls_as_a_cosine():
    config = TrainConfig("x", (), (), steps=1000, lr=1e-3, lr_end=1e-5, warmup_steps=100)
    rates = [learning_rate(config, step, step / 1000) for step in range(1000)]
    assert rates[0] == pytest.approx(1e-5, rel=0.01)
    assert max(rates) == pytest.approx(1e-3, rel=0.03)
    assert 90 < rates.index(max(rates)) < 110
    assert rates[550] == pytest.approx(1e-5 + (1e-3 - 1e-5) * 0.5 * (1 + math.cos(math.pi * 0.55)))
    assert rates[-1] == pytest.approx(1e-5, rel=0.01)


@pytest.mark.parametrize(
    ("cpu", "pays"),
    [
        ({"cpu_name": "AMD EPYC 9R14", "avx512_bf16": True}, True),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": True}, True),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": False}, False),
        ({"cpu_name": "AMD EPYC 7R32", "avx512_bf16": False}, False),
        ({}, False),
    ],
)
def test_bfloat16_is_used_where_it_pays(monkeypatch, cpu, pays):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: cpu)
    assert has_bf16(torch.device("cpu")) is pays
    assert has_bf16(torch.device("cuda"))


def test_ema_moves_weights_by_its_share_and_copies_statistics():
    torch.manual_seed(0)
    ema, model = (PoseResNet(18, deconv_channels=8, width=8) for _ in range(2))
    before = ema.conv1.weight.detach().clone()
    model.bn1.running_mean += 3
    update_ema(ema, model, 0.9)
    torch.testing.assert_close(ema.conv1.weight, 0.9 * before + 0.1 * model.conv1.weight)
    assert torch.equal(ema.bn1.running_mean, model.bn1.running_mean)

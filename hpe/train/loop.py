"""The training loop: AdamW, warm-up and cosine, EMA, gradient clipping, exact resume, best checkpoint by val PCK."""

import copy
import csv
import dataclasses
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from hpe.errors import BadModel
from hpe.train.batches import Batch, SamplePool, batches_from
from hpe.train.config import Stage, TrainConfig, as_dict
from hpe.train.evaluate import CropValidator
from hpe.train.loss import JointsMSELoss
from hpe.train.network import PoseResNet, describe, load_weights

MEAN_RGB = (0.485, 0.456, 0.406)
STD_RGB = (0.229, 0.224, 0.225)


def normalise(images: Tensor) -> Tensor:
    """(N, S, S, 3) uint8 RGB -> (N, 3, S, S) float32 channels_last, ImageNet mean and standard deviation."""
    mean = torch.tensor(MEAN_RGB, device=images.device) * 255
    std = torch.tensor(STD_RGB, device=images.device) * 255
    # a permuted NHWC tensor already has channels_last strides
    return ((images.float() - mean) / std).permute(0, 3, 1, 2)


def learning_rate(config: TrainConfig, step: int, progress: float) -> float:
    """Linear warm-up over `warmup_steps`, then half a cosine from lr to lr_end over the run's progress 0..1."""
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return warm * (config.lr_end + (config.lr - config.lr_end) * cosine)


class Trainer:
    """One run in one folder: checkpoint `last.pt`, best weights `best.pt`, `log.csv`, `curve.png`."""

    def __init__(self, config: TrainConfig, folder: Path, device: str = "cpu") -> None:
        self.config, self.folder, self.device = config, folder, torch.device(device)
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.model = PoseResNet(config.depth, deconv_channels=config.deconv_channels)
        self.model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if config.init:
            load_weights(self.model, _initial_weights(config))
        self.ema = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.loss = JointsMSELoss()
        self.optimizer = torch.optim.AdamW(_groups(self.model, config.weight_decay), lr=config.lr)
        self.step, self.elapsed_s, self.best = 0, 0.0, 0.0
        if (folder / "last.pt").exists():
            self._resume(folder / "last.pt")

    def progress(self) -> float:
        """0..1: the share of the steps, or of the hours, that this run has used."""
        if self.config.steps:
            return self.step / self.config.steps
        return self.elapsed_s / (self.config.hours * 3600)

    def stage(self) -> Stage:
        return [s for s in self.config.stages if s.start <= self.progress()][-1]

    def run(self) -> None:
        """Trains to the end of the budget, from wherever the folder's checkpoint stands."""
        print(describe(self.model), f"on {self.device}, from step {self.step}", flush=True)
        pool = SamplePool(self.config)
        validator = CropValidator(self.config.val)
        saved = time.monotonic()
        stage, batches = self.stage(), None
        bar = tqdm(total=100, unit="%", initial=round(100 * self.progress()), dynamic_ncols=True, mininterval=5)
        losses: list[float] = []
        while self.progress() < 1:
            started = time.monotonic()
            if batches is None or self.stage() != stage:
                stage = self.stage()
                batches = batches_from(self.config, pool, stage.size, stage.batch, self.step)
            losses.append(self._one_step(batches))
            self.elapsed_s += time.monotonic() - started
            if self.step % self.config.validate_every_steps == 0:
                started = time.monotonic()
                self._validate(validator, stage, losses)
                self.elapsed_s += time.monotonic() - started
                losses = []
            if time.monotonic() - saved > self.config.save_every_s:
                self.save()
                saved = time.monotonic()
            bar.n = round(100 * self.progress(), 1)
            bar.set_postfix(
                step=self.step, px=stage.size, loss=f"{losses[-1] if losses else 0:.5f}", pck=f"{self.best:.1f}"
            )
        bar.close()
        self._validate(validator, stage, losses)
        self.save()

    def _one_step(self, batches: Iterator[Batch]) -> float:
        images, targets, weights = (t.to(self.device, non_blocking=True) for t in next(batches))
        rate = learning_rate(self.config, self.step, self.progress())
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            predicted = self.model(normalise(images))
        loss = self.loss(predicted.float(), targets, weights)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self.step += 1
        update_ema(self.ema, self.model, min(self.config.ema, (1 + self.step) / (10 + self.step)))
        return float(loss.detach())

    def _validate(self, validator: CropValidator, stage: Stage, losses: list[float]) -> None:
        score = validator.pck(self.ema, stage.size, self.device)
        row = {
            "step": self.step,
            "hours": round(self.elapsed_s / 3600, 4),
            "size": stage.size,
            "lr": round(self.optimizer.param_groups[0]["lr"], 7),
            "loss": round(float(np.mean(losses)), 7) if losses else "",
            "val_pck": round(score, 2),
        }
        new = not (self.folder / "log.csv").exists()
        with (self.folder / "log.csv").open("a", newline="") as file:
            writer = csv.DictWriter(file, row)
            if new:
                writer.writeheader()
            writer.writerow(row)
        tqdm.write(f"step {self.step}  {stage.size} px  loss {row['loss']}  val PCK@0.2 {score:.1f}")
        if score >= self.best:
            self.best = score
            _write(self.folder / "best.pt", self._weights(score))
        from hpe.train.curve import draw_curve

        draw_curve(self.folder / "log.csv", self.folder / "curve.png")

    def _weights(self, score: float) -> dict[str, Any]:
        return {
            "state_dict": {k: v.half() if v.is_floating_point() else v for k, v in self.ema.state_dict().items()},
            "depth": self.config.depth,
            "deconv_channels": self.config.deconv_channels,
            "val_pck": score,
            "step": self.step,
            "size": self.stage().size,
        }

    def save(self) -> None:
        """Writes `last.pt`: all that an exact resume needs."""
        _write(
            self.folder / "last.pt",
            {
                "state_dict": self.model.state_dict(),
                "ema": self.ema.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "elapsed_s": self.elapsed_s,
                "best": self.best,
                "torch_rng": torch.get_rng_state(),
                "config": as_dict(self.config),
            },
        )

    def _resume(self, path: Path) -> None:
        saved = read_checkpoint(path)
        self.model.load_state_dict(saved["state_dict"])
        self.ema.load_state_dict(saved["ema"])
        self.optimizer.load_state_dict(saved["optimizer"])
        torch.set_rng_state(saved["torch_rng"])
        self.step, self.elapsed_s, self.best = saved["step"], saved["elapsed_s"], saved["best"]
        random.seed(self.step)


def _initial_weights(config: TrainConfig) -> dict[str, Tensor]:
    """The state_dict to start from, its first convolution turned round where it was trained on BGR pictures."""
    state: dict[str, Tensor] = dict(read_checkpoint(Path(config.init).expanduser())["state_dict"])
    if config.init_channels == "bgr":
        state["conv1.weight"] = state["conv1.weight"].flip(1)
    return state


def update_ema(ema: nn.Module, model: nn.Module, decay: float) -> None:
    """Moves the averaged weights towards the model's: e <- decay * e + (1 - decay) * m. BN statistics are copied."""
    with torch.no_grad():
        for e, m in zip(ema.parameters(), model.parameters(), strict=True):
            e.lerp_(m, 1 - decay)
        for e, m in zip(ema.buffers(), model.buffers(), strict=True):
            e.copy_(m)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A .pt or .pth file -> dict with at least `state_dict`. Loaded with weights_only: nothing in it can run."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BadModel(f"{path}: no such checkpoint") from error
    except Exception as error:  # torch raises many kinds for files that are not checkpoints
        raise BadModel(f"{path} is not a checkpoint that can be loaded safely: {str(error).splitlines()[0]}") from error
    if not isinstance(saved, dict):
        raise BadModel(f"{path}: holds a {type(saved).__name__}, expected a dict of weights")
    return saved if "state_dict" in saved else {"state_dict": saved}


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay on convolution kernels only, not on biases and BN."""
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _write(path: Path, content: dict[str, Any]) -> None:
    """Atomically: a run killed while saving still has its last checkpoint."""
    part = path.with_suffix(".part")
    torch.save(content, part)
    part.replace(path)


__all__ = ["Trainer", "learning_rate", "normalise", "read_checkpoint", "update_ema", "dataclasses"]

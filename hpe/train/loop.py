"""The training loop: AdamW, warm-up and cosine, EMA, gradient clipping, exact resume, best checkpoint by val PCK."""

import copy
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from hpe.errors import BadModel, BadSettings
from hpe.train.batches import Batch, SamplePool, WorkerBatches
from hpe.train.checkpoint import read_checkpoint, take_initial_weights, write_checkpoint
from hpe.train.config import Stage, TrainConfig, as_dict
from hpe.train.gpu_augment import DeviceBatches
from hpe.train.loss import JointsMSELoss
from hpe.train.network import PoseResNet, describe, normalise
from hpe.train.runlog import append_row, draw_curve, drop_rows_after
from hpe.train.validate import CropValidator


def learning_rate(config: TrainConfig, step: int, progress: float) -> float:
    """Linear warm-up over `warmup_steps`, then half a cosine from lr to lr_end over the run's progress 0..1."""
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return warm * (config.lr_end + (config.lr - config.lr_end) * cosine)


def has_bf16(device: torch.device) -> bool:
    """Whether bfloat16 pays: on any GPU, and on CPUs with instructions for it, where it halves a step's time."""
    if device.type != "cpu":
        return True
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


class Trainer:
    """One run in one folder: checkpoint `last.pt`, best weights `best.pt`, `log.csv`, `curve.png`."""

    def __init__(self, config: TrainConfig, folder: Path, device: str = "cpu") -> None:
        self.config, self.folder, self.device = config, folder, torch.device(device)
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = True
        self.model = PoseResNet(config.depth, deconv_channels=config.deconv_channels)
        last = folder / "last.pt"
        if config.init and not last.exists():
            print(take_initial_weights(self.model, Path(config.init).expanduser(), config.init_channels), flush=True)
        self.model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.bf16 = has_bf16(self.device) if config.precision == "auto" else config.precision == "bf16"
        self.loss = JointsMSELoss()
        groups = _groups(self.model, config.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=config.lr, fused=True)
        self.step, self.elapsed_s, self.best = 0, 0.0, 0.0
        # since the last validation; kept on the device, so that a step need not wait for the GPU
        self.loss_sum, self.loss_steps = torch.zeros((), device=self.device), 0
        if last.exists():
            self._resume(last)

    def progress(self) -> float:
        """0..1: the share of the steps, or of the hours, that this run has used."""
        if self.config.steps:
            return self.step / self.config.steps
        return self.elapsed_s / (self.config.hours * 3600)

    def stage(self) -> Stage:
        return [s for s in self.config.stages if s.start <= self.progress()][-1]

    def run(self) -> None:
        """Trains to the end of the budget, from wherever the folder's checkpoint stands."""
        numbers = "bfloat16" if self.bf16 else "float32"
        print(describe(self.model), f"on {self.device} in {numbers}, from step {self.step}", flush=True)
        source = self._batch_source(SamplePool(self.config))
        validator = CropValidator(self.config.val, Path(self.config.cache), self.config.sigma, self.config.flip_eval)
        saved_s = time.monotonic()
        stage: Stage | None = None
        batches: Iterator[Batch] = iter(())
        with tqdm(total=100, unit="%", dynamic_ncols=True, mininterval=5) as bar:
            while self.progress() < 1:
                started_s = time.monotonic()
                if self.stage() != stage:
                    stage = self.stage()
                    batches = source.since(self.step, stage.size, stage.batch)
                self._one_step(next(batches))
                if self.step % self.config.validate_every_steps == 0 and self.progress() < 1:
                    self._validate(validator, stage.size)
                self.elapsed_s += time.monotonic() - started_s
                if time.monotonic() - saved_s > self.config.save_every_s:
                    self.save()
                    saved_s = time.monotonic()
                self._show(bar, stage)
        if self.loss_steps:  # not on a run that had finished before
            self._validate(validator, self.config.stages[-1].size)
            self.save()

    def _batch_source(self, pool: SamplePool) -> WorkerBatches | DeviceBatches:
        on_device = self.config.augment_on == "device" or (
            self.config.augment_on == "auto" and self.device.type == "cuda"
        )
        return DeviceBatches(self.config, pool, self.device) if on_device else WorkerBatches(self.config, pool)

    def _show(self, bar: "tqdm[Any]", stage: Stage) -> None:
        if self.step % 10 and self.progress() < 1:
            return
        loss = float(self.loss_sum) / max(1, self.loss_steps)
        bar.set_postfix(step=self.step, px=stage.size, loss=f"{loss:.5f}", pck=f"{self.best:.1f}", refresh=False)
        bar.update(round(100 * min(1.0, self.progress()), 2) - bar.n)

    def _one_step(self, batch: Batch) -> None:
        images, targets, weights = (t.to(self.device, non_blocking=True) for t in batch)
        rate = learning_rate(self.config, self.step, self.progress())
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            predicted = self.model(normalise(images))
        loss = self.loss(predicted.float(), targets, weights)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self.step += 1
        update_ema(self.ema, self.model, min(self.config.ema, (1 + self.step) / (10 + self.step)))
        self.loss_sum += loss.detach()
        self.loss_steps += 1

    def _validate(self, validator: CropValidator, size: int) -> None:
        loss = float(self.loss_sum) / max(1, self.loss_steps)
        if not math.isfinite(loss):
            raise BadSettings(f"step {self.step}: the loss is {loss}: lower lr, now {self.config.lr}, and start again")
        score = validator.pck(self.ema, size, self.device)
        row = {
            "step": self.step,
            "hours": round(self.elapsed_s / 3600, 4),
            "size": size,
            "lr": f"{self.optimizer.param_groups[0]['lr']:.3e}",
            "loss": round(loss, 7),
            "val_pck": round(score, 2),
        }
        append_row(self.folder / "log.csv", row)
        tqdm.write(f"step {self.step}  {size} px  loss {loss:.6f}  val PCK@0.2 {score:.1f}")
        if score >= self.best:
            self.best = score
            write_checkpoint(self.folder / "best.pt", self._weights(score, size))
        self.loss_sum, self.loss_steps = torch.zeros_like(self.loss_sum), 0
        draw_curve(self.folder / "log.csv", self.folder / "curve.png")

    def _weights(self, score: float, size: int) -> dict[str, Any]:
        """What `best.pt` holds: the averaged weights as float16, and what is needed to use them."""
        state = {k: v.half() if v.is_floating_point() else v for k, v in self.ema.state_dict().items()}
        facts = {"val_pck": score, "step": self.step, "size": size, "sigma": self.config.sigma}
        shape = {"depth": self.config.depth, "deconv_channels": self.config.deconv_channels}
        return {"state_dict": state, **shape, **facts, "hours": self.elapsed_s / 3600, "config": as_dict(self.config)}

    def save(self) -> None:
        """Writes `last.pt`: all that an exact resume needs. Batches depend on the step alone, so no RNG is kept."""
        content = {
            "state_dict": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "best": self.best,
            "loss_sum": self.loss_sum,
            "loss_steps": self.loss_steps,
            "config": as_dict(self.config),
        }
        write_checkpoint(self.folder / "last.pt", content)

    def _resume(self, path: Path) -> None:
        saved = read_checkpoint(path)
        changed = [k for k, v in as_dict(self.config).items() if saved["config"].get(k) != v]
        if changed:
            print(f"{path} was written under another {', '.join(changed)}: the run goes on with the new", flush=True)
        try:
            self.model.load_state_dict(saved["state_dict"])
        except RuntimeError as error:
            raise BadModel(f"{path} holds another network: give the run a new name, or delete its folder") from error
        self.ema.load_state_dict(saved["ema"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.elapsed_s, self.best = saved["step"], saved["elapsed_s"], saved["best"]
        self.loss_sum += saved["loss_sum"].to(self.device)
        self.loss_steps = saved["loss_steps"]
        drop_rows_after(self.folder / "log.csv", self.step)


def update_ema(ema: nn.Module, model: nn.Module, decay: float) -> None:
    """Moves the averaged weights towards the model's: e <- decay * e + (1 - decay) * m. BN statistics are copied."""
    with torch.no_grad():
        torch._foreach_lerp_([p.data for p in ema.parameters()], [p.data for p in model.parameters()], 1 - decay)
        for e, m in zip(ema.buffers(), model.buffers(), strict=True):
            e.copy_(m)


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, list[Tensor] | float]]:
    """Weight decay on convolution kernels only, not on biases and BN."""
    kernels: list[Tensor] = [p for p in model.parameters() if p.ndim > 1]
    others: list[Tensor] = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


__all__ = ["Trainer", "learning_rate", "update_ema"]

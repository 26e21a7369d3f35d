"""The training loop: AdamW, warm-up and cosine, EMA, gradient clipping, exact resume, best checkpoint by validation.

It does not know what is trained: `hpe.train.tasks` does.
"""

import copy
import math
import time
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from tqdm import tqdm

from hpe.errors import BadModel, BadSettings
from hpe.train.checkpoint import (
    is_finite,
    pruned_network,
    read_checkpoint,
    same_keypoints,
    take_initial_weights,
    write_checkpoint,
)
from hpe.train.config import Stage, TrainConfig, as_dict
from hpe.train.network import PoseResNet, describe, is_trimmed, normalise, trimmed
from hpe.train.runlog import append_row, draw_curve, drop_rows_after
from hpe.train.tasks import open_task

# Seconds between two checkpoints.
SAVE_EVERY_S: Final[float] = 120.0


def learning_rate(config: TrainConfig, step: int, progress: float) -> float:
    """Linear warm-up over `warmup_steps`, then half a cosine from lr to lr_end over the run's progress 0..1."""
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return warm * (config.lr_end + (config.lr - config.lr_end) * cosine)


def has_bf16(device: torch.device) -> bool:
    """Whether bfloat16 pays: on any GPU; on CPUs with AMX, and AMD's with AVX512-BF16, where it halves a step's time.

    On a Xeon with AVX512-BF16 but without AMX a convolution took 1.6 times as long as in float32.
    """
    if device.type != "cpu":
        return True
    cpu = torch.cpu.get_capabilities()
    return bool(cpu.get("amx_bf16") or (cpu.get("avx512_bf16") and "intel" not in str(cpu.get("cpu_name", "")).lower()))


class Trainer:
    """One run in one folder: checkpoint `last.pt`, best weights `best.pt`, `log.csv`, `curve.png`."""

    def __init__(self, config: TrainConfig, folder: Path, device: str = "cpu") -> None:
        self.config, self.folder, self.device = config, folder, torch.device(device)
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = True
        self.task = open_task(config, self.device)
        last = folder / "last.pt"
        self.model = self._network(last)
        if is_trimmed(self.model.conv1):
            # stays so: AdamW leaves a zero without a gradient alone
            self.model.conv1.weight.register_hook(trimmed)  # type: ignore[no-untyped-call]
        frozen = [self.model.conv1, self.model.bn1, *(getattr(self.model, f"layer{n}") for n in range(1, 5))]
        self.frozen = frozen[: config.freeze and config.freeze + 1]
        for part in self.frozen:
            part.requires_grad_(False)
        self.model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.bf16 = has_bf16(self.device)
        groups = _groups(self.model, config.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=config.lr, fused=True)
        self.step, self.saved_step, self.elapsed_s, self.best = 0, 0, 0.0, 0.0
        # since the last validation; kept on the device, so that a step need not wait for the GPU
        self.loss_sum, self.loss_steps = torch.zeros((), device=self.device), 0
        if last.exists():
            self._resume(last)

    def _network(self, last: Path) -> PoseResNet:
        """The task's network with the weights to start from; it has the widths of a pruned one's."""
        network, config = self.task.network(), self.config
        if not config.init:
            return network
        start = last if last.exists() else Path(config.init).expanduser()
        pruned = pruned_network(start)
        if pruned is not None:
            if not same_keypoints(pruned.joints, network.joints):
                raise BadModel(f"{start} gives {pruned.joints} maps: the task {config.task} has {network.joints}")
            return pruned
        if start != last:
            print(take_initial_weights(network, start, config.init_channels), flush=True)
        return network

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
        saved_s = time.monotonic()
        with tqdm(total=100, unit="%", dynamic_ncols=True, mininterval=5) as bar:
            while self.progress() < 1:
                started_s = time.monotonic()
                stage = self.stage()
                self._one_step(stage)
                if self.step % self.config.validate_every_steps == 0 and self.progress() < 1:
                    self._validate(stage)
                self.elapsed_s += time.monotonic() - started_s
                if time.monotonic() - saved_s > SAVE_EVERY_S:
                    self.save()
                    saved_s = time.monotonic()
                self._show(bar, stage)
        if self.loss_steps:  # not on a run that had finished before
            self._validate(self.config.stages[-1])
            self.save()

    def _show(self, bar: "tqdm[Any]", stage: Stage) -> None:
        if self.step % 10 and self.progress() < 1:
            return
        loss = float(self.loss_sum) / max(1, self.loss_steps)
        bar.set_postfix(step=self.step, px=stage.size, loss=f"{loss:.5f}", best=f"{self.best:.1f}", refresh=False)
        bar.update(round(100 * min(1.0, self.progress()), 2) - bar.n)

    def _one_step(self, stage: Stage) -> None:
        images, targets = self.task.batch(self.step, stage)
        rate = learning_rate(self.config, self.step, self.progress())
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        for part in self.frozen:
            part.eval()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            predicted = self.model(normalise(images))
        loss = self.task.loss(predicted.float(), targets)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self.step += 1
        update_ema(self.ema, self.model, min(self.config.ema, (1 + self.step) / (10 + self.step)))
        self.loss_sum += loss.detach()
        self.loss_steps += 1

    def _validate(self, stage: Stage) -> None:
        loss = self._checked_loss()
        self.ema.eval()
        measures = {name: round(value, 2) for name, value in self.task.validate(self.ema, stage).items()}
        row = {
            "step": self.step,
            "hours": round(self.elapsed_s / 3600, 4),
            "size": f"{stage.height}x{stage.width}",
            "lr": f"{self.optimizer.param_groups[0]['lr']:.3e}",
            "loss": round(loss, 7),
            **measures,
        }
        append_row(self.folder / "log.csv", row)
        figures = "  ".join(f"{name} {value:.1f}" for name, value in measures.items())
        tqdm.write(f"step {self.step}  {row['size']} px  loss {loss:.6f}  {figures}")
        score = next(iter(measures.values()))
        if score >= self.best:
            self.best = score
            write_checkpoint(self.folder / "best.pt", self._weights(measures, stage))
        self.loss_sum, self.loss_steps = torch.zeros_like(self.loss_sum), 0
        draw_curve(self.folder / "log.csv", self.folder / "curve.png")

    def _weights(self, measures: dict[str, float], stage: Stage) -> dict[str, Any]:
        """What `best.pt` holds: the averaged weights as float16, and what is needed to use them."""
        state = {k: v.half() if v.is_floating_point() else v for k, v in self.ema.state_dict().items()}
        facts = {**self.task.facts(), "measures": measures, "step": self.step, "size": [stage.height, stage.width]}
        return {"state_dict": state, **facts, "hours": self.elapsed_s / 3600, "config": as_dict(self.config)}

    def _checked_loss(self) -> float:
        """The mean loss since the last validation. Raises BadSettings if it, or a weight, is not a number any more.

        Before anything is saved: what is saved can be gone on from.
        """
        loss = float(self.loss_sum) / max(1, self.loss_steps)
        if math.isfinite(loss) and is_finite(self.model.state_dict()):
            return loss
        what = "the weights are not numbers any more" if math.isfinite(loss) else f"the loss is {loss}"
        there = (self.folder / "last.pt").exists()
        onward = f"step {self.saved_step}, its last checkpoint" if there else "its beginning"
        raise BadSettings(
            f"step {self.step}: {what}: lower lr, now {self.config.lr:g}, and start again: "
            f"the run goes on from {onward}"
        )

    def save(self) -> None:
        """Writes `last.pt`: all that an exact resume needs. Batches depend on the step alone, so no RNG is kept.

        Raises BadSettings for weights that are not numbers, and for a disk that is full.
        """
        self._checked_loss()
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
        self.saved_step = self.step

    def _resume(self, path: Path) -> None:
        saved = read_checkpoint(path)
        changed = [k for k, v in as_dict(self.config).items() if saved["config"].get(k) != v]
        if changed:
            print(f"{path} was written under another {', '.join(changed)}: the run goes on with the new", flush=True)
        try:
            self.model.load_state_dict(saved["state_dict"])
        except RuntimeError as error:
            raise BadModel(f"{path} holds another network: give the run a new name, or delete its folder") from error
        if not is_finite(saved["state_dict"]):
            raise BadModel(f"{path} holds weights that are not numbers: delete it, and the run begins again")
        self.ema.load_state_dict(saved["ema"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.elapsed_s, self.best = saved["step"], saved["elapsed_s"], saved["best"]
        self.saved_step = self.step
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

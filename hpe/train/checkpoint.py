"""Checkpoints: reading any of ours or Microsoft's safely, writing ours whole."""

import contextlib
import re
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from hpe.errors import BadModel, BadSettings
from hpe.pose.skeleton import NUM_JOINTS, NUM_KEYPOINTS
from hpe.train.network import BLOCKS, PoseResNet

State = dict[str, Tensor]
# a map of people's centres, and two of their width and height
LOCATOR_OUTPUTS: Final = 3


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A .pt or .pth file -> dict with at least `state_dict`. Loaded with weights_only: nothing in it can run."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BadModel(f"{path}: no such checkpoint") from error
    except Exception as error:  # torch raises many kinds for files that are not checkpoints
        # Torch's own message advises to load it unsafely.
        code = re.search(r"Unsupported (?:global|class|type)\b\W*(?:GLOBAL )?([\w.]+)", str(error))
        reason = f"it holds {code[1]}, which may run code" if code else "torch.save did not write it, or not all of it"
        raise BadModel(
            f"{path} is not a checkpoint that can be loaded safely: {reason}; "
            "give weights alone, as torch.save(network.state_dict(), path) writes them"
        ) from error
    if not isinstance(saved, dict):
        raise BadModel(f"{path}: holds a {type(saved).__name__}, expected a dict of weights")
    content = saved if "state_dict" in saved else {"state_dict": saved}
    for name in ("ema", "state_dict"):
        weights = content.get(name) or {}
        if not isinstance(weights, dict) or not all(
            isinstance(key, str) and isinstance(value, Tensor) for key, value in weights.items()
        ):
            raise BadModel(f"{path}: {name} is not a dict of weights by name: save network.state_dict() as state_dict")
    return content


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Atomically: a run killed while saving, or out of disk space, still has its last checkpoint.

    Raises BadSettings if it cannot be written.
    """
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as file:  # if torch opens the file itself, it does not tell what went wrong
            torch.save(content, file)
        part.replace(path)
    except (OSError, RuntimeError) as error:
        cause = error.__context__ if isinstance(error, RuntimeError) else error
        if not isinstance(cause, OSError):
            raise
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        kept = "the one before is kept: " if path.exists() else ""
        raise BadSettings(
            f"{path}: this checkpoint cannot be written ({cause.strerror}); {kept}free some space or name another "
            "folder with --out, and start again"
        ) from error


def is_finite(state: State) -> bool:
    """Whether all weights are numbers."""
    return all(bool(v.isfinite().all()) for v in state.values() if v.is_floating_point())


def read_network(path: Path) -> tuple[PoseResNet, dict[str, Any]]:
    """A checkpoint -> its PoseResNet in eval mode, depth and widths read off the weights, and the rest of the file.

    A run's `last.pt` holds averaged weights as well (`ema`): those are taken, as for `best.pt`. Raises BadModel
    naming the keys that are missing, unexpected or of another shape.
    """
    saved = read_checkpoint(path)
    state = plain_state(saved.get("ema") or saved["state_dict"])
    missing = [k for k in ("conv1.weight", "deconv_layers.0.weight", "final_layer.weight") if k not in state]
    if missing:
        raise BadModel(f"{path}: not a PoseResNet checkpoint: it lacks {', '.join(missing)}")
    if len(state["final_layer.weight"]) not in (NUM_JOINTS, NUM_KEYPOINTS, LOCATOR_OUTPUTS):
        raise BadModel(
            f"{path}: has {len(state['final_layer.weight'])} outputs; expected the {NUM_JOINTS} joints of MPII, in its "
            f"order, or {NUM_KEYPOINTS} with the face, or a locator's {LOCATOR_OUTPUTS}"
        )
    model = network_like(_depth(state, path), state)
    own = model.state_dict()
    # very old checkpoints have no batch counters, which play no part in eval mode
    state = {k: v for k, v in own.items() if k.endswith("num_batches_tracked")} | state
    problems = [
        *(f"missing {k}" for k in own if k not in state),
        *(f"unexpected {k}" for k in state if k not in own),
        *(
            f"{k} is {tuple(state[k].shape)}, expected {tuple(own[k].shape)}"
            for k in own
            if k in state and state[k].shape != own[k].shape
        ),
    ]
    if problems:
        more = f" and {len(problems) - 6} more" if len(problems) > 6 else ""
        raise BadModel(f"{path}: does not fit PoseResNet-{model.depth}: {'; '.join(problems[:6])}{more}")
    model.load_state_dict(state)
    return model.eval(), saved


def pruned_network(path: Path) -> PoseResNet | None:
    """The network of a checkpoint that `hpe prune` made, or that was trained on from such a one; None for others."""
    state = plain_state(read_checkpoint(path)["state_dict"])
    inner = [len(v) for k, v in state.items() if re.fullmatch(r"layer\d\.\d+\.conv1\.weight", k)]
    deconvolutions = {v.shape[1] for k, v in state.items() if re.fullmatch(r"deconv_layers\.[036]\.weight", k)}
    whole = PoseResNet.widths(_depth(state, path), len(state["conv1.weight"])) if inner else ()
    return None if tuple(inner) == whole and len(deconvolutions) <= 1 else read_network(path)[0]


def same_keypoints(found: int, wanted: int) -> bool:
    """Whether a network of `found` outputs does what one of `wanted` does: the joints alone, or with the face."""
    return found == wanted or {found, wanted} == {NUM_JOINTS, NUM_KEYPOINTS}


def frame_of(saved: dict[str, Any], default: int = 256) -> tuple[int, int]:
    """What a checkpoint says beside its weights -> (height, width) in px of the frames it was trained on."""
    size = saved.get("size", default)
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return int(height), int(width)


def plain_state(state: State) -> State:
    """Any float dtype -> float32, without DataParallel's `module.` prefix."""
    plain = {k.removeprefix("module."): v for k, v in state.items()}
    return {k: v.float() if v.is_floating_point() else v for k, v in plain.items()}


def network_like(depth: int, state: State) -> PoseResNet:
    """A new network of the widths that the weights have, pruned or not."""
    first = state["deconv_layers.0.weight"]
    deconv = [state.get(f"deconv_layers.{at}.weight", first).shape[1] for at in (0, 3, 6)]
    inner = [len(v) for k, v in state.items() if re.fullmatch(r"layer\d\.\d+\.conv1\.weight", k)]
    whole = inner if len(inner) == sum(BLOCKS[depth]) else ()
    return PoseResNet(depth, len(state["final_layer.weight"]), deconv, len(state["conv1.weight"]), whole)


def _depth(state: State, path: Path) -> int:
    blocks = [{m[1] for k in state if (m := re.match(rf"layer{stage}\.(\d+)\.", k))} for stage in (1, 2, 3, 4)]
    counts = tuple(len(b) for b in blocks)
    bottleneck = "layer1.0.conv3.weight" in state
    for depth, expected in BLOCKS.items():
        if counts == expected and bottleneck == (depth >= 50):
            return depth
    raise BadModel(f"{path}: stages of {counts} blocks are no ResNet-{'/'.join(map(str, BLOCKS))}")


def take_initial_weights(model: PoseResNet, path: Path, channels: str = "rgb") -> str:
    """Copies what fits by name and shape from a checkpoint; -> a sentence on how much that was.

    The first convolution is turned round where it was trained on BGR pictures. An ImageNet backbone fits as
    well. Raises BadModel where not even the backbone does.
    """
    own, found = model.state_dict(), plain_state(read_checkpoint(path)["state_dict"])
    fitting = {k: v for k, v in found.items() if k in own and own[k].shape == v.shape}
    for name in ("final_layer.weight", "final_layer.bias"):  # the joints' maps stay; those of the face are new
        old = found.get(name)
        wanted = own[name].shape
        if old is not None and len(old) == NUM_JOINTS < wanted[0] and old.shape[1:] == wanted[1:]:
            fitting[name] = torch.cat([old, own[name][NUM_JOINTS:]])
    backbone = [k for k in own if k.startswith(("conv1.", "layer"))]
    lacking = [k for k in backbone if k not in fitting and not k.endswith("num_batches_tracked")]
    if lacking:
        raise BadModel(f"{path} does not fit ResNet-{model.depth}: {len(lacking)} tensors differ, {lacking[0]} first")
    if channels == "bgr":
        fitting["conv1.weight"] = fitting["conv1.weight"].flip(1)
    model.load_state_dict(fitting, strict=False)
    return f"{len(fitting)} of {len(own)} tensors from {path.name}"

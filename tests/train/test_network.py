"""PoseResNet has the names, shapes and sizes of Microsoft's published pose_resnet.py."""

import numpy as np
import pytest
import torch

from hpe.train.network import BLOCKS, PoseResNet, normalise, parameters_m


def published_shapes(depth: int, joints: int = 16) -> dict[str, tuple[int, ...]]:
    """What the published file's state_dict holds, written out from its text and torchvision's ResNet names."""
    shapes: dict[str, tuple[int, ...]] = {"conv1.weight": (64, 3, 7, 7)} | batch_norm("bn1", 64)
    inplanes, expansion = 64, 1 if depth < 50 else 4
    for stage, (planes, count) in enumerate(zip((64, 128, 256, 512), BLOCKS[depth], strict=True), 1):
        for block in range(count):
            name, out = f"layer{stage}.{block}", planes * expansion
            if expansion == 1:
                kernels = [(planes, inplanes, 3), (planes, planes, 3)]
            else:
                kernels = [(planes, inplanes, 1), (planes, planes, 3), (out, planes, 1)]
            for i, (o, c, k) in enumerate(kernels, 1):
                shapes[f"{name}.conv{i}.weight"] = (o, c, k, k)
                shapes |= batch_norm(f"{name}.bn{i}", o)
            if block == 0 and (stage > 1 or expansion == 4):
                shapes[f"{name}.downsample.0.weight"] = (out, inplanes, 1, 1)
                shapes |= batch_norm(f"{name}.downsample.1", out)
            inplanes = out
    for i in (0, 3, 6):
        shapes[f"deconv_layers.{i}.weight"] = (inplanes, 256, 4, 4)
        shapes |= batch_norm(f"deconv_layers.{i + 1}", 256)
        inplanes = 256
    return shapes | {"final_layer.weight": (joints, 256, 1, 1), "final_layer.bias": (joints,)}


def batch_norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    tensors = {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}
    return tensors | {f"{name}.num_batches_tracked": ()}


@pytest.mark.parametrize("depth", sorted(BLOCKS))
def test_state_dict_is_named_and_shaped_as_published(depth):
    with torch.device("meta"):
        model = PoseResNet(depth)
    assert {k: tuple(v.shape) for k, v in model.state_dict().items()} == published_shapes(depth)


def test_resnet_50_has_the_papers_34_million_parameters():
    with torch.device("meta"):
        assert parameters_m(PoseResNet(50)) == pytest.approx(34.0, abs=0.05)


@pytest.mark.parametrize("depth", sorted(BLOCKS))
def test_heatmaps_are_a_quarter_of_the_frame(depth):
    with torch.device("meta"):
        assert PoseResNet(depth).eval()(torch.zeros(2, 3, 256, 192)).shape == (2, 16, 64, 48)


def test_resnet_18_runs_and_starts_near_empty_heatmaps():
    torch.manual_seed(0)
    heatmaps = PoseResNet(18, deconv_channels=32).eval()(torch.randn(1, 3, 64, 64))
    assert heatmaps.shape == (1, 16, 16, 16)
    assert heatmaps.detach().abs().max() < 0.1


def test_an_unknown_depth_is_refused():
    with pytest.raises(ValueError, match="depth 20: choose one of 18"):
        PoseResNet(20)


def test_normalised_pictures_are_imagenets_and_channels_last():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    out = normalise(torch.from_numpy(pixels))
    expected = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(out.permute(0, 2, 3, 1).numpy(), expected, atol=1e-5)
    assert out.is_contiguous(memory_format=torch.channels_last)

"""A pruned network is smaller, answers nearly the same, and is read, exported and resumed like any other."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from hpe.errors import BadSettings
from hpe.export.graph import attribute
from hpe.export.rewrite import rewrite
from hpe.export.to_onnx import to_onnx
from hpe.prune.importance import GROUP, prune
from hpe.prune.least_squares import refit
from hpe.train.checkpoint import read_network
from hpe.train.network import PoseResNet, describe, is_trimmed, normalise, trimmed


@pytest.fixture(scope="module")
def batches() -> list[torch.Tensor]:
    torch.manual_seed(1)
    return [torch.randn(6, 3, 96, 64) for _ in range(8)]


def network(deconv_channels: int = 32) -> PoseResNet:
    """With the statistics and the size of answers of a network that has learnt something; trimmed already."""
    torch.manual_seed(0)
    made = PoseResNet(18, deconv_channels=deconv_channels, width=32)
    made.conv1.weight = nn.Parameter(trimmed(made.conv1.weight.detach()))
    for name, value in made.named_parameters():
        if "deconv" in name or "final_layer.weight" in name:
            nn.init.normal_(value, std=0.1)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        made(torch.randn(8, 3, 96, 64))
    return made.eval()


def multiplications(net: PoseResNet, frame: torch.Tensor) -> int:
    """Counted by running it, apart from how `prune` counts."""
    counted = 0

    def count(layer, given, out):
        nonlocal counted
        if isinstance(layer, nn.ConvTranspose2d):
            counted += given[0].numel() * layer.out_channels * 16
        elif isinstance(layer, nn.Conv2d):
            side = 6 if layer.kernel_size[0] == 7 and is_trimmed(layer) else layer.kernel_size[0]
            counted += out.numel() * layer.in_channels * side**2

    handles = [m.register_forward_hook(count) for m in net.modules()]
    with torch.no_grad():
        net(frame)
    for handle in handles:
        handle.remove()
    return counted


@pytest.mark.parametrize("keep", [0.5, 0.75])
def test_no_more_than_the_share_is_kept(batches, keep):
    whole = network()
    small, kept = prune(whole, keep, batches[:2], torch.ones_like)
    share = multiplications(small, batches[0][:1]) / multiplications(whole, batches[0][:1])
    assert keep - 0.05 < share <= keep
    assert all(width % GROUP == 0 for width in (*small.inner, *small.deconv_channels))
    assert [len(rows) for rows in kept.values()] == [*small.inner, *small.deconv_channels]
    assert small.eval()(batches[0]).shape == whole(batches[0]).shape


def test_a_channel_without_influence_goes_first(batches):
    whole = network()
    useless = torch.arange(3, 19)  # 16 of the 128 channels inside layer3.1
    with torch.no_grad():
        whole.layer3[1].conv2.weight[:, useless] = 0
    small, kept = prune(whole, 0.999, batches[:2], torch.ones_like)
    assert not set(useless.tolist()) & set(kept["layer3.1.conv1"].tolist())
    assert small.inner == (32, 32, 64, 64, 128, 112, 256, 256)
    torch.testing.assert_close(small.eval()(batches[0]), whole(batches[0]))


@pytest.mark.parametrize("few", [8, 4])
def test_what_others_can_stand_in_for_is_made_up_for(batches, few, monkeypatch):
    # a quarter of a block's channels are twins of others, and matter less: with them gone the others can do their part
    whole = network(deconv_channels=GROUP)  # of which none can go
    with torch.no_grad():
        block = whole.layer2[1]
        for twin in (block.conv1.weight, block.bn1.running_mean, block.bn1.running_var):
            twin[48:] = twin[:16]
        block.conv2.weight[:, 48:] *= 0.1
    small, kept = prune(whole, 0.999, batches[:2], torch.ones_like)
    assert small.inner == (32, 32, 64, 48, 128, 128, 256, 256)
    before = error(small, whole)
    monkeypatch.setattr("hpe.prune.least_squares.FEW", few)
    refit(small, whole, kept, batches)
    assert 0 < error(small, whole) < before / 20


@pytest.mark.parametrize("few", [8, 4])
def test_transposed_convolutions_make_up_for_their_twins_too(batches, few, monkeypatch):
    whole = network()
    with torch.no_grad():
        first, norm, _, second = whole.deconv_layers[:4]
        first.weight[:, 16:] = first.weight[:, :16]
        for twin in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            twin[16:] = twin[:16]
        second.weight[16:] *= 0.1
    small, kept = prune(whole, 0.995, batches[:2], torch.ones_like)
    assert small.deconv_channels == (16, 32, 32)
    before = error(small, whole)
    monkeypatch.setattr("hpe.prune.least_squares.FEW", few)
    refit(small, whole, kept, batches)
    assert error(small, whole) < before / 5


def smooth(generator: torch.Generator) -> torch.Tensor:
    """Pictures have neighbouring px that are alike, from which the missing ones can be told."""
    return functional.interpolate(torch.randn(6, 3, 24, 16, generator=generator), scale_factor=4, mode="bicubic")


def test_the_first_convolution_does_with_six_rows_and_columns():
    whole, generator = network(), torch.Generator().manual_seed(3)
    whole.conv1 = nn.Conv2d(3, 32, 7, 2, 3, bias=False)
    pictures = [smooth(generator) for _ in range(8)]
    small, kept = prune(whole, 0.99, pictures[:2], torch.ones_like)
    assert is_trimmed(small.conv1)
    assert not is_trimmed(whole.conv1)
    unseen = smooth(generator)

    def first_error() -> float:
        with torch.no_grad():
            answers = [net.bn1(net.conv1(unseen)) for net in (small.eval(), whole)]
        return float((answers[0] - answers[1]).square().mean())

    before = first_error()
    refit(small, whole, kept, pictures)
    assert is_trimmed(small.conv1)
    assert first_error() < before / 20


def error(small: PoseResNet, whole: PoseResNet) -> float:
    """On pictures that were not seen."""
    unseen = torch.randn(6, 3, 96, 64, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        return float((small.eval()(unseen) - whole(unseen)).square().mean())


def test_a_pruned_checkpoint_is_read_with_its_widths(batches, tmp_path):
    small = prune(network(), 0.6, batches[:1], torch.ones_like)[0].eval()
    torch.save({"state_dict": small.state_dict()}, tmp_path / "small.pt")
    read, _ = read_network(tmp_path / "small.pt")
    assert (read.inner, read.deconv_channels) == (small.inner, small.deconv_channels)
    torch.testing.assert_close(read(batches[0]), small(batches[0]))
    assert "pruned" in describe(read)
    assert "pruned" not in describe(network())


def test_a_pruned_network_is_rewritten_exactly(batches):
    onnxruntime = pytest.importorskip("onnxruntime")
    small = prune(network(), 0.6, batches[:1], torch.ones_like)[0].eval()
    pixels = np.random.default_rng(0).integers(0, 256, (1, 96, 64, 3), dtype=np.uint8)
    model = rewrite(to_onnx(small, (96, 64)))
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    assert list(attribute(first, "kernel_shape", [])) == [3, 3], "of 2x2 blocks: 6x6 px and not 8x8"
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found = session.run(None, {session.get_inputs()[0].name: pixels})[0]
    with torch.no_grad():
        expected = small(normalise(torch.from_numpy(pixels))).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_what_cannot_be_cut_is_refused(batches):
    with pytest.raises(BadSettings, match="only ResNet-18 and 34 can"):
        prune(PoseResNet(50, deconv_channels=16, width=8), 0.5, batches[:1], torch.ones_like)
    with pytest.raises(BadSettings, match=r"keep 0\.2: all that can be cut is cut"):
        prune(PoseResNet(18, deconv_channels=16, width=16), 0.2, batches[:1], torch.ones_like)

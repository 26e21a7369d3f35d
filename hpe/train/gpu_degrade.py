"""Colour, grey, blur, JPEG-like loss and occlusion in batches: `hpe.train.augment.degrade` for the GPU."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from hpe.train.config import Augmentation

# ITU-T T.81, table K.1: how coarsely JPEG keeps each frequency of lightness
JPEG_TABLE: Final[tuple[tuple[int, ...], ...]] = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
GREY: Final[tuple[float, float, float]] = (0.299, 0.587, 0.114)
BLUR_RADIUS: Final[int] = 4  # three standard deviations of the widest blur


def degrade_batch(pictures: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """(N, 3, S, S) float32 RGB 0..255 -> a new one, each picture with its own draw."""
    count = len(pictures)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=generator, device=pictures.device) * (high - low) + low

    def chosen(share: float) -> Tensor:
        return (uniform(0, 1) < share)[:, None, None, None]

    c = settings.colour
    gain = torch.exp(uniform(-c, c, 1) + uniform(-c / 3, c / 3, 3))
    out = recolour(pictures, torch.exp(uniform(-c, c)), gain, uniform(-c, c) * 0.4)
    weights = torch.tensor(GREY, device=out.device)[None, :, None, None]
    out = torch.where(chosen(settings.grey_p), (out * weights).sum(dim=1, keepdim=True), out)
    out = torch.where(chosen(settings.blur_p), blur(out, uniform(0.5, 1.5)), out)
    out = torch.where(chosen(settings.jpeg_p), jpeg_like(out, uniform(15, 60)), out)
    size = out.shape[-1]
    for share in (settings.occlude_p, settings.occlude_p / 2):  # one rectangle, every other time two
        height, width = uniform(size / 12, size / 4), uniform(size / 12, size / 4)
        top, left = uniform(0, 1) * (size - height), uniform(0, 1) * (size - width)
        colour = uniform(0, 255, 3)[:, :, None, None].expand_as(out)
        # another picture of the batch, or a flat colour
        cover = torch.where(chosen(0.5), colour, out.roll(1, dims=0))
        out = torch.where(chosen(share) & rectangles(top, left, height, width, size), cover, out)
    return out


def recolour(pictures: Tensor, gamma: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """(N, 3, S, S), (N,), (N, 3), (N,): gain * level ** gamma + offset on levels 0..1, cut to 0..255."""
    levels = (pictures / 255) ** gamma[:, None, None, None]
    return (levels * gain[:, :, None, None] + offset[:, None, None, None]).clamp(0, 1) * 255


def blur(pictures: Tensor, sigma_px: Tensor) -> Tensor:
    """(N, C, S, S), (N,) standard deviations -> each blurred by its own Gaussian."""
    count, channels, height, width = pictures.shape
    taps = torch.arange(-BLUR_RADIUS, BLUR_RADIUS + 1, device=pictures.device)
    kernel = torch.exp(-(taps**2) / (2 * sigma_px[:, None] ** 2))
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    flat = pictures.reshape(1, count * channels, height, width)
    pad = BLUR_RADIUS
    flat = functional.pad(flat, (pad, pad, pad, pad), mode="reflect")
    flat = functional.conv2d(flat, kernel[:, None, None, :], groups=count * channels)
    flat = functional.conv2d(flat, kernel[:, None, :, None], groups=count * channels)
    return flat.reshape(pictures.shape)


def jpeg_like(pictures: Tensor, quality: Tensor) -> Tensor:
    """(N, C, S, S) 0..255, (N,) quality 1..100 -> what 8x8 cosine blocks keep of it, as in JPEG. S is a multiple of 8.

    Each channel is rounded by the lightness table: blocks and ringing as in a JPEG, without its colour space.
    """
    count, channels, height, width = pictures.shape
    device = pictures.device
    k = torch.arange(8, dtype=torch.float32, device=device)
    basis = torch.cos((2 * k[None, :] + 1) * k[:, None] * torch.pi / 16) / 2  # orthonormal 8-point DCT
    basis[0] /= 2**0.5
    factor = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality) / 100  # libjpeg's scale
    whole = torch.tensor(JPEG_TABLE, dtype=torch.float32, device=device)
    table = torch.floor(whole * factor[:, None, None] + 0.5).clamp(1, 255)
    steps = table[:, None, None, :, None, :]
    blocks = pictures.reshape(count, channels, height // 8, 8, width // 8, 8) - 128
    freq = torch.einsum("ka,ncyaxb,lb->ncykxl", basis, blocks, basis)
    kept = torch.round(freq / steps) * steps
    back = torch.einsum("ka,ncykxl,lb->ncyaxb", basis, kept, basis)
    return (back.reshape(pictures.shape) + 128).clamp(0, 255)


def rectangles(top: Tensor, left: Tensor, height: Tensor, width: Tensor, size: int) -> Tensor:
    """(N,) each, px -> (N, 1, S, S) bool."""
    at = torch.arange(size, device=top.device)
    rows = (at >= top[:, None]) & (at < (top + height)[:, None])
    columns = (at >= left[:, None]) & (at < (left + width)[:, None])
    return (rows[:, :, None] & columns[:, None, :])[:, None]

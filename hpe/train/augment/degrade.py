"""What cameras, apps and networks do to photos: colour, blur, motion, low resolution, JPEG; and things in front.

Everything takes and gives (N, 3, H, W) float32 RGB in 0..255 on any device.
"""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from hpe.train.augment.chance import Chance
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
BLUR_RADIUS: Final[int] = 5
# least and greatest, as libjpeg counts it
JPEG_QUALITY: Final[tuple[float, float]] = (20.0, 80.0)


def degrade(pictures: Tensor, settings: Augmentation, chance: Chance) -> Tensor:
    """(N, 3, H, W) -> a new one, each picture with its own draw. H and W are multiples of 8."""
    c = settings.colour
    gain = torch.exp(chance.uniform(-c, c, 1) + chance.uniform(-c / 3, c / 3, 3))
    out = recolour(pictures, torch.exp(chance.uniform(-c, c)), gain, chance.uniform(-c, c) * 0.4)
    weights = torch.tensor(GREY, device=out.device)[None, :, None, None]
    rows = chance.some(settings.grey_p)
    out[rows] = (out[rows] * weights).sum(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    rows = chance.some(settings.low_resolution_p)
    if len(rows):
        out[rows] = low_resolution(out[rows], chance.host.uniform(1.5, 3.0))
    sigma = chance.uniform(0.5, 1.7)
    rows = chance.some(settings.blur_p)
    if len(rows):
        out[rows] = blur(out[rows], sigma[rows])
    length, angle = chance.uniform(2, 7), chance.uniform(0, torch.pi)
    rows = chance.some(settings.motion_p)
    if len(rows):
        out[rows] = motion_blur(out[rows], length[rows], angle[rows])
    quality = chance.uniform(*JPEG_QUALITY)
    rows = chance.some(settings.jpeg_p)
    if len(rows):
        out[rows] = jpeg_like(out[rows], quality[rows])
    for share in (settings.occlude_p, settings.occlude_p / 2):  # one rectangle, every other time two
        out = cover(out, share, chance)
    return out


def recolour(pictures: Tensor, gamma: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """(N, 3, H, W), (N,), (N, 3), (N,): gain * level ** gamma + offset on levels 0..1, cut to 0..255."""
    levels = (pictures / 255) ** gamma[:, None, None, None]
    return (levels * gain[:, :, None, None] + offset[:, None, None, None]).clamp(0, 1) * 255


def low_resolution(pictures: Tensor, factor: float) -> Tensor:
    """Shrunk by `factor` and enlarged again."""
    height, width = pictures.shape[-2:]
    small = functional.interpolate(pictures, (round(height / factor), round(width / factor)), mode="area")
    return functional.interpolate(small, (height, width), mode="bilinear", align_corners=False)


def blur(pictures: Tensor, sigma_px: Tensor) -> Tensor:
    """(N, 3, H, W), (N,) standard deviations -> each blurred by its own Gaussian."""
    taps = torch.arange(-BLUR_RADIUS, BLUR_RADIUS + 1, device=pictures.device)
    line = torch.exp(-(taps**2) / (2 * sigma_px[:, None] ** 2))
    line = line / line.sum(dim=1, keepdim=True)
    return _filtered(pictures, line[:, :, None] * line[:, None, :])


def motion_blur(pictures: Tensor, length_px: Tensor, angle: Tensor) -> Tensor:
    """(N, 3, H, W), (N,) px, (N,) radians -> each smeared along its own line."""
    taps = torch.arange(-BLUR_RADIUS, BLUR_RADIUS + 1, device=pictures.device, dtype=torch.float32)
    y, x = torch.meshgrid(taps, taps, indexing="ij")
    cos, sin = torch.cos(angle)[:, None, None], torch.sin(angle)[:, None, None]
    along, across = x * cos + y * sin, y * cos - x * sin
    half = length_px[:, None, None] / 2
    kernel = (half + 0.5 - along.abs()).clamp(0, 1) * (1 - across.abs()).clamp(0, 1)
    return _filtered(pictures, kernel / kernel.sum(dim=(1, 2), keepdim=True))


def _filtered(pictures: Tensor, kernels: Tensor) -> Tensor:
    """Each picture through its own (K, K) kernel, edges mirrored."""
    count, channels, height, width = pictures.shape
    pad = BLUR_RADIUS
    flat = functional.pad(pictures.reshape(1, count * channels, height, width), (pad, pad, pad, pad), mode="reflect")
    weight = kernels.repeat_interleave(channels, dim=0)[:, None]
    return functional.conv2d(flat, weight, groups=count * channels).reshape(pictures.shape)


def jpeg_like(pictures: Tensor, quality: Tensor) -> Tensor:
    """(N, C, H, W), (N,) quality 1..100 -> what 8x8 cosine blocks keep of it, as in JPEG. H, W are multiples of 8.

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


def cover(pictures: Tensor, share: float, chance: Chance) -> Tensor:
    """A rectangle of a flat colour, or of another picture of the batch, in front of `share` of the pictures."""
    height, width = pictures.shape[-2:]
    h, w = chance.uniform(height / 12, height / 4), chance.uniform(width / 10, width / 3)
    top, left = chance.uniform(0, 1) * (height - h), chance.uniform(0, 1) * (width - w)
    colour = chance.uniform(0, 255, 3)[:, :, None, None].expand_as(pictures)
    flat, hit = chance.chosen(0.5)[:, None, None, None], chance.chosen(share)[:, None, None, None]
    y = torch.arange(height, device=pictures.device)[None, :, None]
    x = torch.arange(width, device=pictures.device)[None, None, :]
    t, b = top[:, None, None], (top + h)[:, None, None]
    l, r = left[:, None, None], (left + w)[:, None, None]  # noqa: E741
    inside = ((y >= t) & (y < b) & (x >= l) & (x < r))[:, None]
    return torch.where(hit & inside, torch.where(flat, colour, pictures.roll(1, dims=0)), pictures)

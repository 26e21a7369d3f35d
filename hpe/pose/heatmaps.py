"""Joints <-> heatmaps: encode and decode side by side, one convention for both.

Convention: heatmap coordinate = network px / stride, pixel centres at integers, no half-cell shift. Targets
are centred at joint / stride without rounding (unbiased encoding), so decoding a clean target returns the
joint exactly.
"""

from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.pose.crops import Frame, height_width

STRIDE: Final[int] = 4
Refine = Literal["argmax", "quarter", "dark"]


def encode_joints(
    points: NDArray[np.floating], weights: NDArray[np.floating], frame: Frame, sigma: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(J, 2) network px, (J,) weights -> (J, height/4, width/4) float32 Gaussians in 0..1, (J,) float32 weights.

    frame is the network's input in px, (height, width) or the side of a square. sigma is in heatmap cells. A joint
    further than 3 sigma outside the heatmap gets weight 0 (it cannot be learned from this crop) and an empty target.
    """
    rows, columns = (side // STRIDE for side in height_width(frame))
    centres = np.asarray(points, dtype=np.float32) / STRIDE
    reach = 3 * sigma
    inside = ((centres > -reach) & (centres < np.array([columns, rows]) - 1 + reach)).all(axis=1)
    weights_out = np.asarray(weights, dtype=np.float32) * inside
    gx = np.exp(-((np.arange(columns, dtype=np.float32) - centres[:, :1]) ** 2) / (2 * sigma**2))
    gy = np.exp(-((np.arange(rows, dtype=np.float32) - centres[:, 1:]) ** 2) / (2 * sigma**2))
    targets = gy[:, :, None] * gx[:, None, :]
    targets *= (weights_out > 0)[:, None, None]
    return targets.astype(np.float32, copy=False), weights_out


def decode_joints(
    heatmaps: NDArray[np.floating], refine: Refine = "dark", sigma: float = 2.0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(J, h, w) float heatmaps -> (J, 2) float32 network px (x, y), (J,) float32 peak heights.

    The peak's cell, then a sub-cell refinement:
    - "quarter": a quarter of a cell towards the higher neighbour (Newell et al., ECCV 2016);
    - "dark": a second-order Taylor step on the log of the smoothed heatmap (DARK: Zhang et al., CVPR 2020,
      arXiv 1910.06278, equations 7-9). `sigma` (cells) sets the smoothing kernel.
    A peak on the border of the map is not refined in that direction's pair.
    """
    maps = np.ascontiguousarray(heatmaps, dtype=np.float32)
    joints, height, width = maps.shape
    flat = maps.reshape(joints, -1).argmax(axis=1)
    scores = maps.reshape(joints, -1)[np.arange(joints), flat]
    ys, xs = np.divmod(flat, width)
    cells = np.stack([xs, ys], axis=1).astype(np.float32)
    inner = (xs > 0) & (xs < width - 1) & (ys > 0) & (ys < height - 1)
    if refine == "quarter":
        cells[inner] += _quarter_offset(maps[inner], xs[inner], ys[inner])
    elif refine == "dark":
        cells[inner] += _dark_offset(maps[inner], xs[inner], ys[inner], sigma)
    return cells * STRIDE, scores


def _quarter_offset(maps: NDArray[np.float32], xs: NDArray[np.intp], ys: NDArray[np.intp]) -> NDArray[np.float32]:
    n = np.arange(len(maps))
    dx = np.sign(maps[n, ys, xs + 1] - maps[n, ys, xs - 1])
    dy = np.sign(maps[n, ys + 1, xs] - maps[n, ys - 1, xs])
    return (0.25 * np.stack([dx, dy], axis=1)).astype(np.float32)


def _dark_offset(
    maps: NDArray[np.float32], xs: NDArray[np.intp], ys: NDArray[np.intp], sigma: float
) -> NDArray[np.float32]:
    kernel = 2 * round(2 * sigma) + 1
    offsets = np.zeros((len(maps), 2), dtype=np.float32)
    for i, (heatmap, x, y) in enumerate(zip(maps, xs, ys, strict=True)):
        smooth = cv2.GaussianBlur(heatmap, (kernel, kernel), sigma / 2, borderType=cv2.BORDER_REPLICATE)
        patch = np.log(np.maximum(smooth[y - 1 : y + 2, x - 1 : x + 2], 1e-6))
        dx, dy = (patch[1, 2] - patch[1, 0]) / 2, (patch[2, 1] - patch[0, 1]) / 2
        dxx = patch[1, 2] - 2 * patch[1, 1] + patch[1, 0]
        dyy = patch[2, 1] - 2 * patch[1, 1] + patch[0, 1]
        dxy = (patch[2, 2] - patch[2, 0] - patch[0, 2] + patch[0, 0]) / 4
        det = dxx * dyy - dxy * dxy
        if dxx < 0 and det > 1e-9:  # a maximum, so the Newton step points to it
            step = np.array([dyy * dx - dxy * dy, dxx * dy - dxy * dx]) / -det
            offsets[i] = np.clip(step, -1.0, 1.0)
    return offsets


def flip_heatmaps(heatmaps: NDArray[np.float32], order: tuple[int, ...]) -> NDArray[np.float32]:
    """(J, h, w) of the mirrored picture -> (J, h, w) in the frame of the picture, left and right swapped back.

    Mirroring moves pixel x to width-1-x, that is heatmap coordinate c to (width-1)/4 - c and not to w-1-c: the
    maps come back three quarters of a cell too far left and are shifted right by that much (UDP: Huang et al.,
    CVPR 2020), here by linear interpolation.
    """
    mirrored = heatmaps[list(order), :, ::-1]
    left = np.concatenate([mirrored[:, :, :1], mirrored[:, :, :-1]], axis=2)
    shift = (STRIDE - 1) / STRIDE  # the value at c comes from c - shift, which lies between cells c - 1 and c
    return np.ascontiguousarray(shift * left + (1 - shift) * mirrored, dtype=np.float32)

"""Joints <-> heatmaps: encode and decode side by side, one convention for both.

Convention: heatmap coordinate = network px / stride, pixel centres at integers, no half-cell shift. Targets
are centred at joint / stride without rounding (unbiased encoding), so decoding a clean target returns the
joint exactly.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.pose.crops import Frame, height_width

STRIDE: Final[int] = 4


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
    heatmaps: NDArray[np.floating], sigma: float = 2.0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(J, h, w) float heatmaps -> (J, 2) float32 network px (x, y), (J,) float32 peak heights.

    The peak's cell, then a second-order Taylor step on the log of the smoothed heatmap (DARK: Zhang et al., CVPR 2020,
    arXiv 1910.06278, equations 7-9). `sigma` (cells) sets the smoothing kernel. A peak on the border of the map is not
    refined.
    """
    maps = np.ascontiguousarray(heatmaps, dtype=np.float32)
    joints, height, width = maps.shape
    flat = maps.reshape(joints, -1).argmax(axis=1)
    scores = maps.reshape(joints, -1)[np.arange(joints), flat]
    ys, xs = np.divmod(flat, width)
    cells = np.stack([xs, ys], axis=1).astype(np.float32)
    inner = (xs > 0) & (xs < width - 1) & (ys > 0) & (ys < height - 1)
    cells[inner] += _dark_offset(maps[inner], xs[inner], ys[inner], sigma)
    return cells * STRIDE, scores


def _dark_offset(
    maps: NDArray[np.float32], xs: NDArray[np.intp], ys: NDArray[np.intp], sigma: float
) -> NDArray[np.float32]:
    """(J, h, w) maps and their inner peaks' cells -> (J, 2) float32 steps in cells.

    Only what the smoothed 3 x 3 cells round each peak need is smoothed, for all joints at once: twice as fast as whole
    maps one by one.
    """
    reach = round(2 * sigma)
    kernel = cv2.getGaussianKernel(2 * reach + 1, sigma / 2)[:, 0]
    band = np.zeros((3, 2 * reach + 3))
    for offset in range(3):
        band[offset, offset : offset + len(kernel)] = kernel
    around = np.arange(-reach - 1, reach + 2)
    rows = np.clip(ys[:, None] + around, 0, maps.shape[1] - 1)[:, :, None]  # the border's cells are repeated
    columns = np.clip(xs[:, None] + around, 0, maps.shape[2] - 1)[:, None, :]
    patches = maps[np.arange(len(maps))[:, None, None], rows, columns]
    smooth = band @ patches @ band.T
    log = np.log(np.maximum(smooth, 1e-6))
    dx, dy = (log[:, 1, 2] - log[:, 1, 0]) / 2, (log[:, 2, 1] - log[:, 0, 1]) / 2
    dxx = log[:, 1, 2] - 2 * log[:, 1, 1] + log[:, 1, 0]
    dyy = log[:, 2, 1] - 2 * log[:, 1, 1] + log[:, 0, 1]
    dxy = (log[:, 2, 2] - log[:, 2, 0] - log[:, 0, 2] + log[:, 0, 0]) / 4
    det = dxx * dyy - dxy * dxy
    maximum = (dxx < 0) & (det > 1e-9)  # so the Newton step points to it
    step = np.stack([dyy * dx - dxy * dy, dxx * dy - dxy * dx], axis=1) / -np.where(maximum, det, 1.0)[:, None]
    return np.where(maximum[:, None], np.clip(step, -1.0, 1.0), 0.0).astype(np.float32)


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

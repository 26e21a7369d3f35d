"""The locator's targets: people's boxes -> maps of their centres and sizes, on the device, in batches.

`hpe.pose.boxes` has the same maps for one picture, and what decodes them. Here a person also weighs the same whatever
their size, and areas to ignore are left out.
"""

import torch
from torch import Tensor

from hpe.pose.boxes import MIN_SIGMA, SIGMA
from hpe.pose.heatmaps import STRIDE
from hpe.train.tasks.task import Targets


def encode_boxes(boxes: Tensor, kind: Tensor, height: int, width: int, unit: int) -> Targets:
    """(N, K, 4) network px, (N, K) 0 none, 1 person, 2 ignore -> targets of `LocateTask.loss`. unit: px of a size of 1.

    Of overlapping Gaussians the higher one counts, with the sizes of its box; smaller people come last and win a tie.
    """
    n, device = len(boxes), boxes.device
    h, w = height // STRIDE, width // STRIDE
    gx, gy = torch.arange(w, device=device).float(), torch.arange(h, device=device).float()
    centres = torch.zeros(n, h, w, device=device)
    size = torch.full((n, 2, h, w), 0.2, device=device)
    weight = torch.zeros(n, h, w, device=device)
    sides = boxes[..., 2:] - boxes[..., :2]
    area = torch.where(kind == 1, sides.prod(dim=2), -1.0)
    order = area.argsort(dim=1, descending=True)
    count = int((kind == 1).sum(dim=1).max())
    for k in range(count):
        pick = order[:, k]
        rows = torch.arange(n, device=device)
        valid = (kind[rows, pick] == 1)[:, None, None]
        box, side = boxes[rows, pick], sides[rows, pick]
        middle = (box[:, :2] + box[:, 2:]) / 2 / STRIDE
        sigma = (SIGMA * side / STRIDE).clamp(min=MIN_SIGMA)
        across = torch.exp(-((gx - middle[:, :1]) ** 2) / (2 * sigma[:, :1] ** 2))
        down = torch.exp(-((gy - middle[:, 1:]) ** 2) / (2 * sigma[:, 1:] ** 2))
        bump = down[:, :, None] * across[:, None, :] * valid
        nearest = middle.round().long()
        nx, ny = nearest[:, 0].clamp(0, w - 1), nearest[:, 1].clamp(0, h - 1)
        bump = bump.clamp(max=0.999)
        bump[rows, ny, nx] = torch.where(valid[:, 0, 0], torch.ones(n, device=device), bump[rows, ny, nx])
        higher = bump > torch.clamp(centres, max=0.9995)
        centres = torch.where(higher, bump, centres)
        # each person counts alike, however many cells they cover
        each = torch.where(bump > 0.3, bump / (2 * torch.pi * sigma.prod(dim=1))[:, None, None], torch.zeros_like(bump))
        weight = torch.where(higher, each, weight)
        size = torch.where(higher[:, None], (side / unit)[:, :, None, None], size)
    ignored = (kind == 2)[..., None]
    in_x = ((gx * STRIDE >= boxes[..., :1]) & (gx * STRIDE <= boxes[..., 2:3]) & ignored).float()
    in_y = ((gy * STRIDE >= boxes[..., 1:2]) & (gy * STRIDE <= boxes[..., 3:4]) & ignored).float()
    background = (torch.einsum("nkh,nkw->nhw", in_y, in_x) == 0).float()
    return centres, background, size, weight

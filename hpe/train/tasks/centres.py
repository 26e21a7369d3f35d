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

    Of overlapping Gaussians the higher one counts, with the sizes of its box. All people of all frames at once: a loop
    over them kept a GPU waiting.
    """
    device = boxes.device
    h, w = height // STRIDE, width // STRIDE
    gx, gy = torch.arange(w, device=device).float(), torch.arange(h, device=device).float()
    # people first, the largest of them first, and no more columns than the fullest frame has people
    area = torch.where(kind == 1, (boxes[..., 2:] - boxes[..., :2]).prod(dim=2), -1.0)
    order = area.argsort(dim=1, descending=True)[:, : max(1, int((kind == 1).sum(dim=1).max()))]
    there = (kind.gather(1, order) == 1)[..., None, None]
    box = boxes.gather(1, order[..., None].expand(-1, -1, 4))
    side = box[..., 2:] - box[..., :2]
    middle = (box[..., :2] + box[..., 2:]) / 2 / STRIDE
    sigma = (SIGMA * side / STRIDE).clamp(min=MIN_SIGMA)
    across = torch.exp(-((gx - middle[..., :1]) ** 2) / (2 * sigma[..., :1] ** 2))
    down = torch.exp(-((gy - middle[..., 1:]) ** 2) / (2 * sigma[..., 1:] ** 2))
    bump = (down[..., :, None] * across[..., None, :]).clamp(max=0.999)  # (N, K, h, w)
    nearest = middle.round().long()
    on_x = torch.arange(w, device=device) == nearest[..., :1].clamp(0, w - 1)
    on_y = torch.arange(h, device=device) == nearest[..., 1:].clamp(0, h - 1)
    bump = torch.where(on_y[..., :, None] & on_x[..., None, :], torch.ones_like(bump), bump) * there
    # two centres in one cell: the smaller person's counts
    rank = torch.arange(bump.shape[1], device=device)[:, None, None] * (bump == 1)
    centres, owner = bump.max(dim=1)
    owner = torch.where(centres == 1, rank.argmax(dim=1), owner)

    def of_owner(values: Tensor) -> Tensor:
        """(N, K) of each person -> (N, h, w)"""
        return values.gather(1, owner.flatten(1)).view_as(centres)

    size = torch.stack([of_owner(side[..., i]) for i in (0, 1)], dim=1) / unit
    size = torch.where(centres[:, None] > 0, size, 0.2)
    # each person counts alike, however many cells they cover
    each = 1 / (2 * torch.pi * sigma.prod(dim=2))
    weight = torch.where(centres > 0.3, of_owner(each) * centres, 0.0)
    ignored = (kind == 2)[..., None]
    in_x = ((gx * STRIDE >= boxes[..., :1]) & (gx * STRIDE <= boxes[..., 2:3]) & ignored).float()
    in_y = ((gy * STRIDE >= boxes[..., 1:2]) & (gy * STRIDE <= boxes[..., 3:4]) & ignored).float()
    background = (torch.einsum("nkh,nkw->nhw", in_y, in_x) == 0).float()
    return centres, background, size, weight

"""The loss of the paper: mean squared error between heatmaps, each joint with its own weight."""

from torch import Tensor, nn


class JointsMSELoss(nn.Module):
    """(N, J, h, w) predicted, (N, J, h, w) target, (N, J) weights -> scalar.

    For P and T the predicted and target heatmaps and w the target weights, with M = N * h * w:

        L = 1/J * sum_j [ 1/2 * 1/M * sum_n sum_p (w_nj * P_njp - w_nj * T_njp)^2 ]

    Half the mean squared error of each joint's heatmap, averaged over joints, the weight multiplying both
    maps as in the published implementation of Xiao, Wu, Wei (ECCV 2018). A joint of weight 0 adds nothing
    but stays in the mean. With `use_target_weight=False` the weights are ignored.
    """

    def __init__(self, use_target_weight: bool = True) -> None:
        super().__init__()
        self.use_target_weight = use_target_weight

    def forward(self, predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
        difference = predicted - target
        if self.use_target_weight:
            difference = difference * weights[:, :, None, None]
        # every joint's map has the same M, so the mean over joints of means is the mean over everything
        return 0.5 * difference.square().mean()

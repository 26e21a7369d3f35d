"""JointsMSELoss against the published definition, worked out joint by joint in numpy."""

import numpy as np
import pytest
import torch

from hpe.train.loss import JointsMSELoss


def published(predicted: np.ndarray, target: np.ndarray, weights: np.ndarray | None) -> float:
    """For each joint half the mean squared error of its weighted maps; summed; divided by the joints."""
    count = predicted.shape[1]
    total = 0.0
    for j in range(count):
        p = predicted[:, j].reshape(len(predicted), -1).astype(np.float64)
        t = target[:, j].reshape(len(target), -1).astype(np.float64)
        if weights is not None:
            p, t = p * weights[:, j, None], t * weights[:, j, None]
        total += 0.5 * np.mean((p - t) ** 2)
    return total / count


@pytest.mark.parametrize("shape", [(1, 16, 64, 64), (5, 16, 8, 12), (3, 17, 32, 24)])
@pytest.mark.parametrize("binary", [True, False])
def test_equals_the_published_definition_to_a_millionth(shape, binary):
    rng = np.random.default_rng(sum(shape))
    predicted, target = rng.normal(size=shape).astype(np.float32), rng.random(shape).astype(np.float32)
    weights = rng.random(shape[:2]).astype(np.float32) * 2
    if binary:
        weights = (weights > 1).astype(np.float32)
    arguments = [torch.from_numpy(a) for a in (predicted, target, weights)]
    assert float(JointsMSELoss()(*arguments)) == pytest.approx(published(predicted, target, weights), abs=1e-6)
    unweighted = JointsMSELoss(use_target_weight=False)(*arguments)
    assert float(unweighted) == pytest.approx(published(predicted, target, None), abs=1e-6)


def test_a_hand_worked_case():
    # two joints of two cells; differences 2, 0 and 1, 3; the second joint counts half
    predicted, target = torch.tensor([[[[2.0, 0.0]], [[1.0, 3.0]]]]), torch.zeros(1, 2, 1, 2)
    loss = JointsMSELoss()(predicted, target, torch.tensor([[1.0, 0.5]]))
    assert float(loss) == pytest.approx((0.5 * 4 / 2 + 0.5 * (1 + 9) / 4 / 2) / 2)


def test_a_joint_of_weight_zero_teaches_nothing():
    predicted = torch.randn(2, 16, 8, 8, requires_grad=True)
    weights = torch.ones(2, 16)
    weights[0, 3] = 0
    JointsMSELoss()(predicted, torch.zeros(2, 16, 8, 8), weights).backward()
    assert predicted.grad is not None
    assert predicted.grad[0, 3].abs().max() == 0
    assert predicted.grad[1, 3].abs().max() > 0

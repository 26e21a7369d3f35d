"""What the tests of pictures share."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def photo(astronaut: np.ndarray) -> np.ndarray:
    """(240, 400, 3) uint8 RGB: neither square nor symmetric, so that a wrong turn shows."""
    return np.ascontiguousarray(astronaut[20:260, 60:460])

"""Which of two lists belong together: the pairing of the largest total, each row and column at most once."""

import numpy as np
from numpy.typing import NDArray


def best_pairs(worth: NDArray[np.floating], least: float) -> list[tuple[int, int]]:
    """(M, N) how well row and column match -> pairs (row, column) of the largest total; none below `least`.

    The Hungarian method by shortest augmenting paths (Jonker and Volgenant, Computing 38, 1987). M and N are people in
    a picture, 20 at most.
    """
    rows, columns = worth.shape
    if not rows or not columns:
        return []
    if rows > columns:
        return sorted((row, column) for column, row in best_pairs(worth.T, least))
    # what is too unlike to match costs as much as no match, so that it is worth nothing to anybody
    cost = -np.where(worth >= least, worth, 0.0)
    owner = _assigned(cost)
    return [(row, column) for column, row in enumerate(owner) if row >= 0 and worth[row, column] >= least]


def _assigned(cost: NDArray[np.floating]) -> list[int]:
    """(M, N) costs, M <= N -> each column's row, -1 for none, such that every row has one and the sum is the least."""
    rows, columns = cost.shape
    u, v = np.zeros(rows + 1), np.zeros(columns + 1)
    owner = np.full(columns + 1, -1)  # the last column stands for the row that is being placed
    for row in range(rows):
        owner[columns] = row
        least = np.full(columns, np.inf)
        came = np.full(columns, columns)
        used = np.zeros(columns + 1, np.bool_)
        column = columns
        while owner[column] >= 0:
            used[column] = True
            at = owner[column]
            reduced = cost[at] - u[at] - v[:columns]
            nearer = ~used[:columns] & (reduced < least)
            least[nearer], came[nearer] = reduced[nearer], column
            following = int(np.where(used[:columns], np.inf, least).argmin())
            step = least[following]
            for c in np.flatnonzero(used):
                u[owner[c]] += step
                v[c] -= step
            least[~used[:columns]] -= step
            column = following
        while column != columns:
            owner[column] = owner[came[column]]
            column = int(came[column])
    return [int(row) for row in owner[:columns]]

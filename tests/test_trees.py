from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import bit_forest
from classifier import trees as module
from classifier.bit_forest import BitForest
from classifier.trees import Trees

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def walk(trees: Trees, matrix: Floats) -> Doubles:
    """Walk every line down every tree: slow, plain, and what the fast way must equal."""
    if 0 < (opening := trees.opening) < len(trees.root):
        score = walk(replace(trees, root=trees.root[:opening], opening=0), matrix)
        near = np.abs(score) < trees.bound
        others = replace(trees, root=trees.root[opening:], opening=0, baseline=0.0)
        score[near] += walk(others, matrix[:, near])
        return score
    lines = np.arange(matrix.shape[1])
    score = np.full(len(lines), trees.baseline)
    for root in trees.root:
        node = np.full(len(lines), root)
        while (moving := trees.feature[node] >= 0).any():
            value = matrix[trees.feature[node], lines]
            left = np.where(
                np.isnan(value), trees.missing_left[node], value <= trees.threshold[node]
            )
            node = np.where(moving, np.where(left, trees.left[node], trees.right[node]), node)
        score += trees.value[node]
    return score


def two_trees() -> Trees:
    """A tree ((1 | 2) | 4) over feature 0, then 1; and one of a single leaf."""
    return Trees(
        feature=np.array([0, 1, -1, -1, -1, -1], np.int32),
        threshold=np.array([1.5, -2.0, 0, 0, 0, 0], np.float32),
        missing_left=np.array([True, False, False, False, False, False]),
        left=np.array([1, 2, -1, -1, -1, -1], np.int32),
        right=np.array([4, 3, -1, -1, -1, -1], np.int32),
        value=np.array([0.0, 0.0, 1.0, 2.0, 4.0, 16.0]),
        root=np.array([0, 5], np.int32),
        baseline=0.5,
    )


def grown(rng: np.random.Generator, n_trees: int, most_leaves: int, n_features: int) -> Trees:
    """Trees of random shape: a random leaf splits until there are enough."""
    columns: dict[str, list[Any]] = {name: [] for name in ("feature", "left", "right")}
    root = []
    for _ in range(n_trees):
        root.append(len(columns["feature"]))
        leaves = [root[-1]]
        for column in columns.values():
            column.append(-1)
        for _ in range(int(rng.integers(most_leaves))):
            node = leaves.pop(int(rng.integers(len(leaves))))
            children = len(columns["feature"]) + np.arange(2)
            columns["feature"][node] = rng.integers(n_features)
            columns["left"][node], columns["right"][node] = rng.permutation(children)
            for column in columns.values():
                column += [-1, -1]
            leaves += children.tolist()
    tables = {name: np.array(column, np.int32) for name, column in columns.items()}
    size = len(tables["feature"])
    return Trees(
        **tables,
        threshold=rng.choice(np.array([-np.inf, -1, 0, 0.5, 2, np.inf], np.float32), size),
        missing_left=rng.random(size) < 0.5,
        value=rng.normal(size=size),
        root=np.array(root, np.int32),
        baseline=float(rng.normal()),
        opening=int(rng.integers(n_trees + 1)),
        bound=float(rng.choice([0, 1, 100])),
    )


def grid(rng: np.random.Generator, n_features: int, n_lines: int, missing: float) -> Floats:
    """Values that often stand on a threshold."""
    found = rng.choice(
        np.array([-np.inf, -1, -0.0, 0.25, 0.5, 2, 3, np.inf], np.float32), (n_features, n_lines)
    )
    found[rng.random(found.shape) < missing] = np.nan
    return np.ascontiguousarray(found)


def test_scores_worked_by_hand() -> None:
    nan = np.nan
    matrix = np.array(
        [[1.5, 1.0, 1.6, nan, 0.0, nan], [-2.0, -1.9, -9.0, -3.0, nan, nan]], np.float32
    )
    expected = 16.5 + np.array([1.0, 2.0, 4.0, 1.0, 2.0, 2.0])
    trees = two_trees()
    trees.validate(2)
    assert BitForest(trees).scores(matrix).tolist() == expected.tolist()
    assert walk(trees, matrix).tolist() == expected.tolist()


def test_other_trees_are_asked_of_the_lines_within_the_bound() -> None:
    trees = replace(two_trees(), opening=1, bound=2.5)
    trees.validate(2)
    matrix = np.array([[1.0, 1.0, 1.6], [-3.0, -1.0, 0.0]], np.float32)
    assert BitForest(trees).scores(matrix).tolist() == [17.5, 2.5, 4.5]


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 9, 40]), st.sampled_from([0.0, 0.2]))
@settings(max_examples=60, deadline=None)
def test_equal_to_the_walk_bit_for_bit(seed: int, most_leaves: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    trees = grown(rng, int(rng.integers(1, 8)), most_leaves, 3)
    trees.validate(3)
    matrix = grid(rng, 3, int(rng.integers(1, 140)), missing)
    assert np.array_equal(BitForest(trees).scores(matrix), walk(trees, matrix))


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 257, 1000, 1025])
@pytest.mark.parametrize("n_trees", [1, 300])
def test_a_line_does_not_depend_on_the_lines_beside_it(count: int, n_trees: int) -> None:
    rng = np.random.default_rng(count)
    trees = grown(rng, n_trees, 20, 5)
    matrix = grid(rng, 5, 2100, 0.05)
    matrix[:, 1024:] = np.nan_to_num(matrix[:, 1024:])  # chunks with and without missing values
    forest = BitForest(trees)
    whole = forest.scores(matrix)
    assert np.array_equal(whole, walk(trees, matrix))
    for start in (0, 7, 1000):
        part = forest.scores(matrix[:, start : start + count])
        assert np.array_equal(part, whole[start : start + count])


def test_size_of_the_chunks_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    trees, matrix = grown(rng, 50, 31, 5), grid(rng, 5, 700, 0.1)
    expected = BitForest(trees).scores(matrix)
    sizes = [("CHUNK_LINES", lines) for lines in (256, 100, 64)]
    for name, size in [("_BYTES", 1), ("_BYTES", 1 << 15), *sizes]:
        with monkeypatch.context() as patch:
            patch.setattr(bit_forest, name, size)
            assert np.array_equal(BitForest(trees).scores(matrix), expected)


def test_threads_share_a_forest() -> None:
    rng = np.random.default_rng(6)
    forest = BitForest(grown(rng, 40, 31, 5))
    matrices = [grid(rng, 5, 500, 0.1) for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(forest.scores, matrices))
    for matrix, scores in zip(matrices, together, strict=True):
        assert np.array_equal(scores, forest.scores(matrix))


def test_no_lines() -> None:
    assert BitForest(two_trees()).scores(np.empty((2, 0), np.float32)).shape == (0,)


def test_arrays_and_back() -> None:
    trees = replace(two_trees(), opening=1, bound=2.5)
    arrays = {**trees.to_arrays("x_"), **trees.to_arrays("y_")}
    again = Trees.from_arrays(arrays, "x_")
    assert (again.baseline, again.opening, again.bound) == (0.5, 1, 2.5)
    assert all(np.array_equal(again.to_arrays()[k], v) for k, v in trees.to_arrays().items())
    with pytest.raises(ValueError, match="array z_feature"):
        Trees.from_arrays(arrays, "z_")
    with pytest.raises(ValueError, match="one float64 in x_baseline"):
        Trees.from_arrays({**arrays, "x_baseline": np.array([1, 2])}, "x_")
    for steps in ([1.0], [1, 2], [0.5, 1.0], [-1.0, 1.0], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="bound as float64 in x_steps"):
            Trees.from_arrays({**arrays, "x_steps": np.array(steps)}, "x_")


def test_files_without_steps_have_one() -> None:
    arrays = two_trees().to_arrays()
    del arrays["steps"]
    assert Trees.from_arrays(arrays).in_steps()[1] is None


def changed(name: str, place: int, value: float) -> dict[str, Any]:
    table = getattr(two_trees(), name).copy()
    table[place] = value
    return {name: table}


DAMAGE: list[tuple[dict[str, Any], str]] = [
    ({"feature": two_trees().feature.astype(np.int64)}, "feature as a row of int32"),
    ({"root": np.zeros((1, 1), np.int32)}, "root as a row"),
    ({"value": np.zeros(5)}, "6 nodes in value, not 5"),
    ({"root": np.empty(0, np.int32)}, "trees"),
    ({"root": np.zeros(module.MAX_TREES + 1, np.int32)}, "trees"),
    ({"baseline": np.inf}, "finite"),
    ({"bound": np.inf}, "finite bound"),
    ({"bound": np.nan}, "finite bound"),
    ({"bound": -1.0}, "finite bound"),
    ({"opening": 3}, "no more opening trees"),
    (changed("value", 0, np.inf), "finite"),
    (changed("threshold", 1, np.nan), "NaN"),
    (changed("feature", 0, 2), "features from 0 to 1"),
    (changed("feature", 0, -2), "features"),
    (changed("left", 2, 3), "at leaves"),
    (changed("left", 0, 0), "left child further down"),
    (changed("left", 1, 0), "left child further down"),
    (changed("left", 0, -1), "left child further down"),
    (changed("right", 0, 6), "right child further down"),
    (changed("right", 1, 2), "one parent"),  # two parents, and an orphan
    (changed("right", 0, 5), "one parent"),  # a root with a parent
    (changed("root", 1, 0), "one parent"),  # a root twice, and an orphan
    (changed("root", 1, 6), "inside"),
    (changed("root", 1, -1), "inside"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_damaged_tables_are_refused(damage: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(two_trees(), **damage).validate(2)


def chain(n_splits: int) -> Trees:
    """A tree whose every split has a leaf on the left."""
    at = np.arange(n_splits)
    size = 2 * n_splits + 1
    feature, left, right = np.full((3, size), -1, np.int32)
    feature[2 * at], left[2 * at], right[2 * at] = 0, 2 * at + 1, 2 * at + 2
    return Trees(
        feature=feature,
        threshold=np.arange(size, dtype=np.float32),
        missing_left=np.zeros(size, dtype=bool),
        left=left,
        right=right,
        value=np.arange(size, dtype=np.float64),
        root=np.array([0], np.int32),
        baseline=0.0,
    )


def heap(n_leaves: int) -> Trees:
    """A full tree over feature 0 whose thresholds are those of a binary search."""
    size = 2 * n_leaves - 1
    at = np.arange(size)
    split = at < n_leaves - 1
    depth = np.log2(at + 1).astype(int)
    middle = (2 * (at + 1 - 2**depth) + 1) * n_leaves / 2 ** (depth + 1)
    return Trees(
        feature=np.where(split, 0, -1).astype(np.int32),
        threshold=np.where(split, middle, 0).astype(np.float32),
        missing_left=np.zeros(size, dtype=bool),
        left=np.where(split, 2 * at + 1, -1).astype(np.int32),
        right=np.where(split, 2 * at + 2, -1).astype(np.int32),
        value=np.where(split, 0, at - (n_leaves - 1)).astype(np.float64),
        root=np.array([0], np.int32),
        baseline=0.0,
    )


def test_a_leaf_of_each_code() -> None:
    trees = heap(module.MAX_LEAVES)
    trees.validate(1)
    matrix = np.arange(0.5, 256)[None].astype(np.float32)
    assert BitForest(trees).scores(matrix).tolist() == list(range(256))


def test_too_large_trees_are_refused() -> None:
    with pytest.raises(ValueError, match="256 leaves; found 512"):
        heap(512).validate(1)


def test_too_deep_trees_are_refused() -> None:
    deepest = chain(module.MAX_DEPTH)
    deepest.validate(1)
    matrix = np.linspace(-2, 300, 400, dtype=np.float32)[None]
    assert np.array_equal(BitForest(deepest).scores(matrix), walk(deepest, matrix))
    for n_splits in (module.MAX_DEPTH + 1, 100_000):
        with pytest.raises(ValueError, match="levels"):
            chain(n_splits).validate(1)

"""Groups never straddle a split, and neighbouring scan groups stay together."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nerve_core.data.splits import BLOCK, assign, assign_by_image, assign_fold, natural


def rows(sizes: list[int], name: str = "set") -> list[dict[str, str]]:
    return [{"group": f"{name}-{g}", "set": name} for g, size in enumerate(sizes) for _ in range(size)]


@given(st.lists(st.integers(1, 30), min_size=3, max_size=60), st.integers(0, 5))
def test_a_group_stands_on_one_side(sizes: list[int], seed: int) -> None:
    listed = rows(sizes)
    split = assign(listed, seed)
    for group in {row["group"] for row in listed}:
        assert len({side for row, side in zip(listed, split, strict=True) if row["group"] == group}) == 1


def test_shares_are_near_80_10_10() -> None:
    split = np.array(assign(rows([10] * 100)))
    assert (np.mean(split == "train"), np.mean(split == "val"), np.mean(split == "test")) == (0.8, 0.1, 0.1)


def test_scan_groups_are_split_in_contiguous_blocks() -> None:
    split = assign(rows([1] * 160))
    blocks = [set(split[start : start + BLOCK]) for start in range(0, 160, BLOCK)]
    assert all(len(block) == 1 for block in blocks)
    assert {"train", "val", "test"} == set(split)


def test_patients_are_split_one_by_one() -> None:
    listed = rows([12] * 40)
    by_patient = [assign(listed)[12 * k] for k in range(40)]
    runs = sum(a != b for a, b in itertools.pairwise(by_patient))
    assert runs > 4


def test_sets_are_split_on_their_own() -> None:
    one, other = rows([3] * 30, "a"), rows([3] * 50, "b")
    assert assign([*one, *other])[: len(one)] == assign(one)


def test_the_same_rows_give_the_same_split() -> None:
    listed = rows([4] * 50)
    assert assign(listed) == assign(listed)
    assert assign(listed, seed=1) != assign(listed, seed=0)


def test_numbers_sort_by_value() -> None:
    assert sorted(["s-10", "s-9", "s-1"], key=natural) == ["s-1", "s-9", "s-10"]


@given(st.lists(st.integers(1, 20), min_size=6, max_size=60), st.integers(3, 5))
def test_every_row_is_tested_in_exactly_one_fold_and_groups_stay_whole(sizes: list[int], folds: int) -> None:
    listed = rows(sizes)
    sides = [assign_fold(listed, fold, folds) for fold in range(folds)]
    for k in range(len(listed)):
        assert [side[k] for side in sides].count("test") == 1
        assert [side[k] for side in sides].count("val") == 1
    for side in sides:
        for group in {row["group"] for row in listed}:
            assert len({one for row, one in zip(listed, side, strict=True) if row["group"] == group}) == 1


def test_folds_are_alike_in_size() -> None:
    listed = rows([12] * 25)
    assert {assign_fold(listed, fold, 5).count("test") for fold in range(5)} == {60}


def test_a_split_by_image_puts_most_patients_on_several_sides() -> None:
    listed = rows([20] * 30)
    split = assign_by_image(listed)
    assert (split.count("test"), split.count("val")) == (60, 60)
    spread = [set(split[20 * k : 20 * k + 20]) for k in range(30)]
    assert sum(len(sides) > 1 for sides in spread) > 25

"""Similar cases: the same nerve is the nearest, and a stranger is said to be one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nerve_core.errors import DataError
from nerve_core.explain.judge import Judge
from nerve_core.explain.similar import Case, features_of, nearest
from tests.explain.conftest import nerve, scan, weights


def case(title: str, features: np.ndarray) -> Case:
    return Case(title, "unaffected", "here", scan(), nerve(), np.float32(features))


def test_distance_is_held_against_that_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    cases = [case(str(k), rng.normal(0, 1, 32)) for k in range(20)]
    found = nearest(cases[7].features + np.float32(0.01), cases, 3)
    assert found[0].case is cases[7] and found[0].nearer_than == 1.0 and found[0].distance < 0.1
    assert [one.distance for one in found] == sorted(one.distance for one in found)
    far = nearest(np.full(32, 9, np.float32), cases, 1)[0]
    assert far.nearer_than == 0.0
    scaled = [replace(one, features=one.features * np.float32(1000)) for one in cases]
    again = nearest(scaled[7].features + np.float32(10), scaled, 3)
    assert [one.distance for one in again] == pytest.approx([one.distance for one in found], rel=1e-3)


def test_the_same_nerve_is_nearest_by_the_network_s_features(judge: Judge, tmp_path: Path) -> None:
    features = [features_of(judge, scan(k), nerve(k)) for k in range(3)]
    assert features[0].shape == (512,) and not np.allclose(features[0], features[1])
    cases = [case(str(k), each) for k, each in enumerate(features)]
    found = nearest(features_of(judge, scan(1), nerve(1)), cases, 1)
    assert found[0].case.title == "1" and found[0].distance < 1e-3
    for network in judge._idle["verdict"]:
        assert not any(part._forward_pre_hooks for part in network.modules())
    with pytest.raises(DataError, match="do not pool"):
        features_of(Judge(weights(tmp_path, "plain_cnn")), scan(), nerve())


def test_a_set_of_two_is_too_small() -> None:
    with pytest.raises(DataError, match="too small"):
        nearest(np.zeros(4, np.float32), [case("a", np.zeros(4)), case("b", np.ones(4))])

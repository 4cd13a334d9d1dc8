"""The generator of the guided bench turns bodies as scipy does, and its sessions without a gain are what they say."""

import numpy as np
from scipy.spatial.transform import Rotation

from tiltwise_lab.bench.guided.pir_sessions import null_sessions
from tiltwise_lab.bench.guided.turned_body import about, applied, backwards, one_after_other, speed_rad_s


def test_rotations_are_those_of_scipy():
    rng = np.random.default_rng(5)
    angles = np.cumsum(rng.normal(0.0, 0.5, (3, 50)), axis=1)
    ours = one_after_other(about("z", angles[0]), about("y", angles[1]), about("x", angles[2]))
    theirs = Rotation.from_euler("ZYX", angles.T, degrees=True)
    v = rng.normal(size=(3, 50))
    np.testing.assert_allclose(applied(ours, v).T, theirs.apply(v.T), atol=1e-12)
    np.testing.assert_allclose(applied(backwards(ours), v).T, theirs.inv().apply(v.T), atol=1e-12)
    steps = (theirs[:-1].inv() * theirs[1:]).as_rotvec() * 100.0
    np.testing.assert_allclose(speed_rad_s(ours, 100.0)[:, :-1].T, steps, atol=1e-9)


def test_a_gain_is_told_in_few_sessions_without_one_and_in_most_with_a_false_limit(monkeypatch):
    assert null_sessions(1, 400) <= 4
    monkeypatch.setattr("tiltwise_lab.bench.guided.pir_sessions.USUAL_SEM_DEG", 0.2)
    assert null_sessions(1, 100) > 50

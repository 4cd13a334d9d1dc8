"""The clockwork inside the wearer: moves, ripples and joints, each with derivatives that belong to their values."""

import numpy as np
import pytest

from tiltwise.motion import rotation
from tiltwise.sim.body.involuntary_motion import Ripples, SineSum, Term, band
from tiltwise.sim.body.kinematic_chain import GRAVITY_M_S2, Link, Motion, from_earth
from tiltwise.sim.body.minimum_jerk import Derivatives, Move, Profiles
from tiltwise.types import FloatArray


def test_a_move_starts_and_ends_at_rest_on_its_values() -> None:
    profiles = Profiles(["a", "b"], {"a": [Move(1.0, 2.0, 10.0), Move(3.0, 1.0, 4.0)]}, {"b": 7.0})
    at = profiles(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 9.0]))
    np.testing.assert_allclose(at.value[0], [0, 0, 5, 10, 4, 4], atol=1e-12)
    np.testing.assert_allclose(
        at.rate[0], [0, 0, 1.875 * 10 / 2, 0, 0, 0], atol=1e-12
    )  # peak of minimum jerk
    np.testing.assert_array_equal(at.value[1], 7.0)
    np.testing.assert_array_equal(at.rate[1], 0.0)


def test_rates_are_the_slopes_of_the_values() -> None:
    profiles = Profiles(["a"], {"a": [Move(0.5, 2.0, 10.0), Move(2.7, 0.4, -3.0)]}, {"a": 1.0})
    t, h = np.linspace(0, 4, 401), 1e-5
    before, now, after = profiles(t - h), profiles(t), profiles(t + h)
    np.testing.assert_allclose(now.rate, (after.value - before.value) / (2 * h), atol=1e-4)
    np.testing.assert_allclose(now.acceleration, (after.rate - before.rate) / (2 * h), atol=0.1)


@pytest.mark.parametrize("moves", [[Move(0.0, 2.0, 1.0), Move(1.9, 1.0, 0.0)], [Move(0.0, 0.0, 1.0)]])
def test_overlapping_and_instant_moves_are_refused(moves: list[Move]) -> None:
    with pytest.raises(ValueError, match="channel head: move at"):
        Profiles(["head"], {"head": moves}, {})


def test_band_noise_has_its_deviation_and_keeps_to_its_band() -> None:
    signal = band(np.random.default_rng(2), 0.5, 2.0)
    assert min(signal.hz) >= 0.5
    assert max(signal.hz) <= 2.0
    t = np.arange(0, 2000, 0.05)
    wave = sum(
        a * np.sin(2 * np.pi * f * t + p)
        for a, f, p in zip(signal.amplitude, signal.hz, signal.phase_rad, strict=True)
    )
    assert np.std(wave) == pytest.approx(1.0, abs=0.02)


def test_ripples_fade_with_their_envelope_and_keep_exact_derivatives() -> None:
    envelope = Profiles(["still", "fade"], {"fade": [Move(1.0, 2.0, 1.0)]}, {})
    ripples = Ripples([SineSum((1.3,), (2.0,), (0.4,)), band(np.random.default_rng(1), 1, 4)], [
        Term(0, 1, 0, 0.5), Term(0, 1, 1, 1.0), Term(2, 1, 1, -1.0),
    ])  # fmt: skip

    def at(t_s: FloatArray) -> Derivatives:
        out = Derivatives(*(np.zeros((3, len(t_s))) for _ in range(3)))
        ripples.add_to(out, envelope(t_s), t_s)
        return out

    t, h = np.linspace(0, 5, 301), 1e-5
    before, now, after = at(t - h), at(t), at(t + h)
    assert np.all(now.value[:, t < 1.0] == 0)
    assert np.all(now.value[1] == 0)
    assert np.ptp(now.value[0, t > 3]) > 1.0
    np.testing.assert_allclose(now.rate, (after.value - before.value) / (2 * h), atol=1e-5)
    np.testing.assert_allclose(now.acceleration, (after.rate - before.rate) / (2 * h), atol=1e-3)


def swing(t: FloatArray, hz: float, amplitude: float, offset: float = 0.0) -> Motion:
    omega = 2 * np.pi * hz
    wave = amplitude * np.sin(omega * t)
    return (offset + wave, amplitude * omega * np.cos(omega * t), -omega * omega * wave)


def test_a_pendulum_feels_gravity_and_the_pull_of_its_circle() -> None:
    t = np.array([0.0])  # the lowest point of a swing, at full speed
    zero, arm = swing(t, 1, 0), swing(t, 1, 0, offset=-0.5)
    link = from_earth(zero, zero, zero).turn(1, swing(t, 0.5, 0.3)).shift(zero, zero, arm)
    rate = 0.3 * np.pi
    assert link.gyr_rad_s[1][0] == pytest.approx(rate)
    assert link.acc_m_s2[2][0] == pytest.approx(GRAVITY_M_S2 + rate**2 * 0.5)  # upwards, towards the pivot


def test_a_chain_of_turns_and_shifts_agrees_with_its_own_path() -> None:
    def link(t: FloatArray) -> Link:
        zero = swing(t, 1, 0)
        base = from_earth(swing(t, 0.3, 0.2), zero, swing(t, 1.8, 0.02)).turn(2, swing(t, 0.2, 1.5))
        trunk = base.turn(1, swing(t, 0.4, 0.6)).turn(0, swing(t, 0.9, 0.2))
        sliding = trunk.shift(swing(t, 0.7, 0.05), zero, swing(t, 0.5, 0.1, offset=0.5))
        return (
            sliding.turn(1, swing(t, 0.6, 0.5))
            .turn(2, swing(t, 1.1, 0.8))
            .shift(zero, zero, swing(t, 1, 0, 0.15))
        )

    t, h = np.linspace(0, 5, 101), 1e-4
    before, now, after = link(t - h), link(t), link(t + h)
    path = [np.stack(x.position_m, axis=-1) for x in (before, now, after)]
    acc = (path[0] - 2 * path[1] + path[2]) / h**2 + np.array([0, 0, GRAVITY_M_S2])
    q = [np.stack(x.q_earth_from_link, axis=-1) for x in (before, now, after)]
    force = rotation.rotate(rotation.conjugate(q[1]), acc)
    np.testing.assert_allclose(np.stack(now.acc_m_s2, axis=-1), force, atol=1e-4)
    turned = rotation.to_rotation_vector(rotation.multiply(rotation.conjugate(q[0]), q[2])) / (2 * h)
    np.testing.assert_allclose(np.stack(now.gyr_rad_s, axis=-1), turned, atol=1e-5)

"""Sets of head tilts, nods, turns and bends of the trunk, made to judge a counter: a seed -> samples and truth.

Nothing is shared with `exercise/` or with the simulated wearer of `sim/`, neither code nor figures. Their sources:

* Size: active range is 61 deg of flexion and 43 of side bending (14 healthy people, accelerometers; as in Bennett,
  Schenk and Simmons 2002); exercises use all of it or a part. Small sets have 7 to 13 deg, those of stiff necks.
* Speed: people shake their heads at 1.9 to 4.7 Hz over 20 to 91 deg (Funk et al. 2015, J Appl Biomech 31, 170),
  so out and back in 0.4 s is what a brisk one can do; relaxation exercises take 6 s.
* Course: the velocity of a stroke is a lognormal bump (Plamondon 1995, Biol Cybern 72, 295-307), not symmetrical.
* Coming back: people miss their neutral by 3.5 deg (Revel et al. 1991, Arch Phys Med Rehabil 72, 288-291).
* Talk: heads of speakers move all the time, at below 1.8, 1.8 to 3.7 and 3.7 to 7 Hz (Hadar, Steiner, Grant and Rose
  1983, Hum Mov Sci 2, 35-46). Tremor of a head: 4 to 8 Hz.
* Bends: the sensor at C7 lies some 40 to 55 cm above the hips, about which a trunk bends by up to 90 deg.
* In the hand: before it is put on and after it is taken off a sensor turns about any axis, from pose to pose.

Body axes are x forward, y left, z up; angles in degrees as people read them: right tilt +, flexion +, right turn +.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from tiltwise.types import FloatArray, ImuBlock, Side

FINE_HZ = 200.0
PLANES = ("tilt", "nod", "turn")
BENDS = ("bend", "side bend")
SPEEDS_S = {"brisk": (0.4, 0.9), "usual": (0.9, 2.5), "slow": (2.5, 6.0)}  # out and back, without the hold
SIZES_DEG = {"small": (7.0, 13.0), "half": (15.0, 30.0), "large": (30.0, 60.0)}
BEND_DEG = (30.0, 90.0)
RATES_HZ = (25.0, 31.25, 50.0, 52.0, 100.0)
# Of the angles: lateral, flexion, rotation.
_COLUMN = {"tilt": 0, "nod": 1, "turn": 2, "bend": 1, "side bend": 0}
_MOST_DEG = {"tilt": 45.0, "nod": 60.0, "turn": 60.0, "bend": 90.0, "side bend": 45.0}
_FROM_NECK_M = ([-0.02, -0.09, 0.08], [0.1, 0.09, 0.2])  # where a sensor on the head lies, least and most
_FROM_HIPS_M = ([-0.12, -0.03, 0.38], [0.02, 0.03, 0.55])  # and one at C7
_POSE_S, _POSE_DEG, _RESTS = 0.7, 35.0, 0.3  # in the hand: from pose to pose, per axis; it rests so often
_MOST_DEG_S = 200.0  # mean speed of a stroke
_G = 9.81


@dataclass(frozen=True, slots=True)
class SetKind:
    """What kind of set: plane, speed and size by the names above, and what else goes on."""

    plane: str
    speed: str
    size: str
    talks: bool
    is_calibrated: bool
    is_handled: bool = False


@dataclass(frozen=True, slots=True)
class GeneratedSet:
    """Samples, and the true sides and peak times (s) of the repetitions in order."""

    kind: SetKind
    block: ImuBlock
    sides: tuple[Side, ...]
    peaks_s: tuple[float, ...]


class _Course:
    """Three angles over time, put together movement by movement."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._parts: list[FloatArray] = []
        self._at = np.zeros(3)
        self._calm: list[FloatArray] = []
        self.t_s = 0.0

    def move(self, to_deg: FloatArray, lasting_s: float) -> None:
        """Go somewhere with a lognormal bump of velocity."""
        n = max(round(lasting_s * FINE_HZ), 2)
        x = np.linspace(0.0, 1.0, n + 1)[1:]
        spread = self._rng.uniform(0.25, 0.5)
        bump = np.exp(-np.square(np.log(x / self._rng.uniform(0.4, 0.55))) / (2 * spread**2)) / x
        bump *= np.minimum(1.0, (1.0 - x) / 0.1)  # it ends
        share = np.cumsum(bump) / bump.sum()
        self._parts.append(self._at + share[:, None] * (to_deg - self._at))
        self._calm.append(np.ones(n))
        self._at = np.array(to_deg, dtype=float)
        self.t_s += n / FINE_HZ

    def stay(self, lasting_s: float) -> None:
        """Stay there."""
        n = max(round(lasting_s * FINE_HZ), 0)
        self._calm.append(np.zeros(n))
        self._parts.append(np.tile(self._at, (n, 1)))
        self.t_s += n / FINE_HZ

    def chatter(self) -> FloatArray:
        """How much of its talk a head shows, (n,): who moves on purpose talks less."""
        moving = np.concatenate(self._calm)
        window = np.hanning(round(FINE_HZ)) / np.hanning(round(FINE_HZ)).sum()
        share: FloatArray = 1.0 - 0.8 * np.convolve(moving, window, mode="same")[: len(moving)]
        return share

    def angles_deg(self) -> FloatArray:
        return np.concatenate(self._parts)


def generate_set(kind: SetKind, seed: int) -> GeneratedSet:
    """Return a set of this kind."""
    rng = np.random.default_rng([seed, *(ord(c) for c in f"{kind.plane}{kind.speed}{kind.size}")])
    course = _Course(rng)
    if kind.is_calibrated:
        _calibrate(course, rng)
    else:
        course.stay(rng.uniform(0.2, 4.0))
    chair_s = None
    if rng.random() < 0.1:
        course.stay(rng.uniform(0.3, 3.0))
        chair_s = course.t_s
        course.stay(rng.uniform(1.5, 8.0))
    sides, peaks_s = _exercise(course, kind, rng)
    course.stay(rng.uniform(0.3, 3.0))
    angles = course.angles_deg()
    begins_s = 0.0 if not kind.is_calibrated else peaks_s[0] - 3.0
    angles += _restlessness(len(angles), kind, course.chatter(), begins_s, rng)
    hand_s = (rng.uniform(2.0, 8.0), rng.uniform(2.0, 6.0)) if kind.is_handled else (0.0, 0.0)
    before, after = (round(lasting_s * FINE_HZ) for lasting_s in hand_s)
    angles = np.pad(angles, ((before, after), (0, 0)), mode="edge")
    chair_s = None if chair_s is None else chair_s + hand_s[0]
    block = _as_samples(angles, chair_s, kind, (before, after), rng)
    return GeneratedSet(kind, block, tuple(sides), tuple(peak_s + hand_s[0] for peak_s in peaks_s))


def _calibrate(course: _Course, rng: np.random.Generator) -> None:
    """Sit still, nod three times, wait a moment."""
    course.stay(rng.uniform(3.8, 5.0))
    for _ in range(3):
        stroke_s = rng.uniform(0.7, 1.2)
        course.move(np.array([rng.normal(0.0, 1.0), rng.uniform(28.0, 40.0), rng.normal(0.0, 1.0)]), stroke_s)
        course.move(np.zeros(3), stroke_s)
        course.stay(rng.uniform(0.1, 0.5))
    course.stay(rng.uniform(3.0, 8.0))


def _exercise(course: _Course, kind: SetKind, rng: np.random.Generator) -> tuple[list[Side], list[float]]:
    column = _COLUMN[kind.plane]
    usual_s = float(np.exp(rng.uniform(*np.log(SPEEDS_S[kind.speed]))))
    least, most = BEND_DEG if kind.plane in BENDS else SIZES_DEG[kind.size]
    most = min(most, _MOST_DEG[kind.plane], _MOST_DEG_S * usual_s / 2)
    usual_deg = rng.uniform(min(least, most), most)
    n = int(rng.integers(5, 13))
    signs = _signs(kind.plane, n, rng)
    weaker = {1.0: 1.0, -1.0: rng.uniform(0.65, 1.0)}  # people have a better side
    holds, rests = rng.choice([0.0, 1.0]), rng.choice([0.0, 1.0])
    coupling = rng.uniform(-0.25, 0.25, 3)
    middle = np.zeros(3)
    sides, peaks_s = [], []
    for k, sign in enumerate(signs):
        size = usual_deg * weaker[sign] * float(np.clip(rng.normal(1.0, 0.12), 0.7, 1.35))
        size = max(size, min(least, usual_deg))
        stroke_s = usual_s / 2 * float(np.clip(rng.normal(1.0, 0.12), 0.7, 1.4))
        to = middle + abs(size) * coupling
        to[column] = middle[column] + sign * size
        course.move(to, stroke_s)
        peaks_s.append(course.t_s)
        course.stay(holds * rng.uniform(0.2, 6.0) if kind.speed != "brisk" else 0.0)
        missed = np.clip(rng.normal(0.0, 3.5, 3), -7.0, 7.0) * min(1.0, usual_deg / 35.0)
        middle = middle + rng.normal(0.0, 0.4, 3)
        course.move(middle + missed, stroke_s * rng.uniform(0.8, 1.2))
        course.stay(rests * rng.uniform(0.1, 3.0) + (0.05 if kind.speed == "brisk" else 0.15))
        sides.append(Side.NONE if kind.plane in ("nod", "bend") else (Side.RIGHT if sign > 0 else Side.LEFT))
        if kind.talks and rests and k < n - 1 and rng.random() < 0.25:
            _glance(course, kind.plane, middle, rng)
    return sides, peaks_s


def _signs(plane: str, n: int, rng: np.random.Generator) -> list[float]:
    """In turn, or one side after the other, or one side alone; nods go down."""
    if plane in ("nod", "bend"):
        return [1.0] * n
    first = float(rng.choice([-1.0, 1.0]))
    way = rng.choice(["in turn", "in turn", "side by side", "one side"])
    if way == "in turn":
        return [first * (-1.0) ** k for k in range(n)]
    return [first if way == "one side" or k < n // 2 else -first for k in range(n)]


def _glance(course: _Course, plane: str, middle: FloatArray, rng: np.random.Generator) -> None:
    """Look at somebody or at the desk: what is not the movement of the exercise."""
    to = middle.copy()
    if plane == "turn" or (plane == "tilt" and rng.random() < 0.4):
        to[1] += rng.uniform(10.0, 30.0)
    else:
        to[2] += rng.choice([-1.0, 1.0]) * rng.uniform(10.0, 40.0)
    course.move(to, rng.uniform(0.25, 0.6))
    course.stay(rng.uniform(0.3, 2.0))
    course.move(middle, rng.uniform(0.25, 0.6))
    course.stay(rng.uniform(0.3, 1.5))


def _restlessness(
    n: int, kind: SetKind, chatter: FloatArray, begins_s: float, rng: np.random.Generator
) -> FloatArray:
    """Drift of the neutral, talk and tremor, (n, 3) deg; talk and drift begin after the calibration."""
    t = np.arange(n) / FINE_HZ
    on = np.clip((t - begins_s) / 1.0 + 1.0, 0.0, 1.0)[:, None] if begins_s > 0 else np.ones((n, 1))
    drift = np.zeros((n, 3))
    for column in range(3):
        period_s = rng.uniform(20.0, 90.0)
        drift[:, column] = rng.uniform(0.0, 4.0) * np.sin(2 * np.pi * t / period_s + rng.uniform(0, 6.28))
    out = on * drift
    if kind.talks:
        bursts = np.repeat(rng.random(int(n / FINE_HZ / 3.0) + 2) < 0.5, round(3.0 * FINE_HZ))[:n]
        chatter = chatter * np.pad(bursts.astype(float), (0, n - len(bursts)))
        for band, size in (((0.3, 1.8), 1.2), ((1.8, 3.7), 0.5), ((3.7, 7.0), 0.15)):
            out += on * chatter[:, None] * _noise_between(n, band, rng) * size * rng.uniform(0.4, 1.0, 3)
    if rng.random() < 0.3 and not kind.is_calibrated:  # who trembles is refused by a calibration
        out += _noise_between(n, (4.0, 8.0), rng) * rng.uniform(0.1, 0.5)
    return out


def _noise_between(n: int, band_hz: tuple[float, float], rng: np.random.Generator) -> FloatArray:
    """Noise of unit standard deviation in a band, (n, 3)."""
    spectrum = np.fft.rfft(rng.normal(size=(n, 3)), axis=0)
    f = np.fft.rfftfreq(n, 1 / FINE_HZ)
    spectrum[(f < band_hz[0]) | (f > band_hz[1])] = 0
    noise = np.fft.irfft(spectrum, n, axis=0)
    scaled: FloatArray = noise / np.maximum(noise.std(axis=0), 1e-9)
    return scaled


def _in_hand(worn: Rotation, n: int, rng: np.random.Generator) -> FloatArray:
    """Return how a sensor lies, n quaternions (scalar last), from where it is worn through poses in the hand."""
    poses = [worn]
    for _ in range(max(round(n / FINE_HZ / _POSE_S), 2)):
        turn = Rotation.from_rotvec(rng.normal(0.0, _POSE_DEG, 3) * (rng.random() >= _RESTS), degrees=True)
        poses.append(poses[-1] * turn)
    at = np.linspace(0.0, len(poses) - 1.0, n)
    share = at - np.floor(at)
    eased = np.floor(at) + share**2 * (3.0 - 2.0 * share)
    lies: FloatArray = Slerp(np.arange(len(poses)), Rotation.concatenate(poses))(eased).as_quat()
    return lies


def _worn(n: int, hand: tuple[int, int], rng: np.random.Generator) -> Rotation:
    """Return how the sensor lies on the body, anyhow, n times; of them some before and after in the hand."""
    worn = Rotation.random(random_state=np.random.RandomState(int(rng.integers(2**31))))
    if not any(hand):
        return worn
    before, after = (_in_hand(worn, some, rng) for some in hand)
    still = np.tile(worn.as_quat(), (n - sum(hand), 1))
    return Rotation.from_quat(np.concatenate((before[::-1], still, after)))


def _as_samples(
    angles_deg: FloatArray,
    chair_s: float | None,
    kind: SetKind,
    hand: tuple[int, int],
    rng: np.random.Generator,
) -> ImuBlock:
    """Turn angles into what an IMU of ordinary quality reads, put on anyhow, sampled at some rate."""
    n = len(angles_deg)
    heading = np.full(n, rng.uniform(0, 360))
    if chair_s is not None:  # the chair turns, in a second
        heading += (
            rng.choice([-1, 1]) * rng.uniform(30, 120) * np.clip(np.arange(n) / FINE_HZ - chair_s, 0.0, 1.0)
        )
    lateral, flexion, rotation = angles_deg.T
    euler = np.column_stack((heading - rotation, flexion, lateral))
    head = Rotation.from_euler("ZYX", euler, degrees=True)
    sensor = head * _worn(n, hand, rng)
    arm = head.apply(rng.uniform(*(_FROM_HIPS_M if kind.plane in BENDS else _FROM_NECK_M)))
    acceleration = np.gradient(np.gradient(arm, 1 / FINE_HZ, axis=0), 1 / FINE_HZ, axis=0)
    acceleration[:, 2] += _G
    acc = sensor.inv().apply(acceleration)
    turn = (sensor[:-1].inv() * sensor[1:]).as_rotvec() * FINE_HZ
    gyr = np.vstack((turn, turn[-1:]))
    rate = float(rng.choice(RATES_HZ))
    # Sensors low-pass before they sample.
    width = max(round(FINE_HZ / rate), 1)
    smooth = np.ones(width) / width
    t = np.arange(0.0, (n - width) / FINE_HZ, 1 / rate)
    at = t + 0.5 * (width - 1) / FINE_HZ
    fine_t = np.arange(n) / FINE_HZ
    columns = []
    for column in (*gyr.T, *acc.T):
        smoothed = np.convolve(column, smooth, mode="same")
        smoothed[:width], smoothed[-width:] = column[:width], column[-width:]
        columns.append(np.interp(at, fine_t, smoothed))
    read = np.array(columns).T
    gyr_read = read[:, :3] * (1 + rng.normal(0, 0.01, 3)) + np.radians(rng.normal(0.0, 0.5, 3))
    gyr_read += np.radians(rng.normal(0.0, 0.08, (len(t), 3)))
    acc_read = read[:, 3:] * (1 + rng.normal(0, 0.005, 3)) + rng.normal(0.0, 0.15, 3)
    acc_read += rng.normal(0.0, 0.03, (len(t), 3))
    return ImuBlock(t, gyr_read, acc_read)

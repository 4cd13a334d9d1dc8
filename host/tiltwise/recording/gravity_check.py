"""Do gyroscope and accelerometer describe one motion? Compares gravity's turns with those that the gyroscope tells.

In sensor axes "up" u moves with du/dt = u x w. Over two seconds, in which accelerations of a body average out, both
sides are compared: their ratio is the scale (or the rate) that is wrong, its sign a reversed gyroscope, and where
another order or other signs of the axes fit far better, those are named. Measured on 160 recordings of people: where
the fit is good (correlation of 0.97) the ratio is 0.83 to 1.14.

What no data can show: an acceleration that points down instead of up. It turns like the right one; inclination
and flexion stay right, left and right change places. And axes about which nothing turned against gravity, such as
those of head turns, or a movement of less than about five degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from tiltwise.types import FloatArray

_WINDOW_S = 2.0
_LEAST_TURN = 0.07  # of gravity or of its prediction, 4 deg
_CALM = 0.03  # share of g by which the mean length may differ: no acceleration that lasts
_GAP_S = 0.25
_LEAST_WINDOWS = 4
_SILENT = 1e-3  # of the squares: a gyroscope that tells 3 % of what gravity turns
_SAME_TURNS = (0.6, 1.6)  # gravity's turns over the gyroscope's in the right unit
_ALIKE = 0.8  # correlation in the right unit
_SURE = 0.97  # correlation from which on a scale is believed
_FITS = 0.95  # correlation of another order of axes that is believed
_BETTER = 0.1  # by which it must be better than the order of the file
RIGHT_RATIO = (0.78, 1.28)  # measured at a correlation of 0.97 and more: 0.83 to 1.14
_ORDERS = tuple(
    (order, signs) for order in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)
)
_AS_IS = ((0, 1, 2), (1.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How gravity's turns follow from the gyroscope's.

    ratio is gravity's over the gyroscope's, correlation -1 to 1; both NaN with too few windows to tell. better names
    another order of axes that fits, "" when none does.
    """

    windows: int
    ratio: float
    correlation: float
    better: str = ""

    @property
    def is_told(self) -> bool:
        """Whether there was enough turning to compare."""
        return self.windows >= _LEAST_WINDOWS

    @property
    def fits(self) -> bool:
        """Whether gravity turns about as much as the gyroscope says: no other unit could."""
        return self.is_told and _SAME_TURNS[0] < self.ratio < _SAME_TURNS[1] and self.correlation > _ALIKE

    @property
    def is_sure(self) -> bool:
        """Whether the ratio can be believed."""
        return self.is_told and self.correlation >= _SURE

    @property
    def is_silent(self) -> bool:
        """Whether gravity turns and the gyroscope says nothing of it."""
        return self.is_told and self.ratio == np.inf

    @property
    def is_right(self) -> bool:
        """Whether scale and axes are right as far as can be told."""
        return (
            not self.better
            and not self.is_silent
            and not (self.is_sure and not RIGHT_RATIO[0] <= self.ratio <= RIGHT_RATIO[1])
        )


def compare(t_s: FloatArray, gyr_rad_s: FloatArray, acc: FloatArray) -> Agreement:
    """Return how gyroscope and accelerometer agree; acc (n, 3) in any unit, t_s (n,) growing."""
    if len(t_s) < 3 or t_s[-1] - t_s[0] < 2 * _WINDOW_S:
        return Agreement(0, float("nan"), float("nan"))
    turned, told = _windows(t_s, gyr_rad_s, acc)
    if len(turned) < _LEAST_WINDOWS:
        return Agreement(len(turned), float("nan"), float("nan"))
    ratio, correlation = _fit(turned, told, *_AS_IS)
    if not np.isfinite(ratio):
        return Agreement(len(turned), ratio, correlation)
    better = ""
    if correlation < _FITS - _BETTER:
        fits = [(_fit(turned, told, *way)[1], -k) for k, way in enumerate(_ORDERS)]
        best, k = max(fits)
        if best >= max(_FITS, correlation + _BETTER):
            better = _as_columns(*_ORDERS[-k])
    return Agreement(len(turned), ratio, correlation, better)


def _windows(t_s: FloatArray, gyr: FloatArray, acc: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return gravity's turns (m, 3) and, for rates [axis, channel], what they would turn it by (m, 3, 3, 3)."""
    acc, gyr = (
        np.ascontiguousarray(acc.T),
        np.ascontiguousarray(gyr.T),
    )  # sums of rows are several times faster
    length = np.sqrt(acc[0] * acc[0] + acc[1] * acc[1] + acc[2] * acc[2])
    g = float(np.median(length)) or 1.0
    up, rate = acc / g, gyr - np.median(gyr, axis=1, keepdims=True)
    step = np.diff(t_s, prepend=t_s[0])
    cell = np.floor((t_s - t_s[0]) / (_WINDOW_S / 2)).astype(np.int64)
    edges = np.concatenate(([0], np.flatnonzero(cell[1:] != cell[:-1]) + 1))
    count = np.diff(edges, append=len(t_s)).astype(np.float64)

    def mean(values: FloatArray) -> FloatArray:
        total = np.add.reduceat(values, edges, axis=-1)
        return np.asarray((total[..., :-1] + total[..., 1:]) / (count[:-1] + count[1:]))

    # What a rate about axis a turns u by is u x a: two components of u, so that nine sums are enough.
    turn, mid_up = np.zeros_like(rate), up.copy()
    np.multiply(rate[:, 1:] + rate[:, :-1], step[1:] / 2, out=turn[:, 1:])
    mid_up[:, 1:] = (up[:, 1:] + up[:, :-1]) / 2
    paths = np.empty((3, 3, len(edges) - 1))
    for i, by in product(range(3), range(3)):
        paths[i, by] = mean(np.cumsum(mid_up[i] * turn[by]))
    about = np.stack(
        [np.cross(np.eye(3), axis) for axis in np.eye(3)]
    )  # [axis a, component of u, what it turns]
    told = np.einsum("ajc,jim->maic", about, paths)
    is_whole = np.maximum.reduceat(step, edges) <= _GAP_S
    is_next = (np.diff(cell[edges]) == 1) & is_whole[:-1] & is_whole[1:]
    is_calm = (np.abs(mean(length / g) - 1) < _CALM) & is_next
    turned = mean(up).T
    turned, told = turned[2:] - turned[:-2], told[2:] - told[:-2]
    straight = np.einsum("maac->mc", told)
    largest = np.maximum(_length(turned), _length(straight))
    is_used = is_calm[2:] & is_calm[:-2] & is_next[1:-1] & (largest > _LEAST_TURN)
    return turned[is_used], told[is_used]


def _length(vectors: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.sum(vectors * vectors, axis=1)))


def _fit(
    turned: FloatArray, told: FloatArray, order: tuple[int, ...], signs: tuple[float, ...]
) -> tuple[float, float]:
    """Return ratio and correlation when axis a is told by channel order[a] times signs[a]."""
    by_gyr = sum(signs[a] * told[:, a, order[a]] for a in range(3))
    both = float(np.sum(by_gyr * turned))
    squares = float(np.sum(by_gyr * by_gyr)), float(np.sum(turned * turned))
    if squares[0] <= _SILENT * squares[1]:
        return np.inf, 0.0
    if squares[1] <= 0:
        return 0.0, 0.0
    return both / squares[0], both / float(np.sqrt(squares[0] * squares[1]))


def _as_columns(order: tuple[int, ...], signs: tuple[float, ...]) -> str:
    """Return an order of axes as --columns takes it: -gyr_y:gyr_x:gyr_z."""
    return ":".join(
        ("-" if sign < 0 else "") + f"gyr_{'xyz'[k]}" for k, sign in zip(order, signs, strict=True)
    )

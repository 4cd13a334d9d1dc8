"""Windows -> is the sensor at rest: then its velocity is zero and its gyroscope shows the bias.

Beside VQF's test (small deviations for 1.5 s) the mean acceleration must stay the same from window to window: a
head that sinks by 1 deg/s is quiet, too, but it is not at rest, and taking its rate for bias would hide just the
movement that matters here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tiltwise.motion.orientation.preintegration import Window


@dataclass(frozen=True, slots=True)
class RestSettings:
    """Limits of what still counts as rest."""

    # Length of the deviation within a window; breathing is below 1 deg/s.
    gyr_sd_rad_s: float = math.radians(1.4)
    acc_sd_m_s2: float = 0.35
    acc_change_m_s2: float = 0.08  # from second to second: 0.5 deg/s of tilting
    # More than a bias: three times the zero-rate level of a consumer part.
    rate_rad_s: float = math.radians(3.0)
    after_s: float = 1.5


class RestDetector:
    """Counts the quiet time, window by window."""

    def __init__(self, settings: RestSettings | None = None) -> None:
        self.settings = settings or RestSettings()
        self.reset()

    def reset(self) -> None:
        """Forget the quiet time, as after a gap."""
        self._quiet_s = 0.0
        self._last_acc: list[float] | None = None
        self._last_length_s = 0.0

    def step(self, window: Window) -> bool:
        """Return whether the sensor has been at rest for long enough at the end of this window."""
        s, last = self.settings, self._last_acc
        is_quiet = window.gyr_sd < s.gyr_sd_rad_s and window.acc_sd < s.acc_sd_m_s2 and last is not None
        if is_quiet and last is not None:
            between_s = (window.duration_s + self._last_length_s) / 2
            is_quiet = (
                math.dist(window.acc_mean, last) < s.acc_change_m_s2 * max(between_s, 1.0)
                and max(map(abs, window.gyr_mean)) < s.rate_rad_s
            )
        self._last_acc, self._last_length_s = window.acc_mean, window.duration_s
        self._quiet_s = self._quiet_s + window.duration_s if is_quiet else 0.0
        return self._quiet_s >= s.after_s

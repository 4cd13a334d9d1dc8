"""A whole sensor without hardware: wearer -> IMU at register level -> the unmodified firmware -> frames.

Gives (virtual time, frame) as fast as they are asked for and takes commands; pacing is the caller's business (app/
registers it as the source `sim:`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from tiltwise.common import wire
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.body.coached_wearer import LEAST_REACTION_S, CoachedWearer, Request
from tiltwise.sim.body.ground_truth import Truth
from tiltwise.sim.body.scenario import Scenario
from tiltwise.sim.body.wearer import Wearer
from tiltwise.sim.imu.imu_errors import ImuErrors
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise.types import Mount

# The sensor interpolates the truth linearly: at 208 Hz a 7 Hz tremor loses under 0.6 % of its amplitude.
TRUTH_RATE_HZ = 208
# The sensors get the truth this far ahead, for long blocks cost less per sample; less of a wearer who listens.
_AHEAD_S = 5
STEP_S = 0.2  # one full frame of ten samples at 50 Hz


class Simulation:
    """A wearer with a board, on a virtual clock that starts at 0.

    Parameters
    ----------
    scenario, seed, minutes, mount, misalignment_deg, remount_deg, soft_tissue, is_calibrated, sensor_axes
        See `Wearer`. The seed also picks the individual sensors and their noise.
    two_sensors
        A second IMU on the same bus: sensor 0 sits at the mount, sensor 1 on the collar (on the head if the mount is
        the collar).
    stream
        Frame type asked for at boot (wire.ORIENT or wire.RAW); None waits for a START command.
    auto_ack
        Act as a host that stores every frame at once; False when a real host sends ACK.
    errors
        The sensors' errors; drawn from the seed if None.
    manner
        How a wearer who listens to a coach does what is asked for (see `CoachedWearer`), in the place of a scenario.

    Examples
    --------
    >>> simulation = Simulation("upright", seed=1, minutes=0.5)
    >>> all(time_s <= 30.0 for time_s, frame in simulation)
    True
    """

    def __init__(
        self,
        scenario: str | Scenario = "demo",
        *,
        seed: int = 0,
        minutes: float | None = None,
        mount: Mount | str = Mount.NECK,
        two_sensors: bool = False,
        misalignment_deg: float = 12.0,
        remount_deg: float = 8.0,
        soft_tissue: float = 1.0,
        is_calibrated: bool = True,
        sensor_axes: str = "any",
        stream: int | None = wire.ORIENT,
        auto_ack: bool = True,
        errors: ImuErrors | None = None,
        manner: str = "",
    ) -> None:
        first = Mount(mount)
        second = Mount.HEAD if first is Mount.COLLAR else Mount.COLLAR
        self.mounts: tuple[Mount, ...] = (first, second) if two_sensors else (first,)
        bows = Mount.COLLAR in self.mounts
        self.wearer: Wearer
        if manner:
            self.wearer = CoachedWearer(
                seed=seed, mount=first, minutes=minutes, sensor_axes=sensor_axes, bows=bows, manner=manner
            )
        else:
            self.wearer = Wearer(
                scenario, seed=seed, minutes=minutes, mount=first, misalignment_deg=misalignment_deg,
                remount_deg=remount_deg, soft_tissue=soft_tissue, is_calibrated=is_calibrated,
                sensor_axes=sensor_axes, bows=bows,
            )  # fmt: skip
        self._ahead = round((LEAST_REACTION_S if manner else _AHEAD_S) * TRUTH_RATE_HZ)
        self._sensors = [Lsm6dsox(seed=2 * seed + k, errors=errors) for k in range(len(self.mounts))]
        self._fed = 0  # samples of the truth given to the sensors
        self.board = SimBoard(self._sensors, boot_id=1, stream=stream, auto_ack=auto_ack)
        self.now_s = 0.0
        self._pending: deque[bytes] = deque()  # sent by the board, not yet yielded

    @property
    def duration_s(self) -> float:
        """Length of the story in virtual seconds."""
        return self.wearer.duration_s

    @property
    def truth(self) -> Truth:
        """What really happens, with peaks as the first mount shows them."""
        return self.wearer.truth()

    @property
    def replies(self) -> list[bytes]:
        """The board's answers to commands so far."""
        return self.board.replies

    def send(self, command: bytes) -> None:
        """Hand a command to the board, which sees it in its next step."""
        self.board.deliver(command)

    def hear(self, request: Request) -> None:
        """Ask a wearer who listens for something; the others hear nothing."""
        if isinstance(self.wearer, CoachedWearer):
            self.wearer.hear(self._fed / TRUTH_RATE_HZ, request)

    def step(self, to_s: float) -> list[bytes]:
        """Let the virtual time pass until to_s and return the frames sent meanwhile."""
        self._feed_sensors(to_s)
        self.now_s = max(self.now_s, to_s)
        return self.board.step(to_s)

    def __iter__(self) -> Iterator[tuple[float, bytes]]:
        """Yield (virtual time in s, frame) from now to the end of the story, frame by frame."""
        while self._pending or self.now_s < self.duration_s:
            if not self._pending:
                self._pending.extend(self.step(min(self.now_s + STEP_S, self.duration_s)))
                continue
            yield self.now_s, self._pending.popleft()

    def _feed_sensors(self, to_s: float) -> None:
        """Give the sensors the true motion up to at least to_s, in blocks on a fixed grid."""
        while self._fed <= to_s * TRUTH_RATE_HZ + 1:
            k = np.arange(self._fed, self._fed + self._ahead)
            t_s = k / TRUTH_RATE_HZ
            for sensor, mount in zip(self._sensors, self.mounts, strict=True):
                imu = self.wearer.imu(t_s, mount)
                sensor.advance(t_s, imu.gyr_rad_s, imu.acc_m_s2)
            self._fed += len(k)

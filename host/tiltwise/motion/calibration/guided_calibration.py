"""Guided calibration, live: a stream of orientation in, prompts out, at the end a Mounting or a refusal.

Sit tall and still for 3 s, nod three times, with the collar mount (or if asked for) lean to the sides three times.
The samples are taken in tenths of a second of device time, so that it does not matter where the stream was cut.
Used by `tiltwise calibrate`, `demo` and `watch`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from tiltwise.motion.calibration.alignment import AMPLITUDE_DEG, NODS, calibrate
from tiltwise.motion.calibration.excursions import ExcursionCounter
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.calibration.sitting_still import STILL_S, CalibrationError, finite, neutral_up
from tiltwise.motion.rotation import angle_between_deg, up_in_sensor
from tiltwise.types import FloatArray, Mount, OrientationBlock

_SLICES_HZ = 10.0
STILL_TIMEOUT_S = 30.0  # who cannot sit still for 3 s within this is given the reason
_MOVE_TIMEOUT_S = 15.0  # after the prompt or the last nod
_SETTLE_S = 0.5  # after the last nod: the return belongs to it
_MAX_GAP_S = 0.5


class CalibrationStep(StrEnum):
    """What the guided calibration waits for."""

    SIT_STILL = "sit_still"
    NOD = "nod"
    TILT = "tilt"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CalibrationProgress:
    """Where the guided calibration is.

    `text` is what to tell the person. `still_s` counts up to 3 s, `count` counts completed nods or tilts up to 3.
    `mounting` is there when done, `reason` when refused.
    """

    step: CalibrationStep
    text: str
    still_s: float = 0.0
    count: int = 0
    mounting: Mounting | None = None
    reason: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it ended, one way or the other."""
        return self.step in (CalibrationStep.DONE, CalibrationStep.REFUSED)


class GuidedCalibration:
    """Streaming state machine; feed it until `is_over`, then `reset()` to try again.

    Parameters
    ----------
    mount
        The place on the body; with the collar mount the person bows the upper back instead of nodding.
    with_tilts
        Ask for side tilts too: finer axes. None: only with the collar mount, where a bow cannot be told from a side
        lean by itself.
    is_behind, outward
        See `calibrate`.
    """

    def __init__(
        self,
        mount: Mount,
        *,
        with_tilts: bool | None = None,
        is_behind: bool | None = None,
        outward: FloatArray | None = None,
    ) -> None:
        self._mount = mount
        self._with_tilts = mount is Mount.COLLAR if with_tilts is None else with_tilts
        self._is_behind = is_behind
        self._outward = outward
        self._progress: CalibrationProgress
        self._since_s: float | None
        self._up: FloatArray
        self.reset()

    def reset(self) -> None:
        """Begin again with sitting still."""
        self._pending: list[OrientationBlock] = []
        self._slice_id: int | None = None
        self._slices: deque[OrientationBlock] = deque()
        self._parts: dict[CalibrationStep, OrientationBlock] = {}
        self._enter(CalibrationStep.SIT_STILL)

    @property
    def progress(self) -> CalibrationProgress:
        """Where it is now."""
        return self._progress

    def process(self, block: OrientationBlock) -> CalibrationProgress:
        """Take samples; return where it is after the last full tenth of a second."""
        block = finite(block)
        ids = np.floor(block.t_s * _SLICES_HZ).astype(np.int64)
        edges = [0, *(np.flatnonzero(np.diff(ids)) + 1).tolist(), len(ids)]
        for first, last in pairwise(edges):
            if first == last or self._progress.is_over:
                break
            if self._slice_id is not None and ids[first] != self._slice_id:
                self._take(_joined(self._pending))
                self._pending = []
            self._slice_id = int(ids[first])
            self._pending.append(block.part(slice(first, last)))
        return self._progress

    def _take(self, piece: OrientationBlock) -> None:
        """One tenth of a second."""
        t_s = float(piece.t_s[-1])
        if self._progress.is_over:
            return
        if self._slices and not 0 < piece.t_s[0] - self._slices[-1].t_s[-1] <= _MAX_GAP_S:
            self._slices.clear()
            self._parts.clear()
            self._enter(CalibrationStep.SIT_STILL)
        if self._since_s is None:
            self._since_s = t_s
        self._slices.append(piece)
        if self._progress.step is CalibrationStep.SIT_STILL:
            self._sit_still(t_s)
        else:
            self._count_movements(piece, t_s)

    def _sit_still(self, t_s: float) -> None:
        """Keep the last 3 s; go on when they are still."""
        while len(self._slices) > 1 and t_s - self._slices[1].t_s[0] >= STILL_S:
            self._slices.popleft()
        block = _joined(list(self._slices))
        still_s = _still_tail_s(block)
        reason = ""
        if block.t_s[-1] - block.t_s[0] >= 0.95 * STILL_S:
            try:
                self._up, _ = neutral_up(block, self._mount)
            except CalibrationError as error:
                reason = str(error)
            else:
                self._parts[CalibrationStep.SIT_STILL] = block
                self._enter(CalibrationStep.NOD)
                self._slices = deque([self._slices[-1]])
                return
        if self._since_s is not None and t_s - self._since_s > STILL_TIMEOUT_S:
            self._refuse(reason or "the sensor was not still for 3 s: sit tall and wait")
            return
        self._progress = CalibrationProgress(
            CalibrationStep.SIT_STILL, "Sit tall, look ahead, hold still.", min(still_s, STILL_S)
        )

    def _count_movements(self, piece: OrientationBlock, t_s: float) -> None:
        """Count excursions away from neutral; decide when there are three, or when nothing more comes."""
        tilt_deg = angle_between_deg(up_in_sensor(piece.q_earth_from_sensor), self._up)
        for t, angle in zip(piece.t_s.tolist(), tilt_deg.tolist(), strict=True):
            if self._counter.step(t, angle) is not None:
                self._count += 1
                self._since_s = t
        assert self._since_s is not None
        step = self._progress.step
        waited_s = t_s - self._since_s
        if movements_are_over(self._count, waited_s, is_out=self._counter.is_out):
            self._finish_movements(step)
            return
        self._progress = CalibrationProgress(step, self._prompt(step), STILL_S, min(self._count, NODS))

    def _finish_movements(self, step: CalibrationStep) -> None:
        """Judge the nods as soon as they are there, so that tilts are not asked for in vain."""
        self._parts[step] = _joined(list(self._slices))
        try:
            mounting = calibrate(
                self._parts[CalibrationStep.SIT_STILL],
                self._parts[CalibrationStep.NOD],
                self._parts.get(CalibrationStep.TILT),
                mount=self._mount,
                is_behind=self._is_behind,
                outward=self._outward,
            )
        except CalibrationError as error:
            self._refuse(str(error))
            return
        if step is CalibrationStep.NOD and self._with_tilts:
            self._enter(CalibrationStep.TILT)
            self._slices = deque([self._slices[-1]])
            return
        text = " ".join((f"Calibrated, quality {100 * mounting.quality:.0f} %.", *mounting.notes))
        self._progress = CalibrationProgress(
            CalibrationStep.DONE, text, STILL_S, min(self._count, NODS), mounting
        )

    def _refuse(self, reason: str) -> None:
        """End with the reason."""
        self._progress = CalibrationProgress(
            CalibrationStep.REFUSED, f"Not calibrated: {reason}", 0.0, self._count, None, reason
        )

    def _enter(self, step: CalibrationStep) -> None:
        """Begin a step."""
        self._since_s = None
        self._count = 0
        self._counter = ExcursionCounter(AMPLITUDE_DEG[self._mount])
        self._progress = CalibrationProgress(step, self._prompt(step))

    def _prompt(self, step: CalibrationStep) -> str:
        """What to ask for."""
        if step is CalibrationStep.SIT_STILL:
            return "Sit tall, look ahead, hold still."
        if step is CalibrationStep.TILT and self._mount is Mount.COLLAR:
            return "Lean your upper back to one side and come up again, three times."
        if step is CalibrationStep.TILT:
            return "Tilt ear to shoulder and back, three times."
        if self._mount is Mount.COLLAR:
            return "Bow your upper back forward and come up again, slowly, three times."
        return "Nod down and back to straight ahead, slowly, three times."


def find_guided_calibration(
    blocks: Iterable[OrientationBlock],
    *,
    mount: Mount,
    with_tilts: bool | None = None,
    is_behind: bool | None = None,
    outward: FloatArray | None = None,
) -> Mounting:
    """Return the Mounting of the first guided calibration in a stream.

    Parameters
    ----------
    blocks
        Orientation, cut anywhere.
    mount, with_tilts, is_behind
        See GuidedCalibration.
    outward
        The direction in sensor axes that points away from the skin, (3,).

    Raises
    ------
    CalibrationError
        With the reason, when it was refused or the samples end before.
    """
    guided = GuidedCalibration(mount, with_tilts=with_tilts, is_behind=is_behind, outward=outward)
    for block in blocks:
        progress = guided.process(block)
        if progress.mounting is not None:
            return progress.mounting
        if progress.is_over:
            raise CalibrationError(progress.reason)
    raise CalibrationError(f"the samples end while waiting: {guided.progress.text}")


def movements_are_over(count: int, waited_s: float, *, is_out: bool) -> bool:
    """Tell whether nods or tilts are done, so long after the last one; or whether no more come."""
    return (count >= NODS and waited_s >= _SETTLE_S and not is_out) or waited_s > _MOVE_TIMEOUT_S


def _still_tail_s(block: OrientationBlock) -> float:
    """For how long, up to the end, the head has stayed within a degree or two: the progress bar of sitting still."""
    up = up_in_sensor(block.q_earth_from_sensor)
    away = np.flatnonzero(angle_between_deg(up, up[-1]) > 3.0)
    return float(block.t_s[-1] - block.t_s[away[-1] if len(away) else 0])


def _joined(blocks: list[OrientationBlock]) -> OrientationBlock:
    """One block from consecutive ones."""

    def column(name: str) -> FloatArray:
        return np.concatenate([getattr(block, name) for block in blocks])

    gyr = None if any(block.gyr_rad_s is None for block in blocks) else column("gyr_rad_s")
    return OrientationBlock(
        column("t_s"), column("q_earth_from_sensor"), column("acc_m_s2"), gyr, blocks[0].sensor
    )

"""Asks a running board for one part after the other, and for the hands of a person where that is needed.

Time is counted in the board's own samples, so that a simulated board may be as fast as it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tiltwise.common import wire
from tiltwise.decode.decoder import Decoder
from tiltwise.decode.messages import Info, Status
from tiltwise.setup.firmware_cable import FirmwareCable
from tiltwise.setup.selftest import verdicts
from tiltwise.setup.selftest.verdicts import SIDES, Check, failed, passed, skipped
from tiltwise.setup.setup_errors import SetupError
from tiltwise.types import FloatArray, ImuBlock

STILL, POSITIONS, PRESS = "still", "positions", "press"  # what a person is asked for
STILL_S, MOTOR_S = 3.0, 1.2
POSITION_S = 1.0  # still with one side up, to count
POSITIONS_S, PRESS_S = 90.0, 15.0  # at most
_STATUS_S = 6.0  # STATUS comes every 5 s
_CHUNK_S = 0.25
_STILL_M_S2 = 0.5  # largest scatter of an axis in a position
_UP_SHARE = 0.9  # of the acceleration that is along one axis
_NAMES = {getattr(wire, name): name.removeprefix("IMU_") for name in vars(wire) if name.startswith("IMU_")}
_TROUBLES = (
    (wire.CONDITION_SENSOR_LOST, "it answered and does not now: a loose wire"),
    (
        wire.CONDITION_SENSOR_MISSING,
        "a second one is expected and does not answer: its wires, or setting `imus` to 1",
    ),
    (
        wire.CONDITION_SENSOR_STUCK,
        "it gives the same sample again and again: unplug the board for ten seconds",
    ),
    (
        wire.CONDITION_POOR_SENSOR,
        "the part is a poor choice or not what it says: hardware/README.md names better ones",
    ),
)


class SelfTest:
    """All checks of one board.

    Parameters
    ----------
    cable
        With a session open, or a board without a key.
    ask
        Called with STILL, POSITIONS or PRESS when a person is needed.
    features
        What the board said in HELLO, wire.FEATURE_*.
    """

    def __init__(self, cable: FirmwareCable, ask: Callable[[str], None], features: int) -> None:
        self._cable, self._ask, self._features = cable, ask, features
        self._decoder = Decoder()
        self._status: Status | None = None

    def run(self) -> Iterator[Check]:
        """Yield one check after the other; SetupError when the cable is gone or the firmware knows no self-test."""
        bus = self._part(wire.SELFTEST_BUS)
        yield verdicts.judge_bus(bus if isinstance(bus, bytes) else b"")
        yield self._flash()
        radio = self._part(wire.SELFTEST_RADIO)
        yield verdicts.judge_radio(radio if isinstance(radio, bytes) else None)
        self._ask(STILL)
        self._cable.start(wire.RAW)
        still = self._collect(STILL_S)
        yield self._identity(self._decoder.info, has_samples=len(still[0]) > 0)
        if len(still[0]):
            yield verdicts.judge_noise(*still)
            yield self._motor(float(still[1].std(axis=0).max()))
            yield self._gravity()
            self._ask(STILL)
            yield self._imu()
        else:
            for part in ("noise", "motor", "gravity", "IMU self-test"):
                yield skipped(part, "needs a sensor that answers")
        yield self._battery()
        yield self._button()
        self._cable.stop()

    # ---- parts ----

    def _part(self, part: int) -> bytes | int:
        """Return what a part's self-test found, or the status of a refusal; SetupError for an older firmware."""
        status, body = self._cable.self_test(part)
        if status == wire.STATUS_UNSUPPORTED and part == wire.SELFTEST_BUS:
            raise SetupError("the firmware on this board knows no self-test: run tiltwise setup first")
        return body if status == wire.STATUS_OK else status

    def _flash(self) -> Check:
        answer = self._part(wire.SELFTEST_FLASH)
        if not isinstance(answer, bytes):
            return verdicts.judge_flash(None)
        free_kb = int.from_bytes(answer, "little")
        return verdicts.judge_flash(-1 if free_kb == 0xFFFFFFFF else free_kb)

    def _imu(self) -> Check:
        answer = self._part(wire.SELFTEST_IMU)
        if isinstance(answer, bytes):
            return verdicts.judge_imu(answer)
        return failed(
            "IMU self-test", "the bus failed meanwhile", "check the four wires of the IMU for a loose one"
        )

    def _identity(self, info: Info | None, *, has_samples: bool) -> Check:
        if info is None:
            return self._no_driver()
        status = self._status or self._wait_for_status()
        conditions = 0 if status is None else status.conditions
        for bit, todo in _TROUBLES:
            if conditions & bit:
                return failed("identity", _name(info), todo)
        return passed("identity", _name(info)) if has_samples else self._no_driver()

    def _no_driver(self) -> Check:
        """Say what is there instead of an IMU that a driver knows, as far as the board can tell."""
        answer = self._part(wire.SELFTEST_IDENTITY)
        stranger = answer.decode("ascii", "replace").partition(": ")[0] if isinstance(answer, bytes) else ""
        if stranger:
            return failed(
                "identity", stranger, "another part was sold to you: firmware/README.md has those that work"
            )
        return failed(
            "identity",
            "no IMU that a driver knows",
            "is it one of those in firmware/README.md? then check SDA, SCL, 3V3 and GND",
        )

    def _motor(self, quiet_m_s2: float) -> Check:
        if not self._cable.buzz():
            return skipped("motor", "none fitted, silent by its settings, or it charges")
        _, acc = self._collect(MOTOR_S)
        return verdicts.judge_motor(quiet_m_s2, float(acc.std(axis=0).max()) if len(acc) else 0.0)

    def _gravity(self) -> Check:
        self._ask(POSITIONS)
        ups: dict[str, FloatArray] = {}
        began_s = now_s = 0.0
        held, side = [np.empty((0, 3))], ""
        while len(ups) < len(SIDES) and now_s - began_s < POSITIONS_S:
            _, acc = self._collect(_CHUNK_S)
            now_s += _CHUNK_S
            seen = side_up(acc)
            held = [*held, acc] if seen and seen == side else [acc]
            side = seen
            if side and len(held) >= POSITION_S / _CHUNK_S:
                ups[side] = np.concatenate(held).mean(axis=0)
        return verdicts.judge_gravity(ups)

    def _battery(self) -> Check:
        status = self._wait_for_status()
        if status is None:
            return failed(
                "battery", "the board said nothing for 6 s", "unplug it and run the same command again"
            )
        return verdicts.judge_battery(status.battery_mv if self._features & wire.FEATURE_BATTERY else None)

    def _button(self) -> Check:
        before = self._part(wire.SELFTEST_BUTTON)
        if not isinstance(before, bytes):
            return verdicts.judge_button(None)
        if before == b"\1":
            return failed(
                "button",
                "pressed before anybody was asked to",
                "let go of it and try again; twice: its pin touches GND, look for a bridge of solder",
            )
        self._ask(PRESS)
        for _ in range(round(PRESS_S / _CHUNK_S)):
            if self._part(wire.SELFTEST_BUTTON) == b"\1":
                return verdicts.judge_button(True)
            self._cable.wait(_CHUNK_S)
        return verdicts.judge_button(False)

    # ---- samples ----

    def _collect(self, seconds: float) -> tuple[FloatArray, FloatArray]:
        """Return the samples of the next seconds of the first sensor: gyroscope, accelerometer, (n, 3) in SI."""
        blocks = []
        for item in self._decoder.feed_many(self._cable.listen(seconds)):
            if isinstance(item, ImuBlock) and item.sensor == 0:
                blocks.append(item)
            elif isinstance(item, Status):
                self._status = item
        if not blocks:
            return np.empty((0, 3)), np.empty((0, 3))
        return np.concatenate([b.gyr_rad_s for b in blocks]), np.concatenate([b.acc_m_s2 for b in blocks])

    def _wait_for_status(self) -> Status | None:
        self._status = None
        for _ in range(round(_STATUS_S / _CHUNK_S)):
            self._collect(_CHUNK_S)
            if self._status is not None:
                break
        return self._status


def side_up(acc_m_s2: FloatArray) -> str:
    """Return which side faces up, as "+x"; empty while it moves or lies between two."""
    if len(acc_m_s2) == 0 or float(acc_m_s2.std(axis=0).max()) > _STILL_M_S2:
        return ""
    mean = acc_m_s2.mean(axis=0)
    axis = int(np.abs(mean).argmax())
    if abs(mean[axis]) < _UP_SHARE * float(np.linalg.norm(mean)):
        return ""
    return SIDES[2 * axis + (mean[axis] < 0)]


def _name(info: Info | None) -> str:
    return "no INFO" if info is None else f"{_NAMES.get(info.imu_kind, 'unknown')}, {info.imu_count} IMU"

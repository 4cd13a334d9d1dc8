"""Frames about the board itself: STATUS, INFO and EVENT."""

import struct

from tiltwise.common import wire

from ..sensing.framer import RATE_CODES

VERSION = (0, 1, 0)


class StatusFrames:
    """Writes the frames that describe board and sensors."""

    def __init__(self, board, app):
        self._board = board
        self._app = app
        self._outbox = app.outbox
        self._time = app.time
        self._buffer = app.outbox.main.spare()
        self._least_free = 0  # bytes of heap; 0: not known
        self._saturated = [0, 0]  # of each sensor, as told last

    def _put(self, frame_type, sensor, flags=0):
        samplers = self._app.samplers
        index, codes = 0, RATE_CODES
        if sensor < len(samplers):
            index, codes = samplers[sensor].samples >> 1, samplers[sensor].framer.rate_codes
        self._buffer = self._outbox.put(
            self._buffer, frame_type, flags, index, self._time.now(), 0, sensor, codes[wire.ORIENT]
        )

    def event(self, code, value, sensor=0):
        """Tell what just happened."""
        wire.pack_body_into(self._buffer, wire.EVENT, code, 0, min(value, 0x7FFFFFFF))
        self._put(wire.EVENT, sensor)

    def status(self, sampler):
        """Tell how the board and one sensor (None: there is none) are doing."""
        bias = sampler.fusion.bias if sampler is not None and sampler.fusion else (0.0, 0.0, 0.0)
        outbox = self._outbox
        battery = self._app.house.battery
        desk = self._app.desk
        free = self._board.mem_free()
        if free < self._least_free or not self._least_free:
            self._least_free = free
        # Straight into the buffer: handed on as a tuple, so many values would cost memory.
        struct.pack_into(
            wire.STATUS_BODY,
            self._buffer,
            wire.HEADER_SIZE,
            self._time.now() // 10000,
            battery.mv,
            battery.percent,
            self._app.health.reset_cause,
            0 if sampler is None else min(max(sampler.temperature_cdeg(), -32768), 32767),
            _u16(outbox.main.used),
            _u16(outbox.main.capacity),
            free,
            0 if sampler is None else _u16(sampler.faults),
            0 if sampler is None else _u16(sampler.overflows),
            0 if sampler is None else _u16(sampler.saturated),
            _u16(desk.retries),
            outbox.main.lost + outbox.minutes.lost,
            int(bias[0] * 1e5),
            int(bias[1] * 1e5),
            int(bias[2] * 1e5),
            self._conditions(sampler),
            self._least_free,
            0 if sampler is None else _u16(sampler.restarts),
            _u16(desk.wrong_proofs),
            _u16(desk.hostile),
            _u16(desk.dropped),
            _u16(desk.refused),
            _u16(desk.stalls),
            _u16(desk.radio_restarts),
            0 if self._app.archive is None else _u16(self._app.archive.log.faults),
        )
        if sampler is None:
            self._put(wire.STATUS, 0)
        else:
            self._put(wire.STATUS, sampler.index, self._flags(sampler))

    def _conditions(self, sampler):
        """Return what is wrong just now, as wire.CONDITION_*."""
        app = self._app
        found = 0 if sampler is None else self._conditions_of(sampler)
        if app.settings.problem is not None:
            found |= wire.CONDITION_SETTINGS_BAD
        if app.keystore.is_damaged:
            found |= wire.CONDITION_KEY_BAD
        if app.health.problem is not None:
            found |= wire.CONDITION_FLASH_BAD
        if app.health.is_safe_mode:
            found |= wire.CONDITION_SAFE_MODE
        if app.desk.is_waiting:
            found |= wire.CONDITION_HOST_SILENT
        return found

    def _conditions_of(self, sampler):
        """Return what is wrong with one sensor; one that sleeps is not looked at."""
        found = 0
        if sampler.is_lost and self._app.house.is_awake:
            if sampler.is_stuck:
                found = wire.CONDITION_SENSOR_STUCK
            else:
                found = (
                    wire.CONDITION_SENSOR_MISSING if sampler.fusion is None else wire.CONDITION_SENSOR_LOST
                )
        if sampler.driver is not None and sampler.driver.warning:
            found |= wire.CONDITION_POOR_SENSOR
        if sampler.saturated != self._saturated[sampler.index]:
            self._saturated[sampler.index] = sampler.saturated
            found |= wire.CONDITION_SATURATED
        return found

    def _flags(self, sampler):
        is_lost = sampler.is_lost and self._app.house.is_awake
        return (wire.FLAG_SENSOR_FAULT if is_lost else 0) | (
            wire.FLAG_LOW_BATTERY if self._app.house.battery.is_low else 0
        )

    def info(self, sampler):
        """Tell what is needed to read the sample frames of one sensor; nothing while it never answered."""
        driver = sampler.driver
        if sampler.fusion is None:
            return
        imu_rate_hz = sampler.rate_hz()
        wire.pack_body_into(
            self._buffer,
            wire.INFO,
            wire.MINOR,
            wire.LEAST_HOST_MINOR,
            driver.kind,
            len(self._app.samplers),
            self._app.desk.features(),
            VERSION[0],
            VERSION[1],
            VERSION[2],
            self._app.desk.state(),
            imu_rate_hz,
            imu_rate_hz / 2,
            driver.gyr_rad_s_per_count,
            driver.acc_m_s2_per_count,
            wire.ORIENT_ACC_M_S2_PER_COUNT,
            driver.gyr_range_dps,
            driver.acc_range_g,
            self._outbox.oldest(),
            self._outbox.next_seq,
            self._outbox.boot,
            self._board.model,
        )
        self._put(wire.INFO, sampler.index)


def _u16(value):
    return min(value, 65535)

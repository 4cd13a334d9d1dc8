"""The payloads of INFO, STATUS, MINUTE and EVENT frames as frozen dataclasses with units in their names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.types import FloatArray


class GapReason(StrEnum):
    """Why samples are missing; the `reason` of a SignalGap."""

    LOST = "lost"  # frames did not arrive; they may still be fetched
    OVERFLOW = "overflow"  # the board's ring was full: gone for good
    DEVICE = "device"  # the board or the file has no samples there
    FAULT = "fault"  # the sensor did not answer
    RESTART = "restart"  # the board started anew; how long it was off is not known
    CLOCK = "clock"  # the device clock went back


@dataclass(frozen=True, slots=True)
class Info:
    """Who the board is and what one count on the wire means; without it samples cannot be read."""

    boot: int
    sensor: int
    imu_kind: int
    imu_count: int
    protocol_minor: int
    least_host_minor: int
    features: int
    firmware: tuple[int, int, int]
    state: int
    imu_rate_hz: float
    orient_rate_hz: float
    gyr_rad_s_per_count: float
    acc_m_s2_per_count: float
    orient_acc_m_s2_per_count: float
    gyr_range_deg_s: int
    acc_range_g: int
    ring_oldest_seq: int
    ring_newest_seq: int
    boot_count: int
    model: str

    def rate_hz(self, frame_type: int) -> float:
        """Return the nominal rate of a sample frame type, 0.0 when the board did not tell it."""
        return self.imu_rate_hz if frame_type == wire.RAW else self.orient_rate_hz


@dataclass(frozen=True, slots=True)
class Status:
    """How the board is doing; sent every few seconds. battery_mv 0 and battery_percent None mean unknown.

    Counters count since boot; those of u16 end at 65535. `conditions` are bits wire.CONDITION_*; they, the least free
    heap and the counters after it are 0 from a board of minor 0, which did not tell them.
    """

    t_s: float
    uptime_s: int
    battery_mv: int
    battery_percent: int | None
    reset_cause: int
    temperature_deg_c: float
    ring_used_frames: int
    ring_size_frames: int
    free_heap_bytes: int
    bus_faults: int
    fifo_overflows: int
    saturated_samples: int
    send_retries: int
    lost_frames: int
    gyr_bias_rad_s: tuple[float, float, float]
    boot: int = 0
    sensor: int = 0  # that bus faults, overflows, saturation, bias and the sensor's conditions are about
    conditions: int = 0
    least_free_heap_bytes: int = 0
    stuck_restarts: int = 0
    wrong_proofs: int = 0
    hostile_commands: int = 0  # damaged, forged or replayed
    unproved_peers: int = 0  # sent away because they proved nothing in time
    refused_hosts: int = 0  # that proved the key while another was in session
    link_stalls: int = 0  # connections that took nothing for 2 s
    radio_restarts: int = 0
    flash_faults: int = 0  # pages and records that could not be written or read
    is_battery_low: bool = False


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute in short, kept by the board when the host is away: up_sensor (6, 3), a row per ten seconds."""

    t_s: float
    samples: int
    moving_s: int
    worn_s: int
    alerts: int
    up_sensor: FloatArray


@dataclass(frozen=True, slots=True)
class BoardEvent:
    """Something happened on the board: code is one of wire.EVENT_*, value belongs to the code."""

    t_s: float
    code: int
    value: int


def read_info(frame: Frame) -> Info:
    """Return the message of a checked INFO frame; WireError when its scales or rates cannot be meant."""
    body = frame.body()
    rates, scales = body[9:11], body[11:14]
    if not all(np.isfinite(scale) and scale > 0 for scale in scales):
        raise wire.WireError(f"INFO with scales {scales}, expected positive numbers: update the firmware")
    if not all(np.isfinite(rate) and 0 <= rate <= 10_000 for rate in rates):
        raise wire.WireError(f"INFO with rates {rates} Hz, expected 0 to 10000: update the firmware")
    return Info(
        boot=frame.boot,
        sensor=frame.sensor,
        imu_kind=body[2],
        imu_count=body[3],
        protocol_minor=body[0],
        least_host_minor=body[1],
        features=body[4],
        firmware=body[5:8],
        state=body[8],
        imu_rate_hz=rates[0],
        orient_rate_hz=rates[1],
        gyr_rad_s_per_count=scales[0],
        acc_m_s2_per_count=scales[1],
        orient_acc_m_s2_per_count=scales[2],
        gyr_range_deg_s=body[14],
        acc_range_g=body[15],
        ring_oldest_seq=body[16],
        ring_newest_seq=body[17],
        boot_count=body[18],
        model=body[19].split(b"\0")[0].decode("ascii", "replace"),
    )


def read_status(frame: Frame, t_s: float) -> Status:
    """Return the message of a checked STATUS frame of any minor version."""
    values = dict(zip(wire.STATUS_FIELDS, frame.body(), strict=True))
    percent, temperature_cdeg = values.pop("battery_percent"), values.pop("temperature_cdeg")
    x, y, z = (values.pop(f"gyr_bias_{axis}") * 1e-5 for axis in "xyz")
    return Status(
        t_s=t_s,
        boot=frame.boot,
        sensor=frame.sensor,
        battery_percent=None if percent == 255 else percent,
        temperature_deg_c=temperature_cdeg / 100,
        gyr_bias_rad_s=(x, y, z),
        is_battery_low=bool(frame.flags & wire.FLAG_LOW_BATTERY),
        **values,
    )


def read_minute(frame: Frame, t_s: float) -> Minute:
    """Return the message of a checked MINUTE frame."""
    samples, moving_s, worn_s, alerts, *up = frame.body()
    return Minute(t_s, samples, moving_s, worn_s, alerts, np.array(up, dtype=np.float64).reshape(6, 3) / 127)


def read_event(frame: Frame, t_s: float) -> BoardEvent:
    """Return the message of a checked EVENT frame."""
    code, _, value = frame.body()
    return BoardEvent(t_s, code, value)

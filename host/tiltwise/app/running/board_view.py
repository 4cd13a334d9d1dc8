"""What a board says of itself, as a table for the terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from tiltwise.common import wire
from tiltwise.decode.messages import Info, Status
from tiltwise.link.commands import BoardKey
from tiltwise.live.board.board_talk import BoardTalk
from tiltwise.live.event_text import lasting
from tiltwise.text import counted, printable

_PARTS = {
    wire.IMU_LSM6DSOX: "LSM6DSOX or LSM6DSO",
    wire.IMU_LSM6DSR: "LSM6DSR",
    wire.IMU_LSM6DS3TRC: "LSM6DS3TR-C",
    wire.IMU_BMI270: "BMI270",
    wire.IMU_ICM42688P: "ICM-42688-P",
    wire.IMU_MPU6050: "MPU-6050",
    wire.IMU_LSM6DSV16X: "LSM6DSV16X",
    wire.IMU_ICM45686: "ICM-45686",
}
_FEATURES = {
    wire.FEATURE_MOTOR: "motor",
    wire.FEATURE_BATTERY: "battery gauge",
    wire.FEATURE_SECOND_IMU: "second sensor",
    wire.FEATURE_FLASH_MINUTES: "minutes kept in flash",
}
_MODES = {
    "stream": "stream: each angle at once",
    "save": "save: half the angles, up to 0.5 s late",
    "log": (
        "log: the radio is on for two minutes after a start or a press of the button, while it charges and while a "
        "computer is connected; the minutes are fetched then"
    ),
}
_KEEP_THEIR_RATE = {wire.IMU_BMI270, wire.IMU_ICM42688P, wire.IMU_MPU6050}
_BETWEEN_RATES_HZ = 75.0  # 50 to 60 Hz in save and log, 100 to 120 Hz in stream
_STATES = {
    wire.STATE_NEEDS_SETUP: "it has no key: run tiltwise setup",
    wire.STATE_LOCKED: "it has a key",
    wire.STATE_OPEN: "in session with this computer",
}
# Reset causes, in the order of firmware/device/health.py.
_STARTED_BY = (
    "unknown",
    "power",
    "the reset button",
    "the watchdog: it hung",
    "motion, out of sleep",
    "a soft reset",
    "a command",
    "a crash",
)


def board_table(talk: BoardTalk) -> Table:
    """Return the rows of a talk that is over."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in (
        *_who(talk),
        *_health(talk.status.get(0)),
        *_kept(talk.infos.get(0)),
        *_sensors(talk),
        *_power(talk),
        *_settings(talk),
    ):
        if value:
            table.add_row(name, value)
    return table


def board_json(talk: BoardTalk) -> dict[str, object]:
    """Return all that the board said."""
    return {
        "board": "" if talk.hello is None else talk.hello.name,
        "sensors": {str(k): asdict(info) for k, info in sorted(talk.infos.items())},
        "status": {str(k): asdict(status) for k, status in sorted(talk.status.items())},
        "settings": {key.name.lower(): value for key, value in talk.settings.items()},
    }


def _who(talk: BoardTalk) -> list[tuple[str, str]]:
    hello = talk.hello
    if hello is None:
        return []
    info = talk.infos.get(0)
    version = ".".join(map(str, hello.firmware))
    said = f"{printable(hello.model)}, firmware {version}, {hello.name}"
    if info is None:
        return [("board", said)]
    has = [words for bit, words in _FEATURES.items() if info.features & bit]
    minor = f"1.{info.protocol_minor}, hosts from 1.{info.least_host_minor} on"
    return [
        ("board", f"{said}, start {info.boot_count}"),
        ("state", _STATES.get(info.state, f"state {info.state}")),
        ("protocol", minor),
        ("has", ", ".join(has) or "nothing beside its sensor"),
    ]


def _health(status: Status | None) -> list[tuple[str, str]]:
    if status is None:
        return [("health", "it told nothing in time: is a sensor connected?")]
    volts = f" ({status.battery_mv / 1000:.2f} V)" if status.battery_mv else ""
    level = "" if status.battery_percent is None else f"{status.battery_percent} %{volts}"
    low = ", low: charge it" if status.is_battery_low else ""
    cause = _STARTED_BY[status.reset_cause] if status.reset_cause < len(_STARTED_BY) else "unknown"
    memory = f"{status.free_heap_bytes // 1000} kB free, {status.least_free_heap_bytes // 1000} kB at least"
    link = (
        f"{counted(status.lost_frames, 'frame')} lost, {status.send_retries} sent again, "
        f"{counted(status.link_stalls, 'stall')}, {counted(status.radio_restarts, 'radio restart')}, "
        f"{counted(status.flash_faults, 'flash fault')}"
    )
    strangers = (
        f"{counted(status.wrong_proofs, 'wrong proof')}, {counted(status.hostile_commands, 'forged command')}, "
        f"{status.unproved_peers} proved nothing, {status.refused_hosts} refused"
    )
    return [
        ("battery", level + low),
        ("running", f"{lasting(status.uptime_s)}, started by {cause}"),
        ("memory", memory),
        ("kept", f"{status.ring_used_frames} of {status.ring_size_frames} frames"),
        ("link", link),
        ("strangers", strangers),
    ]


def _kept(info: Info | None) -> list[tuple[str, str]]:
    """Return which frames of this start the board had when it was asked."""
    return [] if info is None else [("frames", f"{info.ring_oldest_seq} to {info.ring_newest_seq}")]


def _sensors(talk: BoardTalk) -> list[tuple[str, str]]:
    return [
        (f"sensor {sensor + 1}", _sensor(info, talk.status.get(sensor)))
        for sensor, info in sorted(talk.infos.items())
    ]


def _sensor(info: Info, status: Status | None) -> str:
    part = _PARTS.get(info.imu_kind, "an IMU of another version")
    said = f"{part}, {info.imu_rate_hz:.0f} Hz, to {info.gyr_range_deg_s} deg/s and {info.acc_range_g} g"
    if status is None:
        return said
    bias = max(abs(axis) for axis in status.gyr_bias_rad_s) * 57.29578
    return (
        f"{said}; {status.temperature_deg_c:.0f} degC, bias {bias:.2f} deg/s, "
        f"{counted(status.bus_faults, 'bus fault')}, {counted(status.fifo_overflows, 'overflow')}, "
        f"{counted(status.saturated_samples, 'sample')} out of range, {counted(status.stuck_restarts, 'restart')}"
    )


def _power(talk: BoardTalk) -> list[tuple[str, str]]:
    """Return the power mode, and whether the sensor runs in it already: it changes its rate at a start only."""
    mode, info = talk.settings.get(BoardKey.POWER), talk.infos.get(0)
    if mode not in _MODES:
        return []
    said = _MODES[str(mode)]
    if info is not None and (info.imu_rate_hz > _BETWEEN_RATES_HZ) != (mode == "stream"):
        keeps = info.imu_kind in _KEEP_THEIR_RATE
        said += (
            "; this IMU keeps its rate"
            if keeps
            else "; the sensor's rate follows at the next start: --restart"
        )
    return [("power", said)]


def _settings(talk: BoardTalk) -> list[tuple[str, str]]:
    pairs = [f"{key.name.lower()}={printable(str(value), 30)}" for key, value in talk.settings.items()]
    return [("settings", ", ".join(pairs))]

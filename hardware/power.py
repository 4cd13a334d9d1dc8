"""How long a charge lasts: a model, not a measurement. Run it for the table: `python -m hardware.power`.

What draws current (states) -> how often (a mode's duty) -> mean current -> hours from a cell. Currents come from
facts.csv with their sources; the duties below are counted from the firmware's settings or marked as assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hardware.facts import facts, value

USABLE = 0.85  # of a cell's rated capacity: ageing, cold and the charger's early end (assumed)
WORKING_DAY_H = 8.0
GOAL_H = 40.0  # five working days, or as long as nRF trackers of this size are said to stream
SENSOR_RATE_HZ = 104.0  # firmware/config.py RATE_HZ
LOOK_HZ = 32.7  # of the loop where the processor sleeps between its steps; tests/hardware counts them
FRAME_HZ = 5.2  # 52 samples a second, ten in a frame
OFTEN_LOOK_HZ = 60.5  # the same with STEPS_MS = 20, as on boards that stay awake
SAVE_RATE_HZ = 52.0  # SAVE_RATE_HZ
SAVE_LOOK_HZ = 10.4  # SAVE_STEPS_MS
SAVE_FRAME_HZ = 2.6

# How long the nRF52840 works, in turns of a counting loop: `tiltwise bench firmware` counts them in the VM. How long
# a turn takes on the chip is the model's weakest figure: two boards of the same make were published at 168 MHz, the
# slower of them is taken and slowed to 64 MHz. The range goes from the faster to twice that, because allocation, the
# collector and the flash of this chip may cost more than a loop shows.
SAMPLE_TURNS = 190.0
LOOK_TURNS = 260.0
_CLOCKS = 168 / 64
TURN_US = 1e7 / value("pyboard", "turns_slow") * _CLOCKS
TURN_RANGE_US = (
    1e7 / value("pyboard", "turns_fast") * _CLOCKS,
    2e7 / value("pyboard", "turns_fast") * _CLOCKS,
)
BUS_MS = 0.27  # a sample on the bus at 400 kHz: 12 bytes of 9 bits, waited for
TAG_MS = 2.0  # HMAC of one frame (assumed)
COLLECT_MS = 0.15  # a sample's share of the collector: 15 ms for every 100 samples, 42 kB (assumed)

RADIO_EVENT_MS = 1.2  # of an empty connection event with ramp-up; embedwise nRF52 calculator gives about this
FRAME_RADIO_MS = 1.5  # one frame of 166 bytes on 1 Mbit/s
SLOW_INTERVAL_MS = 100.0  # what a host could choose instead of 30
MOTOR_S_PER_H = 4.0  # eight alerts of half a second an hour (assumed, the most a wearer would bear)
ADVERTISING_MA = 0.1  # while nobody is connected (assumed)
DOZING_H = 1.0  # firmware/device/power.py DEEP_AFTER_MS
NAP_HZ, NAP_TURNS = 5.0, 30.0  # looks at two pins while asleep (boards/zephyr.py)


@dataclass(frozen=True, slots=True)
class Mode:
    """What the firmware does in a mode: how fast it samples, reads, fuses and sends.

    The setting `power` of the board has these names. MicroPython has no call by which a peripheral asks for a
    connection interval or for latency, on any port: the host's 30 ms are in all modes that are connected.

    Attributes
    ----------
    sample_hz
        Samples a second of the sensor; two make an orientation.
    look_hz
        Turns of the firmware's loop a second; each wakes the processor, some of them read the sensor's FIFO.
    frame_hz
        Frames sent a second.
    interval_ms
        Connection interval; None with the radio off.
    """

    name: str
    says: str
    sample_hz: float
    look_hz: float
    frame_hz: float
    interval_ms: float | None


MODES = (
    Mode("stream", "live angles, 52 a second", SENSOR_RATE_HZ, LOOK_HZ, FRAME_HZ, 30.0),
    Mode("save", "angles, 26 a second, 0.3 s late", SAVE_RATE_HZ, SAVE_LOOK_HZ, SAVE_FRAME_HZ, 30.0),
    Mode("log", "minutes only, radio off", SAVE_RATE_HZ, SAVE_LOOK_HZ, 0.0, None),
)


@dataclass(frozen=True, slots=True)
class Board:
    """What one build draws; `cell` and `imus` name parts of facts.csv."""

    name: str
    title: str
    cell: str
    imus: tuple[str, ...]


NRF = Board("zero_wire", "XIAO nRF52840 Sense", "cell_130", ("lsm6ds3trc",))
S3 = Board("esp32s3", "XIAO ESP32-S3 + LSM6DSOX", "cell_500", ("lsm6dsox",))
PAIR = Board("two_sensor", "XIAO ESP32-S3 + 2 LSM6DSOX", "cell_500", ("lsm6dsox", "lsm6dsox"))
C3 = Board("budget", "XIAO ESP32C3 + LSM6DSOX", "cell_500", ("lsm6dsox",))
PICO = Board("pico_w", "Raspberry Pi Pico W + LSM6DSOX", "cell_500", ("lsm6dsox",))
BOARDS = (NRF, S3, PAIR, C3, PICO)


@dataclass(frozen=True, slots=True)
class Load:
    """One consumer's share of the mean current, in mA at the cell, and why it is that large."""

    name: str
    mean_ma: float
    why: str


def loads(board: Board, mode: Mode, turn_us: float = TURN_US) -> tuple[Load, ...]:
    """Return what draws how much in a mode; the sum is the mean current."""
    processor = _nrf_loads(mode, turn_us) if board.name == "zero_wire" else _busy_loads(board, mode)
    shared = (
        Load("IMU", sum(imu_ma(imu, mode) for imu in board.imus), "both sensors on"),
        Load("motor", value("motor", "current") * MOTOR_S_PER_H / 3600, f"{MOTOR_S_PER_H:.0f} s an hour"),
    )
    return processor + shared


def imu_ma(imu: str, mode: Mode) -> float:
    """Return the current of an IMU at a mode's rate; high-performance mode where the driver sets no other."""
    at_rate = f"current_{mode.sample_hz:.0f}hz"
    return value(imu, at_rate if (imu, at_rate) in facts() else "current")


def mean_ma(board: Board, mode: Mode, turn_us: float = TURN_US) -> float:
    """Return the mean current in mA at the cell."""
    return sum(load.mean_ma for load in loads(board, mode, turn_us))


def hours(board: Board, mode: Mode, turn_us: float = TURN_US) -> float:
    """Return the hours of a charge: usable capacity through mean current."""
    return value(board.cell, "capacity") * USABLE / mean_ma(board, mode, turn_us)


def turn_us_for(mode: Mode, wanted_h: float) -> float:
    """Return how long a turn of the counting loop may take on the nRF52840 for a charge to last `wanted_h` hours.

    Negative when no speed is enough.
    """
    allowed_ma = value(NRF.cell, "capacity") * USABLE / wanted_h
    at_0, at_1 = (mean_ma(NRF, mode, turn_us) for turn_us in (0.0, 1.0))
    return (allowed_ma - at_0) / (at_1 - at_0)


def night_mah(turn_us: float = TURN_US) -> float:
    """Return what 16 h off the body without a host take: an hour of dozing, then asleep until it is moved."""
    cpu, idle = value("xiao_nrf52840", "cpu_current"), value("lsm6ds3trc", "wake_current")
    dozing = cpu * LOOK_TURNS * LOOK_HZ * turn_us / 1e6 + ADVERTISING_MA + idle
    asleep = cpu * NAP_TURNS * NAP_HZ * turn_us / 1e6 + idle
    return dozing * DOZING_H + asleep * (24 - WORKING_DAY_H - DOZING_H)


def working_days(mode: Mode, turn_us: float = TURN_US) -> float:
    """Return the working days of a charge of the zero-wire build: 8 h worn and connected, 16 h off."""
    a_day = mean_ma(NRF, mode, turn_us) * WORKING_DAY_H + night_mah(turn_us)
    return value(NRF.cell, "capacity") * USABLE / a_day


def cell_for(board: Board, mode: Mode, wanted_h: float) -> float:
    """Return the capacity in mAh that lasts `wanted_h` hours."""
    return wanted_h * mean_ma(board, mode) / USABLE


def what_matters(board: Board, mode: Mode) -> tuple[tuple[str, float], ...]:
    """Return each load with the hours that halving it would add, the largest first."""
    now = hours(board, mode)
    capacity = value(board.cell, "capacity") * USABLE
    total = mean_ma(board, mode)
    gains = ((load.name, capacity / (total - load.mean_ma / 2) - now) for load in loads(board, mode))
    return tuple(sorted(gains, key=lambda gain: -gain[1]))


def _nrf_loads(mode: Mode, turn_us: float) -> tuple[Load, ...]:
    """Return processor, radio and sleep of the nRF52840: it sleeps whenever the loop waits."""
    cpu, tx, rx, sleep = (
        value("xiao_nrf52840", f"{name}_current") for name in ("cpu", "radio_tx", "radio_rx", "sleep")
    )
    turns = SAMPLE_TURNS * mode.sample_hz + LOOK_TURNS * mode.look_hz
    busy_ms = turns * turn_us / 1000 + (BUS_MS + COLLECT_MS) * mode.sample_hz + TAG_MS * mode.frame_hz
    radio_ms = 0.0
    if mode.interval_ms is not None:
        radio_ms = RADIO_EVENT_MS * 1000 / mode.interval_ms + FRAME_RADIO_MS * mode.frame_hz
    return (
        Load("processor", cpu * min(busy_ms / 1000, 1.0), f"busy {busy_ms / 10:.0f} % of the time"),
        Load("radio", (tx + rx) / 2 * radio_ms / 1000, f"on {radio_ms / 10:.1f} % of the time"),
        Load("asleep", sleep, "whole board, nothing running"),
    )


def _busy_loads(board: Board, mode: Mode) -> tuple[Load, ...]:
    """Return the board's current where MicroPython cannot sleep with the radio on: the mode hardly matters."""
    part = {"budget": "xiao_esp32c3", "pico_w": "pico_w"}.get(board.name, "xiao_esp32s3")
    if mode.interval_ms is not None:
        return (
            Load("board", value(part, "ble_current"), "connected; MicroPython cannot sleep beside the radio"),
        )
    awake = value(part, "modem_sleep_current") if part == "xiao_esp32s3" else value(part, "ble_current") * 0.8
    return (
        Load("board", awake, "radio off, processor awake: the firmware has no light sleep of its own yet"),
    )


@dataclass(frozen=True, slots=True)
class Published:
    """What others measured on comparable products."""

    product: str
    result: str
    source: str


PUBLISHED = (
    Published(
        "SlimeVR tracker with nRF52840 and IMU", "110 mAh: 40 to 60 h, 1.8 to 2.8 mA", "SlimeVR documentation"
    ),
    Published("XIAO Sense asleep, motion wake-up at 1.6 to 416 Hz", "8 to 162 uA", "Seeed forum 270801"),
    Published(
        "scale with ESP32-S3, connected",
        "31.4 mA asleep between events, 64.4 mA live",
        "openscale pull request 121",
    ),
    Published(
        "ESP32-S3 power_save example, connected",
        "about 15 mA (15 to 25 in reports)",
        "esp-idf issues 13073, 947",
    ),
    Published("XIAO ESP32C3, modem sleep, BLE", "26.8 mA", "Seeed power consumption report"),
)


def table(boards: Iterable[Board] = BOARDS) -> str:
    """Return the table that `make hardware` prints."""
    lines = ["model, not measured: mean current and hours of a charge, worn and connected without a pause"]
    lines.append(f"  {'build':31s}{'cell':>8s}" + "".join(f"{mode.name:>18s}" for mode in MODES))
    for board in boards:
        cells = "".join(f"{mean_ma(board, mode):8.2f} mA{hours(board, mode):5.0f} h" for mode in MODES)
        lines.append(f"  {board.title:31s}{value(board.cell, 'capacity'):5.0f}mAh{cells}")
    lines += _nrf_lines()
    for mode in MODES:
        shares = ", ".join(f"{load.name} {load.mean_ma:.2f} mA ({load.why})" for load in loads(NRF, mode))
        lines.append(f"  {NRF.title}, {mode.name}: {shares}")
    lines += ["  what matters most (hours that halving it would add):"]
    for board in (NRF, S3):
        gains = ", ".join(f"{name} {gain:+.1f} h" for name, gain in what_matters(board, MODES[0])[:3])
        lines.append(f"    {board.title}, stream: {gains}")
    day = cell_for(S3, MODES[0], WORKING_DAY_H)
    lines.append(f"    a working day of {WORKING_DAY_H:.0f} h of stream on the ESP32-S3 takes {day:.0f} mAh")
    lines.append("  measured by others:")
    lines += [f"    {item.product}: {item.result} ({item.source})" for item in PUBLISHED]
    return "\n".join(lines)


def _nrf_lines() -> list[str]:
    """Return how the nRF52840's hours depend on its speed and on the host, and its working days."""
    stream, save, _ = MODES
    fast, slow = TURN_RANGE_US
    low, high = hours(NRF, stream, slow), hours(NRF, stream, fast)
    now = hours(NRF, stream)
    often = now - hours(NRF, replace(stream, look_hz=OFTEN_LOOK_HZ))
    slowly = hours(NRF, replace(stream, interval_ms=SLOW_INTERVAL_MS)) - now
    return [
        f"  the nRF52840 streams {low:.0f} to {high:.0f} h for turns of {slow:.1f} to {fast:.1f} us; "
        f"{GOAL_H:.0f} h want {turn_us_for(stream, GOAL_H):.1f} us or less (taken: {TURN_US:.1f})",
        f"  looks at the links every 20 ms instead of 50 would cost {often:.1f} h; a host that asks for "
        f"{SLOW_INTERVAL_MS:.0f} ms instead of 30 would gain {slowly:.1f} h",
        f"  working days of 8 h worn and 16 h off without a host ({night_mah():.1f} mAh a night): "
        f"{working_days(stream):.1f} in stream, {working_days(save):.1f} in save",
    ]


if __name__ == "__main__":
    print(table())

"""How long a charge lasts: a model, not a measurement. Run it for the table: `python -m hardware.power`.

What draws current (states) -> how often (a mode's duty) -> mean current -> hours from a cell. Currents come from
facts.csv with their sources; the duties below are counted from the firmware's settings or marked as assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hardware.facts import fact, value

USABLE = 0.85  # of a cell's rated capacity: ageing, cold and the charger's early end (assumed)
WORKING_DAY_H = 8.0
GOAL_H = 40.0  # five working days, or as long as nRF trackers of this size are said to stream
SENSOR_RATE_HZ = 104.0  # firmware/config.py RATE_HZ
BURST_HZ = 20.0  # firmware/config.py POLL_MS = 50: reads of the sensor's FIFO
LOOP_HZ = 50.0  # STEPS_MS = 20: looks at the link
FRAME_HZ = 5.2  # 52 samples a second, ten in a frame
SAVE_RATE_HZ = 52.0  # SAVE_RATE_HZ
SAVE_BURST_HZ = 1000 / 300  # SAVE_POLL_MS
SAVE_LOOP_HZ = 10.0  # SAVE_STEPS_MS
SAVE_FRAME_HZ = 2.6

# How long the nRF52840 works for each thing, in ms. Nobody has measured this firmware on it.
# One orientation update: micropython-fusion states "under 2 ms" on a Pyboard of 168 MHz; this chip has 64 MHz. The
# range goes from that figure unscaled (frozen code, small integers) to the 1.7 times Madgwick of `tiltwise bench`.
FUSION_MS = 2.0 * 168 / 64
FUSION_RANGE_MS = (2.0, FUSION_MS * 1.7)
SAMPLE_MS = 0.27  # of the bus at 400 kHz: 12 bytes of 9 bits, waited for
BURST_MS = 0.3  # beside that: addresses, FIFO level, the calls
LOOP_MS = 0.4  # one turn of the loop in which nothing is due (assumed)
FRAME_MS = 6.0  # packing and the tag (HMAC) of one frame
HOUSE_MS = 20.0  # once a second: battery, power, flash, watchdog

RADIO_EVENT_MS = 1.2  # of an empty connection event with ramp-up; embedwise nRF52 calculator gives about this
FRAME_RADIO_MS = 1.5  # one frame of 166 bytes on 1 Mbit/s
MOTOR_S_PER_H = 4.0  # eight alerts of half a second an hour (assumed, the most a wearer would bear)


@dataclass(frozen=True, slots=True)
class Mode:
    """What the firmware does in a mode: how fast it samples, reads, fuses and sends.

    The setting `power` of the board has these names. MicroPython has no call by which a peripheral asks for a
    connection interval or for latency, on any port: the host's 30 ms are in all modes that are connected.

    Attributes
    ----------
    fused_hz
        Samples a second, each fused.
    burst_hz
        Reads of the sensor's FIFO a second; each wakes the processor.
    loop_hz
        Looks at the link a second; each wakes the processor too.
    frame_hz
        Frames sent a second.
    interval_ms
        Connection interval; None with the radio off.
    """

    name: str
    says: str
    fused_hz: float
    burst_hz: float
    loop_hz: float
    frame_hz: float
    interval_ms: float | None


MODES = (
    Mode("stream", "live angles, 52 a second", SENSOR_RATE_HZ, BURST_HZ, LOOP_HZ, FRAME_HZ, 30.0),
    Mode(
        "save",
        "angles, 26 a second, 0.3 s late",
        SAVE_RATE_HZ,
        SAVE_BURST_HZ,
        SAVE_LOOP_HZ,
        SAVE_FRAME_HZ,
        30.0,
    ),
    Mode("log", "minutes only, radio off", SAVE_RATE_HZ, SAVE_BURST_HZ, SAVE_LOOP_HZ, 0.0, None),
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


def loads(board: Board, mode: Mode, fusion_ms: float = FUSION_MS) -> tuple[Load, ...]:
    """Return what draws how much in a mode; the sum is the mean current."""
    processor = _nrf_loads(mode, fusion_ms) if board.name == "zero_wire" else _busy_loads(board, mode)
    sensing = sum(value(imu, "current") for imu in board.imus)
    shared = (
        Load("IMU", sensing, "both sensors on, high-performance mode"),
        Load("motor", value("motor", "current") * MOTOR_S_PER_H / 3600, f"{MOTOR_S_PER_H:.0f} s an hour"),
    )
    return processor + shared


def mean_ma(board: Board, mode: Mode, fusion_ms: float = FUSION_MS) -> float:
    """Return the mean current in mA at the cell."""
    return sum(load.mean_ma for load in loads(board, mode, fusion_ms))


def hours(board: Board, mode: Mode, fusion_ms: float = FUSION_MS) -> float:
    """Return the hours of a charge: usable capacity through mean current."""
    return value(board.cell, "capacity") * USABLE / mean_ma(board, mode, fusion_ms)


def fusion_ms_for(mode: Mode, wanted_h: float) -> float:
    """Return how long one orientation update may take on the nRF52840 for a charge to last `wanted_h` hours.

    Negative when no speed is enough.
    """
    allowed_ma = value(NRF.cell, "capacity") * USABLE / wanted_h
    rest_ma = mean_ma(NRF, mode, fusion_ms=0.0)
    return (allowed_ma - rest_ma) / value("xiao_nrf52840", "cpu_current") * 1000 / mode.fused_hz


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


def _nrf_loads(mode: Mode, fusion_ms: float) -> tuple[Load, ...]:
    """Return processor, radio and sleep of the nRF52840: it sleeps whenever the loop waits."""
    cpu, tx, rx, sleep = (
        value("xiao_nrf52840", f"{name}_current") for name in ("cpu", "radio_tx", "radio_rx", "sleep")
    )
    busy_ms = (
        (fusion_ms + SAMPLE_MS) * mode.fused_hz
        + BURST_MS * mode.burst_hz
        + LOOP_MS * mode.loop_hz
        + FRAME_MS * mode.frame_hz
        + HOUSE_MS
    )
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
    low, high = (hours(NRF, MODES[0], fusion_ms) for fusion_ms in reversed(FUSION_RANGE_MS))
    fast, slow = FUSION_RANGE_MS
    lines.append(
        f"  the nRF52840 streams {low:.0f} to {high:.0f} h for updates of {slow:.1f} to {fast:.1f} ms; "
        f"{GOAL_H:.0f} h want {fusion_ms_for(MODES[0], GOAL_H):.1f} ms or less (assumed: {FUSION_MS:.1f})"
    )
    lines += ["  what matters most (hours that halving it would add):"]
    for board in (NRF, S3):
        gains = ", ".join(f"{name} {gain:+.1f} h" for name, gain in what_matters(board, MODES[0])[:3])
        lines.append(f"    {board.title}, stream: {gains}")
    day = cell_for(S3, MODES[0], WORKING_DAY_H)
    lines.append(f"    a working day of {WORKING_DAY_H:.0f} h of stream on the ESP32-S3 takes {day:.0f} mAh")
    lines.append("  measured by others:")
    lines += [f"    {item.product}: {item.result} ({item.source})" for item in PUBLISHED]
    return "\n".join(lines)


def assumed() -> tuple[str, ...]:
    """Return the currents in the model that no source states, so that nobody takes them for facts."""
    used = [
        ("lsm6ds3trc", "current"),
        ("pico_w", "ble_current"),
        ("pico_w", "sleep_current"),
        ("motor", "current"),
    ]
    return tuple(
        f"{part} {name}: {fact(part, name).source}" for part, name in used if not fact(part, name).is_cited
    )


if __name__ == "__main__":
    print(table())
    print("  assumed:", *assumed(), sep="\n    ")

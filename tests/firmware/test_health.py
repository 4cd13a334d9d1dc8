"""Crashes are counted, orderly ends are not; the watchdog is fed while both loops turn; main.py never gives up."""

import importlib
import io
import random
import runpy
import struct
import sys
import types

import pytest

from tiltwise.firmware_build.locate import firmware_dir, load_firmware
from tiltwise.sim.board.peripherals import SimFiles
from tiltwise.sim.board.simulated_board import SimClock

load_firmware()
health = importlib.import_module("tiltwise_firmware.device.health")
files = importlib.import_module("tiltwise_firmware.storage.atomic_files")
Health = health.Health


CHANCE = random.Random(8)


def boot(disk, cause=health.POWER_ON, clock=None, feed=None, chance=CHANCE.randbytes):
    return Health(disk, clock or SimClock(), cause, feed, chance)


def counted(disk, before):
    """Leave the file of an earlier boot behind."""
    disk.files[health.FILE] = files.with_crc(struct.pack("<HBB", before, 0, health.REBOOTING))


def test_boots_are_counted_and_wrap_past_zero():
    disk = SimFiles()
    counted(disk, 7)
    assert [boot(disk).boot_id for _ in range(3)] == [8, 9, 10]
    counted(disk, 65535)
    assert boot(disk).boot_id == 1


@pytest.mark.parametrize("left", [None, b"", b"noise", bytes(8)])
def test_a_lost_counter_begins_anywhere_and_is_counted_on(left):
    """It may have been anywhere: from 1 on, the host would take new frames for those it has."""
    first = []
    for _ in range(200):
        disk = SimFiles()
        if left is not None:
            disk.files[health.FILE] = left
        first.append(boot(disk).boot_id)
        assert boot(disk).boot_id == first[-1] % 65535 + 1
    assert len(set(first)) > 190
    assert min(first) >= 0x8000  # far from 1, where the boards of before began


@pytest.mark.parametrize("before", [1, 700, 0x7FFF, 0x8000, 65534, 65535])
def test_a_boot_that_cannot_be_written_has_a_number_of_its_own(before):
    disk = SimFiles()
    counted(disk, before)
    disk.is_full = True
    lost = [boot(disk) for _ in range(20)]
    disk.is_full = False
    kept = boot(disk)
    assert kept.boot_id == before % 65535 + 1
    numbers = [run.boot_id for run in lost] + [before, kept.boot_id]
    assert len(set(numbers)) == len(numbers)
    assert all(1 <= number <= 65535 for number in numbers)
    assert all(isinstance(run.problem, OSError) for run in lost)
    assert kept.problem is None


def test_a_number_by_chance_that_is_written_later_is_counted_on():
    disk = SimFiles()
    counted(disk, 5)
    disk.is_full = True
    run = boot(disk)
    disk.is_full = False
    run.leaving(health.REBOOTING)
    assert boot(disk).boot_id == run.boot_id % 65535 + 1


@pytest.mark.parametrize("is_full", [False, True])
def test_a_number_that_the_log_knows_is_not_taken(is_full):
    disk = SimFiles()
    disk.is_full = is_full
    run = boot(disk, chance=lambda n: bytes([7] * n))
    taken = 0x8707
    assert run.boot_id == taken
    run.exclude_boot_ids([3, taken, taken + 1, 0])
    assert run.boot_id == taken + 2
    disk.is_full = False
    assert boot(disk).boot_id not in (taken, taken + 1, taken + 2)


def test_chance_that_is_none_ends_too():
    run = boot(SimFiles(), chance=bytes)
    assert run.boot_id == 0x8000
    run.exclude_boot_ids(list(range(0x8000, 0x8040)))
    assert run.boot_id == 0x8040


@pytest.mark.parametrize("cause", [health.WATCHDOG, health.HARD, health.SOFT, health.UNKNOWN])
def test_third_crash_in_a_row_starts_safely_and_an_orderly_end_mends_it(cause):
    disk = SimFiles()
    boot(disk)
    announced, crashes = [], []
    for _ in range(4):
        announced.append(health.will_be_safe(disk, cause))  # board.py asks before there is a Health
        crashes.append(boot(disk, cause))
    assert announced == [run.is_safe_mode for run in crashes]
    assert [run.crashes for run in crashes] == [1, 2, 3, 4]
    assert [run.is_safe_mode for run in crashes] == [False, False, True, True]
    crashes[-1].leaving(health.REBOOTING)
    after = boot(disk, health.SOFT)
    assert (after.crashes, after.is_safe_mode, after.reset_cause) == (0, False, health.REQUESTED)


@pytest.mark.parametrize(
    ("end", "cause", "told", "crashes"),
    [
        (health.REBOOTING, health.SOFT, health.REQUESTED, 0),
        (health.REBOOTING, health.WATCHDOG, health.REQUESTED, 0),  # asked for: however the chip did it
        (health.SLEEPING, health.WOKE, health.WOKE, 0),
        (health.SLEEPING, health.POWER_ON, health.POWER_ON, 0),
        (health.FAILED, health.SOFT, health.EXCEPTION, 2),
        (health.FAILED, health.POWER_ON, health.EXCEPTION, 2),
        (health.RUNNING, health.WATCHDOG, health.WATCHDOG, 2),
        (health.RUNNING, health.POWER_ON, health.POWER_ON, 1),  # the plug was pulled: neither crash nor cure
    ],
)
def test_how_the_run_before_ended_decides(end, cause, told, crashes):
    disk = SimFiles()
    disk.files[health.FILE] = files.with_crc(struct.pack("<HBB", 9, 1, end))
    assert not health.will_be_safe(disk, cause)
    run = boot(disk, cause)
    assert (run.reset_cause, run.crashes, run.boot_id) == (told, crashes, 10)


def test_ten_good_minutes_break_the_row():
    disk, clock = SimFiles(), SimClock(ticks_offset=2**30 - 1000)
    boot(disk)
    boot(disk, health.WATCHDOG)
    run = boot(disk, health.WATCHDOG, clock)
    for _ in range(599):
        clock.sleep_ms(1000)
        run.step(clock.ticks_ms())
    assert run.crashes == 2
    clock.sleep_ms(2000)
    run.step(clock.ticks_ms())
    assert run.crashes == 0
    assert boot(disk, health.WATCHDOG).crashes == 1


def test_a_boot_costs_few_writes():
    disk, clock = SimFiles(), SimClock()
    run = boot(disk, health.POWER_ON, clock)
    for _ in range(100_000):
        clock.sleep_ms(1000)
        run.step(clock.ticks_ms())
    run.leaving(health.SLEEPING)
    assert disk.writes <= 3


@pytest.mark.parametrize("stalled", ["sampling", "link", "nothing"])
def test_watchdog_is_fed_only_while_sampling_and_link_both_turn(stalled):
    fed, clock = [], SimClock()
    run = boot(SimFiles(), clock=clock, feed=lambda: fed.append(clock.us))
    for k in range(600):
        clock.sleep_ms(50)
        works = k < 200 or stalled == "nothing"
        if works or stalled != "sampling":
            run.kick_sampling()
        if works or stalled != "link":
            run.kick_link()
        run.step(clock.ticks_ms())
    last_s = fed[-1] / 1e6
    assert last_s == pytest.approx(30 if stalled == "nothing" else 10, abs=1.1)
    gaps = [b - a for a, b in zip([0, *fed], fed, strict=False)]
    assert max(gaps) <= 1.1e6  # far below the 8 s of the watchdog


def test_random_files_are_survived():
    for data in (b"", b"x", bytes(8), files.with_crc(b""), files.with_crc(bytes(9)), b"\xff" * 8):
        disk = SimFiles()
        disk.files[health.FILE] = data
        run = boot(disk, health.WATCHDOG)
        assert run.boot_id >= 0x8000
        assert not run.is_safe_mode
        assert health.note_end(disk, False) == 0


def test_full_flash_does_not_stop_the_board():
    disk = SimFiles()
    disk.is_full = True
    run = boot(disk)
    run.leaving(health.REBOOTING)
    assert isinstance(run.problem, OSError)


def test_noted_exception_is_told_at_the_next_start():
    disk = SimFiles()
    boot(disk)
    health.note_end(disk, False)
    assert boot(disk, health.SOFT).reset_cause == health.EXCEPTION


def test_three_setups_in_a_row_are_no_safe_mode():
    """Each stops the firmware with Ctrl-C and resets; on an RP2040 the reset looks like a bite of the watchdog."""
    disk = SimFiles()
    for _ in range(5):
        run = boot(disk, health.WATCHDOG)
        health.note_end(disk, True)
    assert not run.is_safe_mode
    assert boot(disk, health.WATCHDOG).reset_cause == health.REQUESTED


# ---- main.py ----


class FakeFirmware:
    """Stands in for the package on the board while the real main.py runs."""

    def __init__(self, monkeypatch, tmp_path, problem=None, crashes=1, note_fails=None):
        self.log = []
        monkeypatch.chdir(tmp_path)

        def run(_board):
            self.log.append("run")
            if problem is not None:
                raise problem

        def note(_files, is_wanted):
            if note_fails:
                raise note_fails
            self.log.append("noted as wanted" if is_wanted else "noted")
            return crashes

        modules = {
            "firmware": {},
            "firmware.device": {},
            "firmware.app": {"run": run},
            "firmware.device.board": {"Board": object, "restart": lambda: self.log.append("restart")},
            "firmware.storage.atomic_files": {"Files": object},
            "firmware.device.health": {"note_end": note},
            "micropython": {
                "kbd_intr": lambda code: self.log.append(("kbd", code)),
                "const": lambda value: value,
            },
        }
        for name, contents in modules.items():
            module = types.ModuleType(name)
            module.__dict__.update(contents)
            monkeypatch.setitem(sys.modules, name, module)
        sys.modules["firmware.device"].health = sys.modules["firmware.device.health"]
        monkeypatch.setattr(sys, "print_exception", self._trace, raising=False)
        monkeypatch.setattr("time.sleep_ms", lambda _ms: None, raising=False)
        # The loop holds the firmware, which would leave no memory for the note.
        monkeypatch.setattr("asyncio.new_event_loop", lambda: self.log.append("let go"))

    def _trace(self, problem, file=None):
        (file or io.StringIO()).write(f"{type(problem).__name__}: {problem}\n")

    def start(self):
        runpy.run_path(str(firmware_dir() / "main.py"))
        return self.log


def test_main_notes_a_crash_keeps_its_trace_and_restarts(monkeypatch, tmp_path):
    bench = FakeFirmware(monkeypatch, tmp_path, ValueError("boom"))
    assert bench.start() == ["run", ("kbd", 3), "let go", "noted", "restart"]
    assert (tmp_path / "crash.txt").read_text() == "ValueError: boom\n"


def test_main_stops_at_the_prompt_when_even_safe_mode_crashes(monkeypatch, tmp_path):
    assert FakeFirmware(monkeypatch, tmp_path, ValueError("boom"), crashes=4).start()[-1] == "noted"


def test_main_stops_at_the_prompt_when_it_cannot_even_count(monkeypatch, tmp_path):
    assert (
        "restart"
        not in FakeFirmware(monkeypatch, tmp_path, ValueError("boom"), note_fails=OSError(28, "full")).start()
    )


def test_main_leaves_the_prompt_to_whoever_pressed_ctrl_c(monkeypatch, tmp_path):
    log = FakeFirmware(monkeypatch, tmp_path, KeyboardInterrupt()).start()
    assert log == ["run", ("kbd", 3), "let go", "noted as wanted"]


def test_main_restarts_when_there_is_no_memory_to_note_that_there_is_none(monkeypatch, tmp_path):
    bench = FakeFirmware(monkeypatch, tmp_path, MemoryError(), note_fails=MemoryError())
    assert bench.start() == ["run", ("kbd", 3), "let go", "restart"]


def test_main_survives_missing_files(monkeypatch, tmp_path):
    bench = FakeFirmware(monkeypatch, tmp_path)
    monkeypatch.setitem(sys.modules, "firmware.app", None)  # import raises
    assert bench.start() == [("kbd", 3), "let go", "noted", "restart"]

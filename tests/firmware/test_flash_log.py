"""Minutes in flash: whole or not there after any power cut, old ones dropped first, wear counted and bounded."""

import importlib
import struct

import pytest

from tiltwise.common import wire
from tiltwise.common.frame import open_frame, unpack_body
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.peripherals import Power, PowerCut, SimFlash
from tiltwise.sim.board.simulated_board import SimClock

load_firmware()
flashlog = importlib.import_module("tiltwise_firmware.storage.flash_log")
minutelog = importlib.import_module("tiltwise_firmware.storage.minute_archive")
FlashLog, MinuteLog = flashlog.FlashLog, minutelog.MinuteLog
FileBlocks = importlib.import_module("tiltwise_firmware.storage.file_block_device").FileBlocks
FrameStore = importlib.import_module("tiltwise_firmware.comms.frame_store").FrameStore

SMALL = 16 + 4 * 48  # a block of four records, so that tests see many pages


def payload(n):
    return struct.pack("<BBHI", wire.VERSION << 4 | wire.MINUTE, 0, 7, n) + bytes([n & 0xFF] * 34)


def contents(log):
    """Numbers of all whole records, oldest first."""
    buffer = bytearray(flashlog.PAYLOAD)
    found = []
    for position in range(log.start(), log.end()):
        if log.read(position, buffer) == flashlog.MINUTE:
            found.append(struct.unpack_from("<I", buffer, 4)[0])
            assert bytes(buffer) == payload(found[-1])
    return found


def test_minute_frame_fits_a_record():
    assert wire.frame_size(wire.MINUTE) - wire.TAG_SIZE == flashlog.PAYLOAD


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 15, 16, 17, 100])
def test_records_are_read_back_in_order_also_after_a_reboot(n):
    flash = SimFlash(4, SMALL)
    log = FlashLog(flash)
    for k in range(n):
        assert log.append(flashlog.MINUTE, payload(k))
    for again in (log, FlashLog(flash)):
        found = contents(again)
        assert found == list(range(n))[-len(found) :] if found else n == 0
        assert len(found) >= min(n, 13)  # all but the page that was erased last
    assert FlashLog(flash).end() == log.end()


def test_reboot_goes_on_in_the_page_that_was_begun():
    flash = SimFlash(4, SMALL)
    for k in range(10):
        FlashLog(flash).append(flashlog.MINUTE, payload(k))
    assert sum(flash.erases) == 3
    assert contents(FlashLog(flash)) == list(range(10))


def written(flash_bytes, n, power):
    """Append until the power goes; returns the flash and how many appends came back."""
    flash = SimFlash(4, flash_bytes, power)
    log = FlashLog(flash)
    done = 0
    try:
        for k in range(n):
            log.append(flashlog.MINUTE, payload(k))
            done += 1
    except PowerCut:
        pass
    power.left = None
    return flash, done


@pytest.mark.parametrize("records", [1, 4, 5, 6, 16, 17, 18, 21])
def test_power_cut_at_every_byte_of_the_last_two_writes(records):
    """Records before the cut are whole, the torn one is absent, and the log goes on."""
    power = Power(10**9)
    written(SMALL, records - 1, power := Power(10**9))
    before = 10**9 - _spent(records - 2)
    after = 10**9 - _spent(records)
    assert power.left is None
    for cut in range(10**9 - before, 10**9 - after + 1):
        flash, done = written(SMALL, records, Power(cut))
        log = FlashLog(flash)
        found = contents(log)
        assert found == list(range(done))[-len(found) :] if found else done == 0
        assert len(found) >= min(done, 12)
        for k in range(1000, 1006):
            assert log.append(flashlog.MINUTE, payload(k))
        assert contents(FlashLog(flash))[-6:] == list(range(1000, 1006))


def _spent(records):
    """Bytes and erases that so many records cost."""
    power = Power(10**9)
    flash = SimFlash(4, SMALL, power)
    log = FlashLog(flash)
    for k in range(max(records, 0)):
        log.append(flashlog.MINUTE, payload(k))
    return 10**9 - power.left


def test_any_damaged_byte_costs_one_record_or_one_page():
    flash = SimFlash(3, SMALL)
    log = FlashLog(flash)
    for k in range(10):
        log.append(flashlog.MINUTE, payload(k))
    whole = contents(log)
    for block in range(3):
        for offset in range(SMALL):
            flash.data[block][offset] ^= 0x04
            found = contents(FlashLog(flash))
            assert set(found) <= set(whole)
            assert found == sorted(found)
            assert len(whole) - len(found) in (0, 1, 2, 4)
            flash.data[block][offset] ^= 0x04


@pytest.mark.parametrize("fill", [0x00, 0xFF, 0x5A])
def test_foreign_flash_is_an_empty_log(fill):
    flash = SimFlash(4, SMALL)
    for block in flash.data:
        block[:] = bytes([fill]) * SMALL
    log = FlashLog(flash)
    assert contents(log) == []
    assert log.append(flashlog.MINUTE, payload(1))
    assert contents(FlashLog(flash)) == [1]


def test_broken_flash_is_counted_and_never_raises():
    flash = SimFlash(4, SMALL)
    log = FlashLog(flash)
    flash.is_broken = True
    assert not log.append(flashlog.MINUTE, payload(1))
    assert log.faults == 1
    flash.is_broken = False
    assert log.append(flashlog.MINUTE, payload(2))
    assert contents(log) == [2]


def test_wear_is_even_and_told():
    flash = SimFlash(8, 4096)
    log = FlashLog(flash)
    for k in range(85 * 8 * 5):
        log.append(flashlog.MINUTE, payload(k))
    assert max(flash.erases) - min(flash.erases) <= 1
    assert log.wear >= max(flash.erases)
    assert log.wear <= max(flash.erases) + 1
    years = 100_000 * 8 * 85 / (2 * 60 * 24 * 365)
    print(f"two sensors without a host for ever: 8 blocks of flash last {years:.0f} years")
    assert years > 50


# ---- what is kept, and for whom ----


class Bench:
    """An outbox with an archive on a flash that outlives it."""

    def __init__(self, boot, flash, minutes=8):
        self.clock = SimClock()
        self.flash = flash
        self.archive = MinuteLog(FlashLog(flash), self.clock)
        self.frames = FrameStore(boot, 10, minutes, 10, self.archive)
        self._samples = self.frames.main.lend_buffer()
        self._minutes = self.frames.minutes.lend_buffer()

    def pass_minutes(self, n, ack=False):
        for _ in range(n):
            for _ in range(3):
                self._samples = self.frames.put(self._samples, wire.ORIENT, 0, 0, 0, 10, 0, 6)
            wire.pack_body_into(self._minutes, wire.MINUTE, self.frames.next_seq, 5, 60, 0, *range(18))
            self._minutes = self.frames.put(self._minutes, wire.MINUTE, 0, 0, 0, 0, 0, 6)
            if ack:
                self.frames.free_to(self.frames.next_seq - 1)
            for _ in range(60):
                self.clock.sleep_ms(1000)
                self.archive.step(self.clock.ticks_ms(), self.frames.minutes)


def fetched(bench, boot):
    """All minutes of a boot as a host gets them: numbers, and the value that was put in."""
    view = bench.frames.earlier_boot(boot)
    seq, found = 0, []
    while view.find(seq) < view.used:
        seq = view.seq_at(0)
        frame = bytearray(view.frame_at(0)[: view.size_at(0)])
        wire.seal(frame, len(frame))
        header = open_frame(bytes(frame))
        assert header[:4] == (wire.MINUTE, 0, boot, seq)
        assert unpack_body(frame, wire.MINUTE)[0] == seq
        found.append(seq)
        seq += 1
    return found


def test_minutes_without_a_host_survive_a_reboot_with_their_numbers():
    flash = SimFlash(8, 4096)
    Bench(5, flash).pass_minutes(7)
    later = Bench(6, flash)
    assert later.archive.boots() == [(5, 3, 27)]
    assert fetched(later, 5) == [3, 7, 11, 15, 19, 23, 27]
    assert later.archive.newest_boot == 5


def test_hours_without_a_host_are_kept_although_memory_holds_minutes():
    flash = SimFlash(16, 4096)
    bench = Bench(5, flash, minutes=8)
    bench.pass_minutes(480)
    assert bench.frames.minutes.lost == 0
    assert bench.frames.oldest() == 3
    found, seq = [], 0
    while (ring := bench.frames.find(seq)) is not None:
        seq = ring.seq_at(ring.find(seq))
        if seq % 4 == 3:
            found.append(seq)
        seq += 1
    assert found == list(range(3, 4 * 480, 4))
    assert len(fetched(Bench(6, flash), 5)) == 480


def test_day_beside_a_host_does_not_touch_the_flash():
    flash = SimFlash(8, 4096)
    Bench(5, flash).pass_minutes(480, ack=True)
    assert flash.writes == 0
    assert sum(flash.erases) == 0


def test_what_the_host_has_stored_is_gone_after_the_next_reboot_too():
    flash = SimFlash(8, 4096)
    Bench(5, flash).pass_minutes(7)
    later = Bench(6, flash)
    later.archive.free_to(5, 14)
    assert later.archive.boots() == [(5, 15, 27)]
    assert fetched(later, 5) == [15, 19, 23, 27]
    assert fetched(Bench(7, flash), 5) == [15, 19, 23, 27]
    later.archive.free_to(5, 1000)
    assert later.archive.boots() == []
    assert Bench(7, flash).archive.boots() == []


def test_acknowledging_what_is_not_in_flash_writes_nothing():
    flash = SimFlash(8, 4096)
    Bench(5, flash).pass_minutes(3)
    later = Bench(6, flash)
    writes = flash.writes
    for seq in (0, 1, 2):
        later.archive.free_to(5, seq)
        later.archive.free_to(9, seq)
    assert flash.writes == writes
    later.archive.free_to(5, 3)
    for _ in range(100):
        later.archive.free_to(5, 3)
    assert flash.writes == writes + 1


def test_forget_drops_a_boot_for_good():
    flash = SimFlash(8, 4096)
    Bench(5, flash).pass_minutes(3)
    Bench(6, flash).pass_minutes(3)
    later = Bench(7, flash)
    assert later.archive.forget(5)
    assert not later.archive.forget(5)
    assert [row[0] for row in Bench(8, flash).archive.boots()] == [6]


def test_oldest_minutes_go_first_when_the_flash_is_full():
    flash = SimFlash(3, SMALL)
    for boot in (5, 6, 7):
        Bench(boot, flash).pass_minutes(5)
    later = Bench(8, flash)
    boots = {boot: fetched(later, boot) for boot, _, _ in later.archive.boots()}
    assert boots[7] == [3, 7, 11, 15, 19]
    assert all(seqs == [3, 7, 11, 15, 19][-len(seqs) :] for seqs in boots.values())
    assert len(boots.get(5, [])) < 5
    assert later.archive.boots() == [(boot, seqs[0], seqs[-1]) for boot, seqs in boots.items()]


def test_rows_follow_an_erase_while_running():
    flash = SimFlash(3, SMALL)
    Bench(5, flash).pass_minutes(4)
    bench = Bench(6, flash)
    bench.pass_minutes(12)
    assert bench.archive.boots() == []  # boot 5 was overwritten
    assert fetched(bench, 6)[-1] == 47


def test_writes_are_bounded_whatever_is_thrown_at_it():
    flash = SimFlash(8, 4096)
    bench = Bench(5, flash, minutes=200)
    minutes = bench.frames.minutes.lend_buffer()
    for _ in range(3600):  # an hour with two minutes a second
        for _ in range(2):
            minutes = bench.frames.put(minutes, wire.MINUTE, 0, 0, 0, 0, 0, 6)
        bench.clock.sleep_ms(1000)
        bench.archive.step(bench.clock.ticks_ms(), bench.frames.minutes)
    assert (
        flash.writes <= 2 * minutelog.PER_HOUR + 20
    )  # a full budget and what fills up meanwhile, and headers
    assert bench.archive.skipped > 0


def test_worn_out_flash_is_written_no_more():
    flash = SimFlash(8, 4096)
    bench = Bench(5, flash)
    bench.archive.log.page = minutelog.MOST_WEAR * 8
    bench.pass_minutes(3)
    assert flash.writes == 0
    assert bench.archive.skipped == 3


def test_crash_every_minute_costs_one_record_and_no_erase_each():
    flash = SimFlash(8, 4096)
    for boot in range(1, 86):
        bench = Bench(boot, flash)
        bench.pass_minutes(1)
    assert sum(flash.erases) == 1


def test_very_many_boots_keep_the_newest():
    flash = SimFlash(8, 4096)
    for boot in range(1, 100):
        Bench(boot, flash).pass_minutes(1)
    boots = Bench(100, flash).archive.boots()
    assert [row[0] for row in boots] == list(range(36, 100))


# ---- files in place of a partition ----


def test_log_works_on_files_as_on_flash(tmp_path):
    device = FileBlocks(f"{tmp_path}/min", 4)
    log = FlashLog(device)
    for k in range(400):
        assert log.append(flashlog.MINUTE, payload(k))
    found = contents(FlashLog(FileBlocks(f"{tmp_path}/min", 4)))
    assert found == list(range(400 - len(found), 400))
    assert len(found) >= 255
    assert len(list(tmp_path.iterdir())) == 4
    assert all(path.stat().st_size <= 4096 for path in tmp_path.iterdir())


def test_file_that_was_cut_short_costs_the_torn_record(tmp_path):
    log = FlashLog(FileBlocks(f"{tmp_path}/min", 4))
    for k in range(3):
        log.append(flashlog.MINUTE, payload(k))
    path = tmp_path / "min01"
    whole = path.read_bytes()
    for size in range(len(whole) - 2 * 48, len(whole)):
        path.write_bytes(whole[:size])
        log = FlashLog(FileBlocks(f"{tmp_path}/min", 4))
        kept = (size - 16) // 48
        assert contents(log) == list(range(kept))
        assert log.append(flashlog.MINUTE, payload(9))
        assert contents(FlashLog(FileBlocks(f"{tmp_path}/min", 4))) == [*range(kept), 9]


def test_writing_twice_at_one_place_is_refused_by_files_too(tmp_path):
    device = FileBlocks(f"{tmp_path}/min", 2)
    device.writeblocks(0, b"abc", 0)
    with pytest.raises(OSError, match="written up to 3"):
        device.writeblocks(0, b"x", 1)
    device.ioctl(6, 0)
    buffer = bytearray(4)
    device.readblocks(0, buffer)
    assert buffer == b"\xff" * 4

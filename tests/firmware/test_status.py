"""What goes wrong is told in STATUS by the whole firmware, and told as over when it is over; sampling goes on."""

import importlib
import struct

import numpy as np
import pytest

from flying import KEY, Flying
from tiltwise.common import auth, wire
from tiltwise.common.frame import open_frame, read_frame, unpack_header
from tiltwise.decode.messages import read_info, read_status
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.peripherals import SimFlash
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.imu.imu_errors import G_M_S2, ImuErrors
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise.version import __version__
from wire_host import START, ack, stuffed

load_firmware()
files, flash_log, health, keystore, settings = (
    importlib.import_module(f"tiltwise_firmware.{name}")
    for name in (
        "storage.atomic_files",
        "storage.flash_log",
        "device.health",
        "storage.keystore",
        "storage.board_settings",
    )
)
STATUS_S = 5.2  # from one STATUS to the next, and a little
RATE_HZ = 104.17


def breathe(part, seconds, spin_from_s=None):
    """Tell a sensor at rest; from a time on it turns beyond its range for a second."""
    t = np.arange(0, seconds, 0.005)
    acc = np.tile([0.0, 0.0, G_M_S2], (len(t), 1))
    acc[:, 2] += 0.01 * np.sin(2 * np.pi * 0.25 * t)  # or it would be taken for stuck
    gyr = np.zeros((len(t), 3))
    if spin_from_s is not None:
        gyr[(t > spin_from_s) & (t < spin_from_s + 1), 0] = np.radians(1500)
    part.advance(t, gyr, acc)


class Cabled:
    """A board with one or two sensors whose host, on the cable, takes everything."""

    def __init__(self, sensors=1, seconds=90, spin_from_s=None, **options):
        self.parts = [Lsm6dsox(seed=k + 1, errors=ImuErrors.none()) for k in range(sensors)]
        for part in self.parts:
            breathe(part, seconds + 1, spin_from_s)
        self.board = SimBoard(self.parts, **options)
        self.now_s = 0.0
        self.told = {}

    def live(self, seconds=STATUS_S):
        """Let time pass; return the newest STATUS of the first sensor (of all: `told`)."""
        self.now_s += seconds
        for frame in self.board.step(self.now_s):
            if open_frame(frame)[0] == wire.STATUS:
                status = read_status(read_frame(frame), self.now_s)
                self.told[status.sensor] = status
        return self.told.get(0)

    def again(self):
        """Cut the power and start it again."""
        self.board.restart()
        self.board.start()
        self.told = {}


def test_a_sound_board_flags_nothing_and_one_without_its_sensor_does():
    cabled = Cabled()
    flags = [open_frame(frame)[1] for frame in cabled.board.step(12) if open_frame(frame)[0] == wire.STATUS]
    assert set(flags) == {0}
    cabled.board.bus.unplug(0x6A)
    flags = [open_frame(frame)[1] for frame in cabled.board.step(24) if open_frame(frame)[0] == wire.STATUS]
    assert flags[-1] == wire.FLAG_SENSOR_FAULT


def conditions(status):
    """Return the names of what a STATUS says is wrong."""
    names = {
        name for name, bit in vars(wire).items() if name.startswith("CONDITION_") and status.conditions & bit
    }
    assert sum(getattr(wire, name) for name in names) == status.conditions
    return {name.removeprefix("CONDITION_") for name in names}


def counts(status):
    """Return the counters of strangers, links and flash that are not 0."""
    names = (
        *("wrong_proofs", "hostile_commands", "unproved_peers", "refused_hosts"),
        *("link_stalls", "radio_restarts", "flash_faults"),
    )
    return {name: getattr(status, name) for name in names if getattr(status, name)}


def test_a_healthy_board_says_that_nothing_is_wrong():
    status = Cabled().live(31)
    assert conditions(status) == set()
    assert counts(status) == {}
    assert (status.bus_faults, status.stuck_restarts, status.saturated_samples) == (0, 0, 0)


def test_board_tells_the_version_that_is_installed():
    frames = Cabled().board.step(1)
    info = read_info(read_frame(next(frame for frame in frames if open_frame(frame)[0] == wire.INFO)))
    assert ".".join(map(str, info.firmware)) == __version__


# ---- sensors ----


def test_bus_that_fails_is_counted_and_the_sensor_told_as_lost_until_it_is_back():
    cabled = Cabled()
    cabled.live()
    cabled.board.bus.unplug(0x6A)
    status = cabled.live(10)
    assert conditions(status) == {"SENSOR_LOST"}
    assert status.bus_faults >= 3
    cabled.board.bus.plug(0x6A)
    status = cabled.live(10)
    assert conditions(status) == set()
    assert status.bus_faults >= 3


def test_stuck_sensor_is_told_while_it_is_stuck_and_its_restarts_are_counted():
    cabled = Cabled()
    cabled.live()
    cabled.parts[0].is_frozen = True
    seen = [cabled.live() for _ in range(6)]
    assert any(conditions(status) == {"SENSOR_STUCK"} for status in seen)
    restarts = seen[-1].stuck_restarts
    assert restarts >= 2
    cabled.parts[0].is_frozen = False
    cabled.live(20)
    assert conditions(cabled.told[0]) == set()
    assert cabled.told[0].stuck_restarts in (restarts, restarts + 1)


def test_first_status_of_each_sensor_tells_no_saturation():
    frames = [read_frame(frame) for frame in Cabled(sensors=2).board.step(STATUS_S)]
    told = [read_status(frame, 0.0) for frame in frames if frame.frame_type == wire.STATUS]
    assert {status.sensor for status in told} == {0, 1}
    assert [conditions(status) for status in told] == [set()] * len(told)


def test_saturated_sensor_is_told_once_and_its_samples_counted():
    cabled = Cabled(spin_from_s=6.5)
    assert conditions(cabled.live(5.5)) == set()
    status = cabled.live(5)
    assert conditions(status) == {"SATURATED"}
    assert status.saturated_samples == pytest.approx(RATE_HZ, abs=4)
    status = cabled.live(5)
    assert conditions(status) == set()
    assert status.saturated_samples == pytest.approx(RATE_HZ, abs=4)


def test_overflow_of_the_fifo_is_counted():
    cabled = Cabled()
    cabled.live()
    cabled.board.clock.sleep_ms(4000)  # something held the board up
    assert cabled.live(10).fifo_overflows in (1, 2)  # it may run over again while it is read


@pytest.mark.parametrize("gone", [(0x6B,), (0x6A,), (0x6A, 0x6B)], ids=["second", "first", "both"])
def test_sensor_of_an_earlier_boot_is_told_as_missing_and_used_under_its_own_number_when_it_comes(gone):
    """Nobody set that there are two: the board saw both once. The head's sensor never becomes the collar's."""
    cabled = Cabled(sensors=2)
    cabled.live()
    assert [conditions(cabled.told[k]) for k in (0, 1)] == [set(), set()]
    for address in gone:
        cabled.board.bus.unplug(address)
    cabled.again()
    cabled.live()
    for k, address in enumerate((0x6A, 0x6B)):
        assert conditions(cabled.told[k]) == ({"SENSOR_MISSING"} if address in gone else set())
    for address in gone:
        cabled.board.bus.plug(address)
    cabled.live(8)
    assert [conditions(cabled.told[k]) for k in (0, 1)] == [set(), set()]
    assert [sampler.address for sampler in cabled.board.app.samplers] == [0x6A, 0x6B]
    assert all(sampler.samples > 300 for sampler in cabled.board.app.samplers)


def test_who_takes_a_sensor_off_says_so_and_it_is_missed_no_more():
    cabled = Cabled(sensors=2)
    cabled.live()
    cabled.board.bus.unplug(0x6B)
    cabled.board.app.settings.set("imus", 1)
    cabled.again()
    assert conditions(cabled.live()) == set()
    assert set(cabled.told) == {0}


def test_second_sensor_that_was_never_seen_is_not_missed():
    cabled = Cabled()
    cabled.live()
    cabled.again()
    cabled.live()
    assert {k: conditions(status) for k, status in cabled.told.items()} == {0: set()}
    assert settings.FILE not in cabled.board.files.files  # one sensor costs no write


# ---- strangers and hosts ----


def own_status(flying, seconds=STATUS_S):
    """Let time pass and return the newest STATUS in the board's memory, whoever may have it."""
    end_s = flying.now_s + seconds
    while flying.now_s < end_s:
        flying.run()
    main = flying.board.app.frames.main
    for k in reversed(range(main.used)):
        frame = bytearray(main.frame_at(k)[: main.size_at(k)])
        if unpack_header(frame)[0] == wire.STATUS:
            wire.seal(frame, len(frame))
            return read_status(read_frame(bytes(frame)), flying.now_s)
    raise AssertionError("no STATUS in memory")


def still_samples(flying):
    """Tell whether every sample up to now was taken (a poll's worth may wait, and the part has its rate)."""
    expected = RATE_HZ * flying.board.app.time.now() * wire.TICK_S
    return flying.board.app.samplers[0].samples == pytest.approx(expected, rel=0.03, abs=15)


@pytest.fixture
def flying():
    return Flying(60)


def test_a_quiet_air_leaves_the_counters_at_zero(flying):
    owner = flying.host()
    assert owner.prove()[0] == wire.STATUS_OK
    assert owner.ask(wire.OP_START, START)[0] == wire.STATUS_OK
    began_s = flying.now_s
    while flying.now_s < began_s + STATUS_S:
        assert owner.ask(wire.OP_PING, bytes(8))[0] == wire.STATUS_OK  # as hosts do while frames come
        flying.run()
    status = own_status(flying, 0)
    assert (conditions(status), counts(status)) == (set(), {})


def test_hostile_bytes_and_half_commands_are_counted(flying):
    connection = flying.connect(b"strang")
    whole = stuffed(wire.pack_command(0x20, wire.OP_HELLO, 1))
    for k in range(12):
        flying.air.write(connection, flying.ctrl, whole[: 4 + k % 5] + b"\0")  # the rest never comes
        flying.run()
    status = own_status(flying, 11)
    assert status.hostile_commands == flying.board.app.sessions.hostile == 12
    assert counts(status) == {"hostile_commands": 12, "unproved_peers": 1}  # and it proved nothing in 5 s
    assert still_samples(flying)


def test_replayed_and_forged_commands_are_counted(flying):
    owner = flying.host()
    assert owner.prove()[0] == wire.STATUS_OK
    heard = stuffed(owner.channel.pack(200, wire.OP_PING, bytes(8)))
    forged = stuffed(wire.pack_command(0x20, wire.OP_MOTOR, 900, b"\1\5", auth.Tagger(bytes(32))))
    connection = next(iter(flying.air.peers))
    for data in (heard, heard, heard, forged):
        flying.air.write(connection, flying.ctrl, data)
        flying.run()
    status = own_status(flying)
    assert counts(status) == {"hostile_commands": 3}  # the first one was meant
    assert flying.board.sim_motor.pulses == []
    assert still_samples(flying)


def test_wrong_proofs_are_counted(flying):
    for k in range(3):
        stranger = flying.host(b"peer-%d" % k, key=bytes(32))
        shake = auth.HostHandshake(KEY, SimBoard.device_id, b"h" * 16)
        assert stranger.ask(wire.OP_AUTH1, shake.request(), sealed=False)[0] == wire.STATUS_OK
        assert stranger.ask(wire.OP_AUTH2, bytes(17), sealed=False)[0] == wire.STATUS_FAILED
    status = own_status(flying)
    assert counts(status) == {"wrong_proofs": 3}
    assert still_samples(flying)


def test_peer_that_subscribes_and_stalls_is_counted_and_so_is_the_restart_of_the_radio(flying):
    for k in range(3):
        host = flying.host()
        assert host.prove()[0] == wire.STATUS_OK
        assert host.ask(wire.OP_START, START)[0] == wire.STATUS_OK
        connection = next(iter(flying.air.peers))
        flying.air.room = 0  # nothing goes out any more
        for _ in range(120):
            flying.run()
        assert connection not in flying.air.peers
        flying.air.room = 12
        status = own_status(flying)
        assert counts(status) == {"link_stalls": k + 1} | ({"radio_restarts": 1} if k == 2 else {})
    assert still_samples(flying)


def test_second_host_that_is_refused_is_counted(flying):
    assert flying.host().prove()[0] == wire.STATUS_OK
    other = flying.host(b"other!", nonce=b"o" * 16)
    assert other.prove()[0] == wire.STATUS_BUSY
    status = own_status(flying, STATUS_S - 0.3)
    assert counts(status)["refused_hosts"] == 1
    assert still_samples(flying)


def test_host_that_never_acknowledges_is_told_and_so_is_what_it_costs():
    flying = Flying(60, ring_frames=32)
    owner = flying.host()
    assert owner.prove()[0] == wire.STATUS_OK
    assert conditions(own_status(flying)) == set()
    assert owner.ask(wire.OP_START, START)[0] == wire.STATUS_OK
    for _ in range(4):
        owner.send(wire.OP_PING, bytes(8))  # or the link would be reset
        status = own_status(flying, 5)
    assert conditions(status) == {"HOST_SILENT"}
    assert status.ring_used_frames == status.ring_size_frames == 32
    assert status.lost_frames > 50
    owner.hear()
    owner.send(wire.OP_ACK, ack(flying.board.app.frames.next_seq - 1, boot=flying.board.boot_id))
    assert own_status(flying).ring_used_frames < 32
    assert still_samples(flying)


# ---- what lies in flash ----


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 60,
        bytes(range(256)),
        files.with_crc(b"tiltwise 99\nname=x"),
        files.with_crc(b"\xff\xfe"),
    ],
    ids=["empty", "erased", "noise", "newer", "no text"],
)
def test_bad_settings_are_told_until_the_board_starts_with_good_ones(data):
    cabled = Cabled()
    cabled.board.files.files[settings.FILE] = data
    cabled.again()
    assert conditions(cabled.live()) == {"SETTINGS_BAD"}
    cabled.board.app.settings.set("rule_deg", 30)
    cabled.again()
    assert conditions(cabled.live()) == set()


def test_damaged_key_is_told_and_mended_from_its_other_copy():
    cabled = Cabled()
    keystore.KeyStore(cabled.board.files).save([(bytes(12), KEY)])
    cabled.board.files.files["key.a"] = b"\0" + cabled.board.files.files["key.a"][1:]
    cabled.again()
    assert cabled.board.app.sessions.keys == [(bytes(12), KEY)]
    assert told_by_ring(cabled) == {"KEY_BAD"}
    cabled.again()
    assert told_by_ring(cabled) == set()


def told_by_ring(cabled):
    """A board with a key says nothing to an unproved cable: look into its memory."""
    cabled.live()
    main = cabled.board.app.frames.main
    frames = [bytearray(main.frame_at(k)[: main.size_at(k)]) for k in range(main.used)]
    newest = [frame for frame in frames if unpack_header(frame)[0] == wire.STATUS][-1]
    return conditions(read_status(read_frame(bytes(newest)), 0.0))


def a_board_with_minutes():
    """A board with five minutes of an earlier boot in its flash, four a page."""
    cabled = Cabled()
    cabled.board.flash = cabled.board.sim_flash = SimFlash(4, 16 + 4 * 48)
    log = flash_log.FlashLog(cabled.board.flash)
    frame = bytearray(wire.frame_size(wire.MINUTE))
    for seq in range(5):
        wire.pack_header_into(frame, wire.MINUTE, 0, 7, seq, 3120 * seq, 600_000 * seq, 0, 0, 6)
        assert log.append(flash_log.MINUTE, frame[: flash_log.PAYLOAD])
    assert log.page == 2
    return cabled


def test_damaged_pages_and_records_of_the_flash_log_are_counted_at_the_next_start():
    cabled = a_board_with_minutes()
    flash = cabled.board.sim_flash
    flash.data[1][:12] = bytes(12)  # the head of the first page, and with it four minutes
    flash.data[2][16 + 20] ^= 1  # one record of the second
    cabled.again()
    assert counts(cabled.live()) == {"flash_faults": 2}
    cabled.again()
    assert counts(cabled.live()) == {"flash_faults": 2}  # as long as it lies there


def test_log_whose_pages_are_all_damaged_is_told_and_a_new_one_is_not():
    cabled = a_board_with_minutes()
    for data in cabled.board.sim_flash.data:
        data[4:12] = bytes(8)
    cabled.again()
    assert counts(cabled.live()) == {"flash_faults": 2}
    new = Cabled()
    new.board.sim_flash.data = [bytearray(b"another firmware") * 256 for _ in range(16)]
    new.again()
    assert counts(new.live()) == {}


def test_flash_that_refuses_is_told():
    cabled = Cabled(seconds=200)
    cabled.board.sim_flash.is_broken = True
    cabled.board.link.is_connected = False
    cabled.live(100)  # a minute waits for a host, then it has to go to flash
    cabled.board.link.drop()
    cabled.board.link.is_connected = True
    cabled.board.start()
    assert counts(cabled.live(10))["flash_faults"] >= 2  # tried twice


def test_full_file_system_is_told():
    cabled = Cabled()
    cabled.board.files.is_full = True
    cabled.again()
    assert conditions(cabled.live()) == {"FLASH_BAD"}


def test_log_that_cannot_be_read_is_told():
    def refuse(*_):
        raise OSError(5)

    cabled = Cabled()
    cabled.board.sim_flash.readblocks = refuse
    cabled.again()
    assert conditions(cabled.live()) == {"FLASH_BAD"}


def test_safe_mode_is_told():
    cabled = Cabled()
    crashed = struct.pack("<HBB", 7, health.CRASHES - 1, health.FAILED)
    cabled.board.files.replace(health.FILE, files.with_crc(crashed))
    cabled.again()
    assert conditions(cabled.live()) == {"SAFE_MODE"}


# ---- memory ----


def test_least_free_heap_is_kept_while_the_present_one_moves(monkeypatch):
    monkeypatch.setattr(importlib.import_module("tiltwise_firmware.comms.status_frames"), "_MEASURE_EVERY", 1)
    cabled = Cabled()
    free = iter([60_000, 45_000, 52_000, 45_500])
    cabled.board.mem_free = lambda: next(free)
    seen = [cabled.live(5.0) for _ in range(4)]
    assert [status.free_heap_bytes for status in seen] == [60_000, 45_000, 52_000, 45_500]
    assert [status.least_free_heap_bytes for status in seen] == [60_000, 45_000, 45_000, 45_000]


def test_counters_stop_at_their_end():
    cabled = Cabled()
    sessions = cabled.board.app.sessions
    sessions.wrong_proofs = sessions.bad_commands = sessions.dropped = sessions.refused = 70_000
    sessions.stalls = sessions.radio_restarts = cabled.board.app.archive.log.faults = 10**9
    cabled.board.app.samplers[0].restarts = 65_536
    status = cabled.live()
    assert set(counts(status).values()) == {65_535}
    assert len(counts(status)) == 7
    assert status.stuck_restarts == 65_535

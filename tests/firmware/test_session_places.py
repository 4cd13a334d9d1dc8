"""Who keeps a place on the radio for how long, to the millisecond; the places, the addresses, what is reported."""

import importlib
import random

import pytest

from tiltwise.common import auth, wire
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.simulated_board import SimClock, SimLink

load_firmware()
session_manager = importlib.import_module("tiltwise_firmware.comms.session_manager")
FrameStore = importlib.import_module("tiltwise_firmware.comms.frame_store").FrameStore
KEY, DEVICE = bytes(range(50, 82)), b"board-02"


class RadioLink(SimLink):
    """A place on the radio; nobody is there at first."""

    peer = "ble"

    def __init__(self):
        super().__init__()
        self.is_connected = False

    def come(self, address):
        self.is_connected, self.address = True, address
        self.connections += 1


class Keys:
    """A key store with one key."""

    def load(self):
        return [(bytes(12), KEY)]

    def save(self, keys, is_change=True):
        pass


class Air:
    """A board with so many places, and who comes."""

    def __init__(self, places=1):
        self.links = [RadioLink() for _ in range(places)]
        self.clock = SimClock(ticks_offset=2**30 - 20_000)
        self.told = []
        self.sessions = session_manager.SessionManager(
            self.links,
            FrameStore(7, 10, 10, 10),
            self.clock,
            session_manager.CommandContext(
                keystore=Keys(),
                random=random.Random(9).randbytes,
                device_id=DEVICE,
                log=lambda *event: self.told.append(event),
            ),
        )

    def come(self, address):
        """Somebody takes a free place."""
        link = next(link for link in self.links if not link.is_connected)
        link.come(address)
        self.sessions.step()
        return link

    def wait(self, ms):
        for _ in range(ms):
            self.clock.sleep_ms(1)
            self.sessions.step()

    def held_ms(self, address):
        """A silent peer comes; return after how many ms it is sent away."""
        self.come(address)
        return self.until_one_goes()

    def until_one_goes(self):
        before = self.sessions.dropped
        for ms in range(1, 6001):
            self.wait(1)
            if self.sessions.dropped > before:
                self.wait(1)
                return ms
        return None

    def prove(self, address, after_ms):
        """A host comes and proves its key so long after; it stays."""
        link = self.come(address)
        self.wait(after_ms)
        shake = auth.HostHandshake(KEY, DEVICE, bytes(16))
        link.replies.clear()
        link.deliver(wire.pack_command(1, wire.OP_AUTH1, 1, shake.request()))
        self.sessions.step()
        answer = wire.open_command(link.replies.pop())[3]
        link.deliver(wire.pack_command(2, wire.OP_AUTH2, 2, shake.prove(answer[1:])))
        self.sessions.step()
        assert wire.open_command(link.replies.pop())[3][0] == wire.STATUS_OK
        return link

    def leave(self, link):
        link.is_connected = False
        self.sessions.step()


def new(k):
    return b"new%03d" % k


def test_on_one_place_new_addresses_get_less_time_once_two_were_sent_away():
    air = Air()
    assert [air.held_ms(new(k)) for k in range(7)] == [5000, 3000, 1500, 1500, 3000, 1500, 1500]


def test_who_wasted_a_place_gets_a_tenth_of_a_second_and_all_of_it_every_sixteenth_time():
    air = Air()
    held = [air.held_ms(b"waster") for _ in range(34)]
    assert held == [5000, 3000, *[100] * 14, 3000, *[100] * 15, 3000, 100]


def test_after_a_minute_of_peace_everybody_has_five_seconds_again():
    air = Air()
    assert [air.held_ms(new(k)) for k in range(3)] == [5000, 3000, 1500]
    air.wait(58_000)
    assert air.held_ms(new(3)) == 1500
    air.wait(66_000)  # it is looked at every five seconds
    assert [air.held_ms(new(k)) for k in range(4, 7)] == [5000, 3000, 1500]


@pytest.mark.parametrize(("after_ms", "needed_ms"), [(100, 1000), (800, 1200), (1000, 1500), (2500, 3000)])
def test_a_proof_may_take_half_as_long_again_as_the_slowest_host_needed(after_ms, needed_ms):
    air = Air()
    air.leave(air.prove(b"owner!", after_ms))
    assert air.held_ms(new(0)) == 5000
    assert air.held_ms(new(1)) == needed_ms
    assert air.held_ms(b"owner!") == needed_ms
    assert [air.held_ms(new(k)) for k in range(2, 4)] == [100, 100], "a host is known: others get little"
    air.leave(air.prove(b"owner!", 10))
    assert air.held_ms(b"owner!") == needed_ms, "the slowest one counts"


def test_every_sixteenth_new_address_gets_all_of_the_time_beside_a_known_host():
    air = Air()
    air.leave(air.prove(b"owner!", 0))
    held = [air.held_ms(new(k)) for k in range(20)]
    assert held == [5000, 1000, *[100] * 14, 1000, *[100] * 3]


def test_four_addresses_are_known_the_newest_ones():
    air = Air()
    for k in range(5):
        air.leave(air.prove(b"host%02d" % k, 0))
    for k in range(2):
        air.held_ms(new(k))
    assert air.held_ms(b"host00") == 100
    assert [air.held_ms(b"host%02d" % k) for k in (1, 2, 3, 4)] == [1000] * 4


def test_twelve_wasters_are_remembered():
    air = Air()
    for k in range(13):
        air.held_ms(new(k))
    assert air.held_ms(new(1)) == 100
    assert air.held_ms(new(0)) in (1500, 3000), "forgotten, and so new"


def test_on_three_places_nobody_goes_early_while_one_is_free_and_the_oldest_when_all_are_taken():
    air = Air(places=3)
    first = air.come(new(0))
    air.wait(1000)
    second = air.come(new(1))
    assert air.until_one_goes() == 4000
    assert (first.is_connected, second.is_connected) == (False, True)
    air = Air(places=3)
    first = air.come(new(0))
    air.wait(500)
    second = air.come(new(1))
    air.wait(500)
    third = air.come(new(2))
    assert air.until_one_goes() == 2000
    assert [link.is_connected for link in (first, second, third)] == [False, True, True]


def test_of_several_the_one_that_is_longest_over_its_time_goes():
    air = Air(places=2)
    air.leave(air.prove(b"owner!", 2000))
    for k in range(2):
        for j in range(2):
            air.come(new(10 * k + j))
        air.until_one_goes()
        air.until_one_goes()
    owner = air.come(b"owner!")
    air.wait(1500)
    stranger = air.come(new(99))
    assert air.until_one_goes() == 100
    assert (owner.is_connected, stranger.is_connected) == (True, False)


def test_a_proved_host_keeps_its_place_whoever_comes():
    air = Air(places=2)
    owner = air.prove(b"owner!", 0)
    for k in range(5):
        air.held_ms(new(k))
    assert owner.is_connected


def test_wrong_proofs_and_damaged_commands_are_reported_every_five_seconds_when_there_are_new_ones():
    air = Air()
    link = air.come(b"strang")
    for k in range(4):
        link.deliver(bytes(20))
        if k % 2:
            air.sessions.wrong_proofs += 1
        air.wait(1250)
        if not link.is_connected:
            link = air.come(new(k))
    air.wait(11_000)
    codes = {wire.EVENT_HOSTILE: [], wire.EVENT_AUTH_FAILED: []}
    for code, value in air.told:
        codes[code].append(value)
    assert codes == {wire.EVENT_HOSTILE: [4], wire.EVENT_AUTH_FAILED: [2]}


def test_what_a_link_tells_is_counted_and_passed_on():
    air = Air()
    for event in ((wire.EVENT_LINK_STALL, 3), (wire.EVENT_RADIO_RESTART, 2), (wire.EVENT_HOSTILE, 9)):
        air.links[0].log(*event)
    assert (air.sessions.stalls, air.sessions.radio_restarts) == (3, 2)
    assert air.told == [(wire.EVENT_LINK_STALL, 3), (wire.EVENT_RADIO_RESTART, 2), (wire.EVENT_HOSTILE, 9)]


def test_a_session_without_memory_ends_and_is_counted(monkeypatch):
    air = Air(places=2)
    link, other = air.come(new(0)), air.come(new(1))

    def full():
        raise MemoryError

    monkeypatch.setattr(air.sessions.by_link[0], "step", full)
    air.wait(1)
    assert (air.sessions.no_memory, link.is_connected, other.is_connected) == (1, False, True)

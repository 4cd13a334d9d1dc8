"""Commands, credits, sending again, and who may ask: what the firmware promises to a host."""

import importlib
import random
import struct

import pytest

from tiltwise.common import auth, values, wire
from tiltwise.common.channel import Channel
from tiltwise.common.frame import open_frame
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.simulated_board import SimClock, SimLink

load_firmware()
session_manager = importlib.import_module("tiltwise_firmware.comms.session_manager")
SessionManager = session_manager.SessionManager
FrameStore = importlib.import_module("tiltwise_firmware.comms.frame_store").FrameStore
Link = importlib.import_module("tiltwise_firmware.comms.link").Link

BOOT = 77
START = (wire.OP_START, bytes([wire.ORIENT, 10]))
KEY = bytes(range(50, 82))
DEVICE = b"board-02"


class Keys:
    """A key store whose flash can fail."""

    def __init__(self, key=None):
        self.keys = [] if key is None else [(bytes(12), key)]
        self.saves = self.changes = 0
        self.is_broken = False

    def load(self):
        return list(self.keys)

    def save(self, keys, is_change=True):
        if self.is_broken:
            raise OSError(28)
        self.saves += 1
        self.changes += is_change
        self.keys = list(keys)


class Bench:
    """Sessions over one cable, and a host that looks at what comes out."""

    def __init__(self, frames=100, key=None, **replaced):
        self.frames = FrameStore(BOOT, frames, 10, 10)
        self.link = SimLink()
        self.clock = SimClock()
        self.started = []
        self.keys = Keys(key)
        parts = {
            "keystore": self.keys,
            "on_start": lambda *stream: self.started.append(stream),
            "random": random.Random(9).randbytes,
            "device_id": DEVICE,
            "model": b"bench",
        }
        self.context = session_manager.CommandContext(**(parts | replaced))
        self.sessions = SessionManager([self.link], self.frames, self.clock, self.context)
        self.session = self.sessions.by_link[0]
        self.channel = None
        self._buffer = self.frames.main.lend_buffer()
        self._request = 0
        self._nonces = 0

    def make(self, n):
        for _ in range(n):
            self._buffer = self.frames.put(self._buffer, wire.ORIENT, 0, 0, 0, 10, 0, 6)

    def ask(self, opcode, payload=b"", sealed=True):
        """Send a command, run one step, return (status, rest of the answer)."""
        self._request += 1
        channel = self.channel if sealed else None
        if channel is None:
            self.link.deliver(wire.pack_command(self._request, opcode, self._request, payload))
        else:
            self.link.deliver(channel.pack(self._request, opcode, payload))
        self.sessions.step()
        data = self.link.replies.pop(0)
        if channel is None:
            request, answered, _, answer = wire.open_command(data)
        else:
            request, answered, answer = channel.open(data)
        assert (request, answered) == (self._request, opcode | wire.REPLY)
        return answer[0], answer[1:]

    def prove(self, key=KEY):
        """Exchange proofs, return the status of AUTH2."""
        self._nonces += 1
        shake = auth.HostHandshake(key, DEVICE, bytes([self._nonces] * 16))
        status, answer = self.ask(wire.OP_AUTH1, shake.request(), sealed=False)
        assert status == wire.STATUS_OK
        status, _ = self.ask(wire.OP_AUTH2, shake.prove(answer), sealed=False)
        self.channel = Channel(shake.shared, True)
        return status

    def run(self, steps=100):
        """Step, and return the sequence numbers that arrived."""
        for _ in range(steps):
            self.sessions.step()
        frames, self.link.frames = self.link.frames, []
        if self.channel is not None:
            assert all(frame[0] == wire.SEALED_FRAME for frame in frames)
            frames = [self.channel.open_frame(frame) for frame in frames]
        self.headers = [open_frame(frame) for frame in frames]
        return [header[3] for header in self.headers]

    def done(self):
        """Return the GET_DONE that came: request id, boot, from, to, ranges not held."""
        ((request_id, opcode, answer),) = [
            (data[0], data[1], wire.open_command(data)[3]) for data in self.link.replies
        ]
        self.link.replies.clear()
        assert opcode == wire.OP_GET_DONE | wire.REPLY
        assert answer[0] == wire.STATUS_OK
        head = struct.calcsize(wire.GET_DONE_BODY)
        boot, first, last, n = struct.unpack(wire.GET_DONE_BODY, answer[1 : 1 + head])
        gone = list(struct.iter_unpack("<II", answer[1 + head :]))
        assert len(gone) == n
        return request_id, boot, first, last, gone


def ack(seq, credits=64, boot=BOOT):
    return wire.OP_ACK, struct.pack("<HIH", boot, seq, credits)


def get(first, last, boot=BOOT):
    return wire.OP_GET, struct.pack("<HII", boot, first, last)


def test_nothing_is_sent_before_start_and_nothing_is_lost_by_that():
    bench = Bench()
    bench.make(20)
    assert bench.run() == []
    assert bench.ask(*START) == (wire.STATUS_OK, b"")
    assert bench.started == [(wire.ORIENT, 10)]
    bench.make(3)
    assert bench.run() == [20, 21, 22]  # live first
    assert bench.ask(*get(0, 19)) == (wire.STATUS_OK, struct.pack("<II", 0, 22))
    assert bench.run() == list(range(20))
    assert all(header[1] & wire.FLAG_BACKFILL for header in bench.headers)


def test_without_acknowledgement_sending_stops_at_the_credits_and_goes_on_after():
    bench = Bench()
    bench.ask(*START)
    bench.make(90)
    assert bench.run() == list(range(64))
    assert bench.ask(*ack(63))[0] == wire.STATUS_OK
    assert bench.frames.oldest() == 64
    assert bench.run() == list(range(64, 90))


def test_zero_credits_stop_the_stream():
    bench = Bench()
    bench.ask(*START)
    bench.make(10)
    assert bench.run() == list(range(10))
    bench.ask(*ack(9, credits=0))
    bench.make(10)
    assert bench.run() == []


def test_refused_frames_are_tried_again_in_order():
    bench = Bench()
    bench.ask(*START)
    bench.make(30)
    rng = random.Random(5)
    bench.link.takes = lambda _: rng.random() < 0.3
    assert bench.run(400) == list(range(30))
    assert bench.sessions.retries > 0


def test_what_the_ring_dropped_is_skipped_and_the_answer_tells_it():
    bench = Bench(frames=40)
    bench.ask(*START)
    bench.make(100)
    status, answer = bench.ask(*get(0, 200))
    assert status == wire.STATUS_OK
    assert struct.unpack("<II", answer) == (60, 99)
    seqs = bench.run()
    assert sorted(set(seqs)) == list(range(60, 100))
    first = bench.headers[seqs.index(60)]
    assert first[1] & wire.FLAG_LOSS_BEFORE


def test_backfill_takes_at_most_half_of_the_turns_while_live_frames_wait():
    bench = Bench(frames=200)
    bench.make(50)
    bench.ask(*START)
    bench.make(50)
    bench.ask(*get(0, 49))
    seqs = bench.run()
    half = seqs[:60]
    assert sum(seq < 50 for seq in half) == pytest.approx(30, abs=4)
    assert sorted(seqs) == list(range(100))


def test_commands_may_be_repeated():
    bench = Bench()
    bench.ask(*START)
    bench.make(5)
    assert bench.run() == [0, 1, 2, 3, 4]
    bench.ask(*START)
    bench.make(2)
    assert bench.run() == [5, 6]
    assert bench.started == [(wire.ORIENT, 10)]
    for _ in range(2):
        assert bench.ask(*ack(6))[0] == wire.STATUS_OK
        assert bench.ask(wire.OP_STOP)[0] == wire.STATUS_OK
    bench.make(2)
    assert bench.run() == []


def test_lost_connection_ends_the_stream_and_keeps_the_frames():
    bench = Bench()
    bench.ask(*START)
    bench.make(5)
    bench.link.is_connected = False
    assert bench.run() == []
    bench.link.is_connected = True
    assert bench.run() == []
    assert not bench.sessions.is_streaming
    bench.ask(*START)
    bench.ask(*get(0, 4))
    assert bench.run() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("opcode", "payload"),
    [
        (wire.OP_START, b""),
        (wire.OP_START, bytes([wire.STATUS, 10])),
        (wire.OP_START, bytes([wire.ORIENT, 0])),
        (wire.OP_START, bytes([wire.ORIENT, 11])),
        (wire.OP_STOP, b"x"),
        (wire.OP_ACK, b"\0" * 7),
        ack(5),  # never sent
        ack(0, boot=BOOT + 1),
        get(5, 4),
        get(0, 4, boot=BOOT - 1),
        (wire.OP_GET, b"\0" * 9),
    ],
)
def test_wrong_arguments_are_answered_and_change_nothing(opcode, payload):
    bench = Bench()
    bench.make(5)
    assert bench.ask(opcode, payload)[0] == wire.STATUS_BAD_ARGUMENT
    assert bench.frames.oldest() == 0
    assert not bench.sessions.is_streaming


def test_unknown_command_is_answered_as_unsupported():
    assert Bench().ask(0x33)[0] == wire.STATUS_UNSUPPORTED


def test_random_bytes_do_nothing():
    bench = Bench()
    bench.make(5)
    rng = random.Random(11)
    for _ in range(5000):
        bench.link.deliver(rng.randbytes(rng.randrange(40)))
    for _ in range(1000):
        bench.sessions.step()
    assert bench.sessions.bad_commands == 5000
    assert bench.link.replies == []
    assert bench.frames.oldest() == 0


def test_link_that_is_not_there_keeps_everything_in_the_ring():
    frames = FrameStore(BOOT, 10, 10, 10)
    frames.put(frames.main.lend_buffer(), wire.ORIENT, 0, 0, 0, 10, 0, 6)
    sessions = SessionManager([Link()], frames, SimClock(), session_manager.CommandContext())
    assert sessions.step() is False
    assert frames.main.used == 1
    link = Link()
    assert (link.peer, link.is_connected, link.connections, link.address, link.damaged) == (
        None,
        False,
        0,
        None,
        0,
    )
    assert (link.mtu_payload, link.window, link.is_prompt_open, link.log) == (244, 0, True, None)
    assert (link.receive(), link.waited_us(), link.send(b"x", 1), link.reply(b"x"), link.is_idle()) == (
        None, 0, False, False, True,
    )  # fmt: skip
    for ask in (link.poll, link.reset, link.disconnect, lambda: link.on_mtu(9), lambda: link.publish(b"")):
        assert ask() is None


# ---- GET_DONE ----


def test_end_of_a_get_is_told_with_what_is_not_held():
    bench = Bench(frames=40)
    bench.make(100)
    bench.ask(*get(10, 79))
    assert bench.run() == list(range(60, 80))
    assert bench.done() == (1, BOOT, 10, 79, [(10, 59)])


def test_end_of_a_get_of_nothing_held_is_told_at_once():
    bench = Bench()
    bench.make(50)
    bench.frames.free_to(39)
    bench.ask(*get(5, 20))
    assert bench.run() == []
    assert bench.done() == (1, BOOT, 5, 20, [(5, 20)])


def test_many_holes_are_told_in_parts_and_the_host_asks_on():
    bench = Bench(frames=20)
    minute = bench.frames.minutes.lend_buffer()
    for _ in range(20):  # minutes outlive the frames between them: every fifth frame is one
        bench.make(4)
        minute = bench.frames.put(minute, wire.MINUTE, 0, 0, 0, 0, 0, 6)
    held, told, first = [], [], 0
    while first <= 99:
        bench.ask(*get(first, 99))
        held += bench.run()
        _, _, came_from, last, gone = bench.done()
        assert came_from == first
        told += gone
        first = last + 1
    gone = {seq for a, b in told for seq in range(a, b + 1)}
    assert gone | set(held) == set(range(100))
    assert not gone & set(held)


def test_end_of_a_get_waits_for_a_link_that_is_busy(monkeypatch):
    bench = Bench()
    bench.make(5)
    bench.ask(*get(0, 4))
    monkeypatch.setattr(bench.link, "is_idle", lambda: False)
    bench.run()
    assert bench.link.replies == []
    monkeypatch.undo()
    bench.run()
    assert bench.done()[1:] == (BOOT, 0, 4, [])


def test_end_of_a_get_that_the_link_did_not_take_is_told_again(monkeypatch):
    bench = Bench()
    bench.make(5)
    bench.ask(*get(0, 4))
    monkeypatch.setattr(bench.link, "reply", lambda _: False)
    bench.run()
    monkeypatch.undo()
    bench.run()
    assert bench.done()[1:] == (BOOT, 0, 4, [])


def test_lost_connection_forgets_a_get():
    bench = Bench()
    bench.make(50)
    bench.ask(*get(0, 49))
    bench.link.is_connected = False
    bench.run(2)
    bench.link.is_connected = True
    assert bench.run() == []
    assert bench.link.replies == []


class Archive:
    """Minutes of earlier boots, as minute_archive.py gives them: a ring of one frame a boot here."""

    def __init__(self):
        self.freed = []
        self.forgotten = []

    def boots(self):
        return [(70, 3, 3), (71, 9, 9)]

    def free_to(self, boot, seq):
        self.freed.append((boot, seq))

    def forget(self, boot):
        self.forgotten.append(boot)


def test_minutes_of_earlier_boots_are_listed_sent_and_forgotten(monkeypatch):
    bench = Bench()
    bench.make(4)
    archive = Archive()
    old = FrameStore(70, 2, 4, 10)
    old.next_seq = 3
    old.put(old.minutes.lend_buffer(), wire.MINUTE, 0, 0, 0, 0, 0, 6)
    monkeypatch.setattr(bench.frames, "archive", archive, raising=False)
    monkeypatch.setattr(
        bench.frames,
        "earlier_boot",
        lambda boot: old.minutes if boot == 70 else FrameStore(boot, 1, 1, 10).minutes,
        raising=False,
    )
    status, answer = bench.ask(wire.OP_BOOTS)
    assert status == wire.STATUS_OK
    assert list(struct.iter_unpack("<HII", answer)) == [(BOOT, 0, 3), (70, 3, 3), (71, 9, 9)]
    assert bench.ask(*get(3, 3, boot=70)) == (wire.STATUS_OK, struct.pack("<II", 3, 3))
    assert bench.run() == [3]
    assert bench.headers[0][:3] == (wire.MINUTE, wire.FLAG_BACKFILL, 70)
    assert bench.done() == (2, 70, 3, 3, [])
    bench.ask(*get(9, 9, boot=71))  # listed, but gone meanwhile
    assert bench.run() == []
    assert bench.done() == (3, 71, 9, 9, [(9, 9)])
    assert bench.ask(*ack(3, boot=70))[0] == wire.STATUS_OK
    assert archive.freed == [(70, 3)]


def test_forgetting_the_present_boot_empties_the_ring():
    bench = Bench()
    bench.make(9)
    for _ in range(2):
        bench.frames.forget_all()
    assert bench.frames.oldest() == 9


# ---- key and proof ----


def test_new_board_takes_a_key_over_the_cable_and_then_wants_proof():
    bench = Bench()
    assert bench.sessions.state() == wire.STATE_NEEDS_SETUP
    assert bench.ask(*START)[0] == wire.STATUS_OK
    assert bench.ask(wire.OP_PROVISION, KEY) == (wire.STATUS_OK, DEVICE)
    assert not bench.sessions.is_streaming
    assert bench.ask(*START)[0] == wire.STATUS_LOCKED
    assert bench.prove() == wire.STATUS_OK
    bench.make(3)
    assert bench.ask(*START)[0] == wire.STATUS_OK
    bench.make(3)
    assert bench.run() == [3, 4, 5]


def test_key_set_again_is_the_same_and_writes_nothing():
    bench = Bench(key=KEY)
    bench.prove()
    bench.ask(*START)
    assert bench.ask(wire.OP_PROVISION, KEY) == (wire.STATUS_OK, DEVICE)
    assert bench.keys.saves == 0
    assert bench.sessions.is_streaming


def test_new_key_ends_the_session_and_keeps_the_frames():
    bench = Bench(key=KEY)
    bench.prove()
    bench.make(7)
    other = bytes(range(32))
    assert bench.ask(wire.OP_PROVISION, other) == (wire.STATUS_OK, DEVICE)  # answered in the old session
    assert bench.frames.main.used == 7
    assert bench.ask(*START, sealed=False)[0] == wire.STATUS_LOCKED
    assert bench.prove(other) == wire.STATUS_OK


def test_a_cable_does_not_take_over_a_keyed_board():
    """The owner is in session elsewhere; a stranger on the charging port set a key and read 30 of 30 frames."""
    bench = Bench(key=KEY, is_pressed=lambda: False)
    bench.prove()
    bench.make(30)
    assert bench.ask(wire.OP_PROVISION, bytes(range(32)), sealed=False) == (wire.STATUS_LOCKED, b"")
    assert bench.keys.keys == [(bytes(12), KEY)]
    assert bench.frames.main.used == 30
    assert bench.ask(*START)[0] == wire.STATUS_OK  # the owner noticed nothing


@pytest.mark.parametrize("is_pressed", [lambda: True, None], ids=["held", "no button"])
def test_the_button_lets_a_new_owner_in_and_wipes_what_the_old_one_has_not_stored(is_pressed):
    bench = Bench(key=KEY, is_pressed=is_pressed)
    bench.prove()
    bench.make(30)
    assert bench.ask(wire.OP_ADD_KEY, bytes(range(90, 122)) + b"laptop")[0] == wire.STATUS_OK
    other = bytes(range(32))
    assert bench.ask(wire.OP_PROVISION, other, sealed=False) == (wire.STATUS_OK, DEVICE)
    assert bench.keys.keys == [(bytes(12), other)]  # the laptop of before is out too
    assert bench.frames.main.used == 0
    assert bench.prove(other) == wire.STATUS_OK


def test_key_that_cannot_be_kept_is_not_taken():
    bench = Bench(key=KEY)
    bench.keys.is_broken = True
    assert bench.ask(wire.OP_PROVISION, bytes(range(32)))[0] == wire.STATUS_FAILED
    assert bench.ask(wire.OP_PROVISION, bytes(32))[0] == wire.STATUS_BAD_ARGUMENT
    assert bench.ask(wire.OP_PROVISION, bytes(31))[0] == wire.STATUS_BAD_ARGUMENT
    assert bench.prove() == wire.STATUS_OK


def hosts_of(bench):
    """Return (changes, own place, names) of KEYS."""
    status, answer = bench.ask(wire.OP_KEYS)
    assert status == wire.STATUS_OK
    names = [answer[at : at + 12].rstrip(b"\0") for at in range(3, len(answer), 12)]
    return (*struct.unpack("<HB", answer[:3]), names)


SECOND = bytes(range(90, 122))


def test_a_second_computer_gets_a_key_of_its_own_and_the_first_keeps_its():
    bench = Bench(key=KEY)
    bench.prove()
    for _ in range(2):  # said again, it changes nothing more
        assert bench.ask(wire.OP_ADD_KEY, SECOND + b"laptop")[0] == wire.STATUS_OK
    assert hosts_of(bench) == (1, 0, [b"", b"laptop"])
    assert bench.prove(SECOND) == wire.STATUS_OK
    assert hosts_of(bench) == (1, 1, [b"", b"laptop"])
    bench.channel = None
    assert bench.prove(KEY) == wire.STATUS_OK


def test_a_revoked_computer_is_out_and_nobody_revokes_itself():
    bench = Bench(key=KEY)
    bench.prove()
    bench.ask(wire.OP_ADD_KEY, SECOND + b"laptop")
    laptop = b"laptop".ljust(12, b"\0")
    assert bench.ask(wire.OP_REVOKE, b"\0" + bytes(12))[0] == wire.STATUS_FAILED
    assert (
        bench.ask(wire.OP_REVOKE, b"\1" + bytes(12))[0] == wire.STATUS_FAILED
    )  # another name: the list has changed
    assert bench.ask(wire.OP_REVOKE, b"\1" + laptop)[0] == wire.STATUS_OK
    assert hosts_of(bench) == (2, 0, [b""])
    with pytest.raises(auth.AuthError, match="does not hold our key"):
        bench.prove(SECOND)


def test_who_comes_after_a_revoked_computer_keeps_its_own_place():
    bench = Bench(key=KEY)
    bench.prove()
    bench.ask(wire.OP_ADD_KEY, SECOND + b"laptop")
    bench.session.close(wire.CLOSED_LOST)
    bench.prove(SECOND)
    assert bench.ask(wire.OP_REVOKE, b"\0" + bytes(12))[0] == wire.STATUS_OK
    assert hosts_of(bench) == (2, 0, [b"laptop"])
    assert bench.ask(wire.OP_RATCHET, auth.key_check(auth.next_key(SECOND)))[0] == wire.STATUS_OK
    assert [key for _, key in bench.keys.keys] == [auth.next_key(SECOND)]


def test_a_fifth_computer_finds_no_place():
    bench = Bench(key=KEY)
    bench.prove()
    for k in range(3):
        assert bench.ask(wire.OP_ADD_KEY, bytes([k + 1] * 32))[0] == wire.STATUS_OK
    assert bench.ask(wire.OP_ADD_KEY, SECOND)[0] == wire.STATUS_FAILED
    assert len(bench.keys.keys) == 4


@pytest.mark.parametrize("payload", [b"", bytes(32) + b"x", SECOND[:31], SECOND + b"longer than 12"])
def test_what_is_no_key_is_not_added(payload):
    bench = Bench(key=KEY)
    bench.prove()
    assert bench.ask(wire.OP_ADD_KEY, payload)[0] == wire.STATUS_BAD_ARGUMENT


@pytest.mark.parametrize("opcode", [wire.OP_KEYS, wire.OP_ADD_KEY, wire.OP_REVOKE, wire.OP_RATCHET])
def test_keys_are_nobodys_business_without_a_session(opcode):
    payload = {
        wire.OP_KEYS: b"",
        wire.OP_ADD_KEY: SECOND,
        wire.OP_REVOKE: bytes(13),
        wire.OP_RATCHET: bytes(8),
    }
    assert Bench(key=KEY).ask(opcode, payload[opcode])[0] == wire.STATUS_LOCKED
    assert Bench().ask(opcode, payload[opcode])[0] == wire.STATUS_UNSUPPORTED  # a cable without a key


def test_the_next_key_takes_the_place_of_this_one_and_a_host_behind_finds_it():
    bench = Bench(key=KEY)
    bench.prove()
    following = auth.next_key(KEY)
    for _ in range(2):  # the answer was lost: nothing is skipped
        assert bench.ask(wire.OP_RATCHET, auth.key_check(following))[0] == wire.STATUS_OK
    assert bench.keys.keys == [(bytes(12), following)]
    assert bench.keys.changes == 0, "no other host has to hear of it"
    assert bench.ask(wire.OP_RATCHET, auth.key_check(KEY))[0] == wire.STATUS_FAILED
    bench.channel = None
    assert bench.prove(KEY) == wire.STATUS_OK  # it looks ahead
    bench.keys.is_broken = True
    later = auth.key_check(auth.next_key(following))
    assert bench.ask(wire.OP_RATCHET, later)[0] == wire.STATUS_FAILED
    assert bench.sessions.keys == [(bytes(12), following)], "what the flash does not keep is not used"


def test_what_was_recorded_before_is_closed_to_who_learns_the_key():
    """The frames of the session are sealed under a key that does not follow from the one that the board has now."""
    bench = Bench(key=KEY)
    bench.prove()
    old = bench.channel
    bench.ask(wire.OP_RATCHET, auth.key_check(auth.next_key(KEY)))
    ((_, stolen),) = bench.keys.keys
    bench.make(2)
    bench.ask(*START)
    bench.make(2)
    for _ in range(20):
        bench.sessions.step()
    recorded = bytes(bench.link.frames[0])
    assert old.open_frame(recorded)
    nonces = bench.session._request[:16], bench.session._answer[:16]
    thief = auth.Handshake(stolen, DEVICE, 0, *nonces)
    with pytest.raises(wire.WireError, match="tag does not match"):
        Channel(thief, True).open_frame(recorded)
    victim = auth.Handshake(KEY, DEVICE, 0, *nonces)
    assert Channel(victim, True).open_frame(recorded)  # so the nonces were the right ones


@pytest.mark.parametrize(
    ("key", "is_pressed", "is_open"),
    [(None, lambda: False, True), (KEY, lambda: False, False), (KEY, lambda: True, True), (KEY, None, True)],
)
def test_the_prompt_wants_the_button_where_there_is_one_and_a_key(key, is_pressed, is_open):
    bench = Bench(key=key, is_pressed=is_pressed)
    assert bench.link.is_prompt_open == is_open
    if key:
        bench.prove()
        assert bench.link.is_prompt_open  # whoever proved a key may read it


def test_board_proves_the_key_too():
    bench = Bench(key=KEY)
    with pytest.raises(auth.AuthError, match="does not hold our key"):
        bench.prove(bytes(range(32)))
    assert bench.sessions.active_session is None


def test_command_without_a_tag_is_locked_while_a_session_is_open():
    bench = Bench(key=KEY)
    bench.prove()
    bench.ask(*START)
    assert bench.ask(wire.OP_STOP, sealed=False)[0] == wire.STATUS_LOCKED
    assert bench.sessions.is_streaming


def test_proof_repeated_because_its_answer_was_lost_changes_nothing():
    bench = Bench(key=KEY)
    shake = auth.HostHandshake(KEY, DEVICE, bytes(16))
    first = bench.ask(wire.OP_AUTH1, shake.request())
    assert bench.ask(wire.OP_AUTH1, shake.request()) == first
    proof = shake.prove(first[1])
    for _ in range(3):
        assert bench.ask(wire.OP_AUTH2, proof, sealed=False)[0] == wire.STATUS_OK
        bench.channel = bench.channel or Channel(shake.shared, True)
    assert (
        bench.ask(wire.OP_PING, bytes(8))[0] == wire.STATUS_UNSUPPORTED
    )  # no clock here, but opened and answered


def test_host_that_starts_anew_on_the_same_cable_opens_a_new_session():
    bench = Bench(key=KEY)
    bench.prove()
    bench.ask(*START)
    bench.channel = None
    assert bench.prove() == wire.STATUS_OK
    assert not bench.sessions.is_streaming
    assert bench.ask(*START)[0] == wire.STATUS_OK


def test_proof_without_a_nonce_before_it_is_locked():
    assert Bench(key=KEY).ask(wire.OP_AUTH2, bytes(17))[0] == wire.STATUS_LOCKED


def test_hello_tells_who_holds_the_cable_which_board_it_is():
    bench = Bench(key=KEY, version=(4, 5, 6), features=wire.FEATURE_MOTOR, imus=2)
    bench.make(3)
    status, answer = bench.ask(wire.OP_HELLO)
    assert status == wire.STATUS_OK
    assert answer[-8:] == DEVICE
    assert struct.unpack(wire.HELLO_BODY, answer[:-8]) == (
        wire.PROTOCOL, wire.MINOR, wire.LEAST_HOST_MINOR,
        wire.STATE_LOCKED, wire.FEATURE_MOTOR, 4, 5, 6, 2, BOOT, 0, 2, b"bench".ljust(16, b"\0"),
    )  # fmt: skip


# ---- the board's tools ----


class Settings:
    KEYS = ("name", "rule_deg")

    def __init__(self):
        self.values = {"name": "tiltwise", "rule_deg": 25}
        self.is_broken = False

    def get(self, key):
        return self.values[key]

    def set(self, key, value):
        if self.is_broken:
            raise OSError(28)
        if type(value) is not type(self.values[key]):
            raise ValueError("wrong type")
        self.values[key] = value


def test_settings_are_read_and_set_by_their_place_in_the_table():
    settings = Settings()
    bench = Bench(settings=settings)
    assert bench.ask(wire.OP_GETCFG, b"\1") == (wire.STATUS_OK, values.pack_value(25))
    assert bench.ask(wire.OP_GETCFG, b"\0") == (wire.STATUS_OK, values.pack_value("tiltwise"))
    assert bench.ask(wire.OP_SETCFG, b"\1" + values.pack_value(-3))[0] == wire.STATUS_OK
    assert bench.ask(wire.OP_SETCFG, b"\0" + values.pack_value("Zoë"))[0] == wire.STATUS_OK
    assert settings.values == {"name": "Zoë", "rule_deg": -3}
    for wrong in (
        b"",
        b"\1",
        b"\7" + values.pack_value(1),
        b"\1" + values.pack_value("x"),
        b"\0\1\xff",
        b"\0\7abc",
    ):
        assert bench.ask(wire.OP_SETCFG, wrong)[0] == wire.STATUS_BAD_ARGUMENT
    assert bench.ask(wire.OP_GETCFG, b"\2")[0] == wire.STATUS_BAD_ARGUMENT
    settings.is_broken = True
    assert bench.ask(wire.OP_SETCFG, b"\1" + values.pack_value(9))[0] == wire.STATUS_FAILED


def test_what_a_board_has_not_got_is_unsupported():
    bench = Bench()
    for opcode, payload in (
        (wire.OP_PING, bytes(8)),
        (wire.OP_GETCFG, b"\0"),
        (wire.OP_SETCFG, b"\0\0\0\0\0\0"),
        (wire.OP_MOTOR, b"\1\1"),
        (wire.OP_TARE, b""),
        (wire.OP_REBOOT, b""),
    ):
        assert bench.ask(opcode, payload)[0] == wire.STATUS_UNSUPPORTED


def test_motor_neutral_and_restart_reach_their_tools():
    class Haptics:
        def play(self, pattern, strength):
            done.append((pattern, strength))
            return pattern < 3

    done = []
    bench = Bench(haptics=Haptics(), tare=lambda: done.append("tare"), reboot=lambda: done.append("reboot"))
    assert bench.ask(wire.OP_MOTOR, b"\1\5")[0] == wire.STATUS_OK
    assert bench.ask(wire.OP_MOTOR, b"\3\5")[0] == wire.STATUS_FAILED
    assert bench.ask(wire.OP_TARE)[0] == wire.STATUS_OK
    assert bench.ask(wire.OP_REBOOT)[0] == wire.STATUS_OK
    assert done == [(1, 5), (3, 5), "tare", "reboot"]
    bench.context.tare = lambda: False
    assert bench.ask(wire.OP_TARE)[0] == wire.STATUS_FAILED


def test_hostile_commands_are_told_at_most_once_in_five_seconds():
    events = []
    bench = Bench(log=lambda *event: events.append(event))
    for k in range(3000):
        bench.link.deliver(bytes([k & 255]) * 20)
        bench.clock.sleep_ms(10)
        bench.sessions.step()
    assert 5 <= len(events) <= 7  # in 30 s
    assert events[-1][0] == wire.EVENT_HOSTILE
    assert events[-1][1] <= bench.sessions.hostile == 3000


# ---- what a session allows, and for how long: each limit from both sides ----


class RadioLink(SimLink):
    """A link of the radio, which can be cut and reset, with room for two frames on the way."""

    peer = "ble"
    address = b"\1strang"
    window = 2

    def __init__(self):
        super().__init__()
        self.resets = 0
        self.idle = True

    def is_idle(self):
        return self.idle

    def reset(self):
        self.resets += 1


class Radio(Bench):
    """The bench with the radio in the cable's place."""

    def __init__(self, **options):
        super().__init__(**options)
        self.link = RadioLink()
        self.sessions = SessionManager([self.link], self.frames, self.clock, self.context)
        self.session = self.sessions.by_link[0]

    def after(self, ms):
        self.clock.sleep_ms(ms)
        self.sessions.step()
        return self.link


def hello(bench, n=1):
    """Ask n times who the board is, and return how many answers came."""
    before = len(bench.link.replies)
    for _ in range(n):
        bench.link.deliver(wire.pack_command(1, wire.OP_HELLO, 1, b""))
        bench.sessions.step()
    return len(bench.link.replies) - before


def test_a_peer_on_the_radio_has_five_seconds_for_its_proof_and_a_cable_has_for_ever():
    bench = Radio(key=KEY)
    assert bench.after(4999).is_connected
    assert not bench.after(1).is_connected
    assert bench.sessions.dropped == 1
    cable = Bench(key=KEY)
    cable.clock.sleep_ms(60_000)
    cable.sessions.step()
    assert cable.link.is_connected


def test_a_proved_host_is_not_sent_away():
    bench = Radio(key=KEY)
    bench.prove()
    assert bench.after(60_000).is_connected


def test_the_fifth_nonce_of_a_connection_ends_it_on_the_radio_only():
    for bench, last in (Radio(key=KEY), wire.STATUS_FAILED), (Bench(key=KEY), wire.STATUS_OK):
        asked = [
            bench.ask(wire.OP_AUTH1, auth.HostHandshake(KEY, DEVICE, bytes([k] * 16)).request())[0]
            for k in range(5)
        ]
        assert asked == [wire.STATUS_OK] * 4 + [last]
        assert bench.session.is_leaving == (last == wire.STATUS_FAILED)


def test_a_nonce_said_again_is_no_further_try():
    bench = Radio(key=KEY)
    request = auth.HostHandshake(KEY, DEVICE, bytes(16)).request()
    assert {bench.ask(wire.OP_AUTH1, request)[0] for _ in range(9)} == {wire.STATUS_OK}
    assert not bench.session.is_leaving


def test_a_stranger_on_the_radio_gets_24_answers_and_then_leaves():
    bench = Radio(key=KEY)
    assert hello(bench, 24) == 24
    assert not bench.session.is_leaving
    assert hello(bench) == 0
    assert bench.session.is_leaving
    assert bench.sessions.dropped == 1
    assert hello(Bench(key=KEY), 30) == 30


@pytest.mark.parametrize(("idle", "first_ms"), [(True, 100), (False, 1000)])
def test_the_last_answer_has_a_tenth_of_a_second_to_leave_an_idle_radio_and_a_second_a_busy_one(
    idle, first_ms
):
    bench = Radio(key=KEY)
    hello(bench)
    bench.session.cut(bench.clock.ticks_ms())
    bench.link.idle = idle
    assert bench.after(first_ms - 1).is_connected
    assert not bench.after(1).is_connected


def test_without_an_answer_on_the_way_the_cut_is_at_once():
    bench = Radio(key=KEY)
    bench.session.cut(bench.clock.ticks_ms())
    assert not bench.after(0).is_connected


def test_eight_commands_are_done_in_a_step():
    bench = Bench()
    for k in range(20):
        bench.link.deliver(wire.pack_command(k + 1, wire.OP_HELLO, 1, b""))
    done = []
    for _ in range(3):
        bench.sessions.step()
        done.append(len(bench.link.replies))
    assert done == [8, 16, 20]


def test_frames_that_wait_for_a_word_of_the_host_are_told_after_2_s_and_reset_the_link_after_10():
    bench = Radio(key=KEY)
    bench.prove()
    bench.ask(*START)
    bench.make(5)
    assert bench.run() == [0, 1]
    bench.after(1999)
    assert (bench.session.is_silent, bench.sessions.is_waiting) == (False, False)
    bench.after(1)
    assert (bench.session.is_silent, bench.sessions.is_waiting) == (True, True)
    assert bench.after(7999).resets == 0
    assert bench.after(1).resets == 1


def test_a_host_that_listens_and_takes_all_is_not_silent():
    bench = Radio(key=KEY)
    bench.prove()
    bench.ask(*START)
    bench.make(1)
    assert bench.run() == [0]
    assert bench.after(30_000).resets == 0
    assert not bench.session.is_silent


@pytest.mark.parametrize(("ms", "seconds"), [(999, 0), (1000, 1), (59_999, 59), (70_000_000, 65535)])
def test_how_long_a_session_is_open_and_unheard_is_told_in_whole_seconds(ms, seconds):
    bench = Bench(key=KEY)
    bench.prove()
    bench.clock.sleep_ms(ms)
    assert bench.session.seconds() == (seconds, seconds)
    bench.ask(wire.OP_STOP)
    assert bench.session.seconds() == (seconds, 0)


def test_how_long_a_peer_is_there_goes_on_past_its_proof():
    bench = Radio(key=KEY)
    bench.clock.sleep_ms(1234)
    bench.prove()
    assert bench.session.age_ms() == 1234
    assert bench.session.unproved_ms(bench.clock.ticks_ms()) == -1


class TwoHosts:
    """Two cables of one board with a key, and what is told."""

    def __init__(self):
        self.links, self.clock, self.told = [SimLink(), SimLink()], SimClock(), []
        self.sessions = SessionManager(
            self.links,
            FrameStore(BOOT, 20, 10, 10),
            self.clock,
            session_manager.CommandContext(
                keystore=Keys(KEY),
                random=random.Random(9).randbytes,
                device_id=DEVICE,
                log=lambda *event: self.told.append(event),
            ),
        )

    def say(self, k, data):
        self.links[k].deliver(data)
        self.sessions.step()
        return wire.open_command(self.links[k].replies.pop())[3]

    def prove(self, k, wishes=0, key=KEY):
        """Return (status of AUTH2, the rest of it, the channel)."""
        shake = auth.HostHandshake(KEY, DEVICE, bytes([k + 1] * 16), wishes)
        answer = self.say(k, wire.pack_command(1, wire.OP_AUTH1, 1, shake.request()))
        proof = shake.prove(answer[1:])
        if key is not KEY:
            proof = bytes(len(proof))
        answer = self.say(k, wire.pack_command(2, wire.OP_AUTH2, 2, proof))
        return answer[0], answer[1:], Channel(shake.shared, True)


def test_a_second_host_is_told_how_long_the_first_is_there_unless_it_takes_over():
    hosts = TwoHosts()
    first = hosts.prove(0)
    assert first[:2] == (wire.STATUS_OK, b"")
    hosts.clock.sleep_ms(90_500)
    hosts.links[0].deliver(first[2].pack(3, wire.OP_STOP, b""))
    hosts.sessions.step()
    hosts.clock.sleep_ms(2000)
    assert hosts.prove(1)[:2] == (wire.STATUS_BUSY, struct.pack("<HH", 92, 2))
    assert (hosts.sessions.refused, hosts.sessions.active_session) == (1, hosts.sessions.by_link[0])
    assert hosts.prove(1, wire.WISH_TAKE_OVER)[0] == wire.STATUS_OK
    assert (hosts.sessions.refused, hosts.sessions.active_session) == (1, hosts.sessions.by_link[1])
    assert (wire.EVENT_HOST_CLOSED, wire.CLOSED_TAKEN_OVER) in hosts.told
    assert hosts.prove(0)[0] == wire.STATUS_BUSY


def test_what_is_forged_damaged_or_said_twice_is_counted_once_each():
    hosts = TwoHosts()
    assert hosts.prove(0, key=bytes(32))[0] == wire.STATUS_FAILED
    status, _, channel = hosts.prove(0)
    assert status == wire.STATUS_OK
    sealed = channel.pack(3, wire.OP_STOP, b"")
    for data in (sealed, sealed, channel.pack(4, wire.OP_STOP, b"")[:-1], bytes(9), b""):
        hosts.links[0].deliver(data)
        hosts.sessions.step()
    counts = hosts.sessions.wrong_proofs, hosts.sessions.replays, hosts.sessions.bad_commands
    assert counts == (1, 1, 3)
    assert hosts.sessions.hostile == 4


def test_a_frame_that_the_link_refuses_is_counted_each_time_and_sealed_once():
    bench = Bench(key=KEY)
    bench.prove()
    bench.ask(*START)
    refused = []
    bench.link.takes = lambda frame: refused.append(frame) or len(refused) > 3
    bench.make(1)
    assert bench.run(10) == [0]
    assert bench.sessions.retries == 3
    assert len(set(refused)) == 1

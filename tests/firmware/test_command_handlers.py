"""What each command does, asks and answers; one whose payload is a byte too long or too short does nothing."""

import importlib
import struct
from types import SimpleNamespace

import pytest

from radio_bench import Board
from tiltwise.common import auth, values, wire
from tiltwise.firmware_build.locate import load_firmware

load_firmware()
Commands = importlib.import_module("tiltwise_firmware.comms.command_handlers").Commands

LENGTHS = {
    wire.OP_PING: 8,
    wire.OP_START: 2,
    wire.OP_STOP: 0,
    wire.OP_ACK: 8,
    wire.OP_GET: 10,
    wire.OP_BOOTS: 0,
    wire.OP_GETCFG: 1,
    wire.OP_MOTOR: 2,
    wire.OP_TARE: 0,
    wire.OP_SILENCE: 12,
    wire.OP_HELLO: 0,
    wire.OP_REBOOT: 0,
    wire.OP_RATCHET: 8,
    wire.OP_KEYS: 0,
    wire.OP_REVOKE: 13,
    wire.OP_MTU: 2,
    wire.OP_SELFTEST: 1,
}
OK, BAD, FAILED, UNSUPPORTED, LOCKED = (
    bytes([status])
    for status in (
        wire.STATUS_OK,
        wire.STATUS_BAD_ARGUMENT,
        wire.STATUS_FAILED,
        wire.STATUS_UNSUPPORTED,
        wire.STATUS_LOCKED,
    )
)
KEY = bytes(range(32))


@pytest.mark.parametrize(("opcode", "length"), LENGTHS.items())
def test_another_length_is_a_bad_argument(opcode, length):
    host = Board().host()
    assert host.prove()[0] == wire.STATUS_OK
    for wrong in {length + 1, max(length - 1, 0)} - {length}:
        assert host.ask(opcode, bytes(wrong))[0] == wire.STATUS_BAD_ARGUMENT


@pytest.mark.parametrize("more", [-1, 1])
def test_a_proof_of_another_length_proves_nothing(more):
    board = Board()
    host = board.host()
    request = bytes(struct.calcsize(wire.AUTH1_BODY) + more)
    assert host.ask(wire.OP_AUTH1, request)[0] == wire.STATUS_BAD_ARGUMENT
    assert (
        host.ask(wire.OP_AUTH2, bytes(struct.calcsize(wire.AUTH2_BODY) + more))[0] == wire.STATUS_BAD_ARGUMENT
    )
    assert host.ask(wire.OP_STOP)[0] == wire.STATUS_LOCKED
    assert host.prove()[0] == wire.STATUS_OK, "and the right one is taken afterwards"


# ---- each command, on stand-ins of what it uses ----


class Queue:
    """What is to be sent: notes what it is told."""

    def __init__(self):
        self.told, self.is_new, self.has_room = [], True, True

    def start(self, stream):
        self.told.append(("start", stream))
        return self.is_new

    def stop(self):
        self.told.append("stop")

    def get(self, *what):
        self.told.append(what)
        return self.has_room

    def grant_credits(self, credits):
        self.told.append(("credits", credits))

    def acknowledge(self, seq, credits):
        self.told.append(("ack", seq, credits))


class Frames:
    """Frames 40 to 99 of boot 7, and minutes of some earlier boots."""

    boot, next_seq, first = 7, 100, 40

    def __init__(self, earlier=((5, 10, 12), (6, 20, 29))):
        self.earlier, self.freed = list(earlier), []

    def oldest(self):
        return self.first

    def earlier_boots(self):
        return self.earlier

    def free_to(self, seq):
        self.freed.append(seq)

    def free_earlier(self, boot, seq):
        self.freed.append((boot, seq))
        return boot == 5

    def forget_all(self):
        self.freed.append("all")


class Desk:
    """The handlers with stand-ins; what is not given the board has not got."""

    def __init__(self, peer="usb", frames=None, channel="open", keys=(), **context):
        have = dict.fromkeys(
            (
                "now",
                "on_start",
                "settings",
                "haptics",
                "tare",
                "silence",
                "self_test",
                "reboot",
                "keystore",
                "is_pressed",
            )
        )
        self.mtu = []
        self.queue, self.frames = Queue(), frames or Frames()
        self.link = SimpleNamespace(peer=peer, waited_us=lambda: 1290, on_mtu=self.mtu.append)
        self.session = SimpleNamespace(link=self.link, delivery=self.queue, channel=channel, place=1)
        self.changes = []
        self.manager = SimpleNamespace(
            context=SimpleNamespace(**(have | {"features": 0, "device_id": b"device78"} | context)),
            frames=self.frames,
            keys=list(keys),
            hello=lambda: b"all",
            hello_start=lambda: b"little",
            set_only_key=lambda *key: self.changes.append(("only", *key)),
            replace_key=lambda *key: self.changes.append(("replace", *key)),
            add_key=lambda *key: self.changes.append(("add", *key)) is None,
            revoke_key=lambda *key: self.changes.append(("revoke", *key)) is not None,
            ratchet=lambda check: self.changes.append(("ratchet", check)) is None,
        )
        self.commands = Commands(self.session, self.manager)

    def ask(self, opcode, payload=b"", is_proved=True):
        return self.commands.answer(33, opcode, payload, is_proved)


def test_unknown_commands_are_unsupported_and_nobody_unproved_learns_which_are_known():
    assert Desk().ask(0x33) == UNSUPPORTED
    assert {Desk().ask(opcode, is_proved=False) for opcode in (0x33, wire.OP_STOP, wire.OP_KEYS)} == {LOCKED}


@pytest.mark.parametrize(
    ("peer", "is_proved", "told"),
    [("usb", False, b"alldevice78"), ("ble", True, b"alldevice78"), ("ble", False, b"little")],
)
def test_which_board_it_is_is_for_who_holds_the_cable_or_proved_a_key(peer, is_proved, told):
    assert Desk(peer).ask(wire.OP_HELLO, is_proved=is_proved) == OK + told


@pytest.mark.parametrize(("now", "heard"), [(5000, 4988), (12, 0), (3, 0), (2**32 + 20, 8)])
def test_a_ping_tells_when_it_was_heard_and_when_it_is_answered(now, heard):
    answer = Desk(now=lambda: now).ask(wire.OP_PING, b"12345678")
    assert answer == OK + b"12345678" + struct.pack("<II", heard % 2**32, now % 2**32)


@pytest.mark.parametrize(
    ("kind", "samples", "answer"),
    [
        (wire.ORIENT, 1, OK),
        (wire.RAW, 10, OK),
        (wire.RAW, 11, BAD),
        (wire.RAW, 0, BAD),
        (wire.STATUS, 5, BAD),
    ],
)
def test_a_stream_begins_with_a_kind_of_samples_and_one_to_ten_a_frame(kind, samples, answer):
    begun = []
    desk = Desk(on_start=lambda *stream: begun.append(stream))
    assert desk.ask(wire.OP_START, bytes([kind, samples])) == answer
    assert begun == ([(kind, samples)] if answer == OK else [])
    desk.queue.is_new = False
    desk.ask(wire.OP_START, bytes([kind, samples]))
    assert len(begun) == (answer == OK), "the same stream again begins nothing"
    assert Desk().ask(wire.OP_START, bytes([wire.RAW, 10])) == OK


@pytest.mark.parametrize(
    ("boot", "seq", "answer", "freed", "told"),
    [
        (7, 99, OK, [99], [("ack", 99, 5)]),
        (7, 0, OK, [0], [("ack", 0, 5)]),
        (7, 100, BAD, [], []),
        (5, 12, OK, [(5, 12)], []),
        (4, 12, BAD, [(4, 12)], []),
        (7, wire.NOTHING_STORED, OK, [], [("credits", 5)]),
        (4, wire.NOTHING_STORED, OK, [], [("credits", 5)]),
    ],
)
def test_what_is_acknowledged_is_freed_where_it_lies(boot, seq, answer, freed, told):
    desk = Desk()
    assert desk.ask(wire.OP_ACK, struct.pack("<HIH", boot, seq, 5)) == answer
    assert (desk.frames.freed, desk.queue.told) == (freed, told)


@pytest.mark.parametrize(
    ("boot", "first", "last", "held"),
    [(7, 3, 3, (40, 99)), (5, 0, 99, (10, 12)), (6, 0, 99, (20, 29)), (4, 0, 99, (1, 0)), (7, 4, 3, None)],
)
def test_a_get_tells_what_is_held_of_that_boot(boot, first, last, held):
    desk = Desk()
    answer = desk.ask(wire.OP_GET, struct.pack("<HII", boot, first, last))
    assert answer == (BAD if held is None else OK + struct.pack("<II", *held))
    assert desk.queue.told == ([] if held is None else [(33, boot, first, last)])
    desk.queue.has_room = False
    assert desk.ask(wire.OP_GET, struct.pack("<HII", boot, first, last)) == BAD


def test_boots_are_this_one_and_nineteen_earlier_ones_at_most():
    desk = Desk(frames=Frames([(100 + k, k, k + 1) for k in range(30)]))
    told = list(struct.iter_unpack("<HII", desk.ask(wire.OP_BOOTS)[1:]))
    assert told == [(7, 40, 99)] + [(100 + k, k, k + 1) for k in range(19)]
    desk.frames.first = desk.frames.next_seq = 0
    assert desk.ask(wire.OP_GET, struct.pack("<HII", 7, 0, 0)) == OK + struct.pack("<II", 0, 0)
    assert desk.ask(wire.OP_BOOTS)[1:11] == struct.pack("<HII", 7, 0, 0)


class Settings:
    """Two settings and a flash that may be full."""

    KEYS, error = ("name", "rule_deg"), None

    def __init__(self):
        self.kept = {"name": "tiltwise", "rule_deg": 25}

    def get(self, key):
        return self.kept[key]

    def set(self, key, value):
        if self.error is not None:
            raise self.error
        self.kept[key] = value


def test_settings_are_read_and_set_by_their_place():
    desk = Desk(settings=Settings())
    assert [desk.ask(wire.OP_GETCFG, bytes([k])) for k in range(3)] == [
        OK + values.pack_value("tiltwise"), OK + values.pack_value(25), BAD,
    ]  # fmt: skip
    assert desk.ask(wire.OP_SETCFG, b"\1" + values.pack_value(30)) == OK
    assert desk.manager.context.settings.kept["rule_deg"] == 30
    for wrong in (b"", b"\1", b"\2" + values.pack_value(3), b"\0\7abc"):
        assert desk.ask(wire.OP_SETCFG, wrong) == BAD
    for error, answer in ((ValueError("range"), BAD), (OSError(28), FAILED)):
        desk.manager.context.settings.error = error
        assert desk.ask(wire.OP_SETCFG, b"\1" + values.pack_value(30)) == answer


def test_motor_tare_silence_and_restart_reach_the_board():
    done = []
    desk = Desk(
        haptics=SimpleNamespace(play=lambda *what: done.append(what) or what[0] < 3),
        tare=lambda: done.append("tare"),
        silence=lambda *what: done.append(what) or 1234,
        reboot=lambda: done.append("reboot"),
    )
    assert [desk.ask(wire.OP_MOTOR, payload) for payload in (b"\2\5", b"\3\5")] == [OK, FAILED]
    assert desk.ask(wire.OP_TARE) == OK
    assert desk.ask(wire.OP_SILENCE, struct.pack("<IiI", 600, -5, 70)) == OK + struct.pack("<I", 1234)
    assert desk.ask(wire.OP_REBOOT) == OK
    assert done == [(2, 5), (3, 5), "tare", (600, -5, 70), "reboot"]
    desk.manager.context.tare = lambda: False
    assert desk.ask(wire.OP_TARE) == FAILED


@pytest.mark.parametrize(
    ("opcode", "payload"),
    [
        (wire.OP_PING, bytes(8)), (wire.OP_GETCFG, b"\0"), (wire.OP_SETCFG, b"\0\0"), (wire.OP_MOTOR, bytes(2)),
        (wire.OP_TARE, b""), (wire.OP_SILENCE, bytes(12)), (wire.OP_MTU, bytes(2)), (wire.OP_SELFTEST, b"\1"),
        (wire.OP_REBOOT, b""), (wire.OP_PROVISION, KEY),
    ],
)  # fmt: skip
def test_what_the_board_has_not_got_is_unsupported(opcode, payload):
    assert Desk().ask(opcode, payload) == UNSUPPORTED


def test_the_packets_size_is_taken_over_where_the_radio_asks_for_it():
    desk = Desk(features=wire.FEATURE_ASKS_MTU)
    assert desk.ask(wire.OP_MTU, struct.pack("<H", 0x1F7)) == OK
    assert desk.mtu == [0x1F7]
    assert Desk(features=0xFFFF & ~wire.FEATURE_ASKS_MTU).ask(wire.OP_MTU, bytes(2)) == UNSUPPORTED


def test_a_self_test_answers_fails_or_is_not_there():
    def test(part):
        if part > 1:
            raise ValueError(part) if part == 2 else OSError(5)
        return b"fine" if part else None

    desk = Desk(self_test=test)
    assert [desk.ask(wire.OP_SELFTEST, bytes([k])) for k in range(4)] == [
        UNSUPPORTED,
        OK + b"fine",
        BAD,
        FAILED,
    ]


NAMED = (b"laptop".ljust(wire.KEY_NAME_SIZE, b"\0"), KEY)


@pytest.mark.parametrize("payload", [KEY[:-1], bytes(32), KEY + bytes(13), b""])
def test_what_is_no_key_changes_nothing(payload):
    desk = Desk(keystore=SimpleNamespace(changes=3))
    assert {desk.ask(opcode, payload) for opcode in (wire.OP_PROVISION, wire.OP_ADD_KEY)} == {BAD}
    assert desk.changes == []


def test_keys_are_listed_added_revoked_and_followed_in_a_session_only():
    desk = Desk(keystore=SimpleNamespace(changes=0x102), keys=[NAMED, (b"b" * 12, bytes([1] * 32))])
    assert desk.ask(wire.OP_KEYS) == OK + b"\2\1\1" + NAMED[0] + b"b" * 12
    assert desk.ask(wire.OP_ADD_KEY, KEY + b"laptop") == OK
    assert desk.ask(wire.OP_REVOKE, b"\2" + b"n" * 12) == FAILED
    assert desk.ask(wire.OP_RATCHET, b"check678") == OK
    assert desk.changes == [("add", *NAMED), ("revoke", 2, b"n" * 12), ("ratchet", b"check678")]
    desk.session.channel = None
    for opcode, payload in ((wire.OP_KEYS, b""), (wire.OP_ADD_KEY, KEY), (wire.OP_REVOKE, bytes(13))):
        assert desk.ask(opcode, payload) == UNSUPPORTED
    assert len(desk.changes) == 3


def test_a_flash_that_refuses_a_key_is_an_answer():
    def full(*_):
        raise OSError(28)

    desk = Desk(keystore=SimpleNamespace(changes=0))
    desk.manager.add_key = desk.manager.replace_key = desk.manager.set_only_key = full
    assert desk.ask(wire.OP_ADD_KEY, KEY) == FAILED
    assert desk.ask(wire.OP_PROVISION, KEY) == FAILED
    assert desk.ask(wire.OP_PROVISION, KEY, is_proved=False) == FAILED
    assert desk.frames.freed == []


@pytest.mark.parametrize(
    ("peer", "channel", "is_proved", "keys", "is_pressed", "answer", "change", "freed"),
    [
        ("ble", "open", True, [], None, UNSUPPORTED, None, []),
        ("usb", None, False, [], None, OK, "only", []),
        ("usb", None, False, [], False, OK, "only", []),  # a new board
        ("usb", None, False, ["other"], None, OK, "only", ["all"]),  # without a button
        ("usb", None, False, ["other"], True, OK, "only", ["all"]),
        ("usb", None, False, ["other"], False, LOCKED, None, []),
        ("usb", "open", False, ["other"], False, LOCKED, None, []),
        ("usb", "open", True, ["other"], False, OK, "replace", []),
        ("usb", None, False, ["same"], False, OK, None, []),  # said again
    ],
)
def test_who_may_set_a_key(peer, channel, is_proved, keys, is_pressed, answer, change, freed):
    held = [(b"x" * 12, KEY if key == "same" else bytes([9] * 32)) for key in keys]
    desk = Desk(
        peer,
        channel=channel,
        keys=held,
        keystore=SimpleNamespace(changes=0),
        is_pressed=None if is_pressed is None else lambda: is_pressed,
    )
    told = desk.ask(wire.OP_PROVISION, KEY + b"laptop", is_proved)
    assert told == (answer + b"device78" if answer == OK else answer)
    changes = {None: [], "only": [("only", *NAMED)], "replace": [("replace", 1, *NAMED)]}
    assert (desk.changes, desk.frames.freed) == (changes[change], freed)


def test_a_key_is_32_bytes_and_a_name_12():
    assert (auth.KEY_SIZE, wire.KEY_NAME_SIZE) == (32, 12)

"""A model of the handshake and the session: attacks that all fail, and each check taken out, which lets one succeed.

A check that could go without any attack noticing would be one that nobody tests.
"""

from __future__ import annotations

import ast
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from golden import frames
from tiltwise import common
from tiltwise.common import wire

FOLDER = Path(common.__file__).parent
KEY, OTHER, DEVICE = bytes(range(32)), bytes(range(1, 33)), b"board-01"
HOST_NONCE, BOARD_NONCE, FILLER = b"h" * 16, b"b" * 16, bytes(32)


class Modules:
    """auth, cipher and channel, of which one may have a check less."""

    def __init__(self, name: str = "", old: str = "", new: str = "") -> None:
        self.auth = self._load("auth", name, old, new)
        self.cipher = self._load("cipher", name, old, new)
        kept = {n: sys.modules[n] for n in ("tiltwise.common.auth", "tiltwise.common.cipher")}
        sys.modules |= {"tiltwise.common.auth": self.auth, "tiltwise.common.cipher": self.cipher}
        try:
            self.channel = self._load("channel", name, old, new)
        finally:
            sys.modules.update(kept)

    @staticmethod
    def _load(module: str, name: str, old: str, new: str) -> Any:
        text = (FOLDER / f"{module}.py").read_text(encoding="utf-8")
        if module == name:
            assert text.count(old) == 1, (old, text.count(old))
            text = text.replace(old, new)
        made = ModuleType(module)
        exec(compile(text, module, "exec"), made.__dict__)
        return made

    def shake(self, host_key: bytes = KEY, board_key: bytes = KEY, **sides: Any) -> tuple[Any, Any, bytes]:
        """Return host, board and the board's reply."""
        host = self.auth.HostHandshake(
            host_key, sides.get("host_device", DEVICE), HOST_NONCE, sides.get("wishes", 0)
        )
        board = self.auth.BoardHandshake([board_key], DEVICE)
        request = sides.get("on_the_way", lambda data: data)(host.request())
        return host, board, board.answer(request, sides.get("nonce", BOARD_NONCE), FILLER)

    def session(self) -> tuple[Any, Any]:
        """Return host's and board's end of a session."""
        host, board, reply = self.shake()
        assert board.accepts(host.prove(reply))
        return self.channel.Channel(host.shared, True), self.channel.Channel(board.shared, False)


def passes(call: Callable[[], object]) -> bool:
    """Tell whether a call goes through, which says no by an error or by False."""
    try:
        return call() is not False
    except ValueError:
        return False


# ---- attacks: each returns whether it succeeded ----


def a_host_without_the_key_gets_in(m: Modules) -> bool:
    _, board, _ = m.shake()
    return passes(lambda: board.accepts(bytes(17)))


def a_host_with_another_key_gets_in(m: Modules) -> bool:
    host, board, reply = m.shake(host_key=OTHER)
    nonce = reply[:16]
    shared = m.auth.Handshake(OTHER, DEVICE, 0, HOST_NONCE, nonce)
    del host
    return passes(lambda: board.accepts(b"\0" + shared.host_proof()))


def a_board_without_the_key_is_believed(m: Modules) -> bool:
    host, _, reply = m.shake(board_key=OTHER)
    return passes(lambda: host.prove(reply))


def a_board_gets_in_by_its_own_proof(m: Modules) -> bool:
    """A stranger who asks the board for its proof hands it back as a host's."""
    _, board, _ = m.shake()
    shared = m.auth.Handshake(KEY, DEVICE, 0, HOST_NONCE, BOARD_NONCE)
    return shared.board_proof() == shared.host_proof()[: len(shared.board_proof())] and board is not None


def a_proof_is_used_again(m: Modules) -> bool:
    host, _, reply = m.shake()
    heard = host.prove(reply)
    _, board, _ = m.shake(nonce=b"c" * 16)
    return passes(lambda: board.accepts(heard))


def an_answer_of_the_board_is_used_again(m: Modules) -> bool:
    _, _, heard = m.shake()
    host = m.auth.HostHandshake(KEY, DEVICE, b"i" * 16)
    return passes(lambda: host.prove(heard))


def a_wish_is_added_on_the_way(m: Modules) -> bool:
    host, _, reply = m.shake(on_the_way=lambda data: data[:-1] + bytes([wire.WISH_TAKE_OVER]))
    return passes(lambda: host.prove(reply))


def another_board_of_the_same_host_answers(m: Modules) -> bool:
    host, _, reply = m.shake(host_device=b"board-02")
    return passes(lambda: host.prove(reply))


def a_later_protocol_is_talked_down(m: Modules) -> bool:
    _, _, reply = m.shake()
    protocol = wire.PROTOCOL
    wire.PROTOCOL = protocol + 1
    try:
        host = m.auth.HostHandshake(KEY, DEVICE, HOST_NONCE)
        return passes(lambda: host.prove(reply))
    finally:
        wire.PROTOCOL = protocol


def a_short_key_is_taken(m: Modules) -> bool:
    return passes(lambda: m.auth.Handshake(b"", DEVICE, 0, HOST_NONCE, BOARD_NONCE))


def a_command_is_said_again(m: Modules) -> bool:
    host, board = m.session()
    command = host.pack(0x20, wire.OP_MOTOR, b"\1\5")
    board.open(command)
    return passes(lambda: board.open(command))


def a_command_is_made_up(m: Modules) -> bool:
    _, board = m.session()
    return passes(lambda: board.open(struct.pack("<BI", wire.SEALED_COMMAND, 9) + bytes(20)))


def a_command_in_clear_is_done(m: Modules) -> bool:
    host, board = m.session()
    sealed = host.pack(0x20, wire.OP_STOP)
    board._theirs.tag = lambda _: sealed[-8:]  # whatever the tag: what does not begin as sealed is none
    return passes(lambda: board.open(b"\x20" + sealed[1:]))


def a_reply_comes_back_as_a_command(m: Modules) -> bool:
    _, board = m.session()
    return passes(lambda: board.open(board.pack(0x20, wire.OP_STOP)))


def a_frame_is_made_up(m: Modules) -> bool:
    host, _ = m.session()
    return passes(lambda: host.open_frame(struct.pack("<BI", wire.SEALED_FRAME, 9) + bytes(60)))


def a_frame_in_clear_is_taken(m: Modules) -> bool:
    host, board = m.session()
    frame = bytearray(sealed(board))
    frame[0] = wire.VERSION << 4 | wire.ORIENT
    host._frames.check = lambda *_: True
    return passes(lambda: host.open_frame(bytes(frame)))


def two_frames_share_a_stream(m: Modules) -> bool:
    """XOR of two packets of one frame is zero where the stream is the same: a listener reads along."""
    _, board = m.session()
    return sealed(board)[5:-8] == sealed(board)[5:-8]


def both_ways_share_a_stream(m: Modules) -> bool:
    """XOR of a command and the reply to it shows the one by the other."""
    host, board = m.session()
    return host.pack(7, 1, bytes(20))[15:-8] == board.pack(7, 1, bytes(20))[15:-8]


def a_reply_that_was_held_back_answers_a_later_question(m: Modules) -> bool:
    host, board = m.session()
    board.open(host.pack(0x20, wire.OP_GETCFG))
    held_back = board.pack(0x20, wire.OP_GETCFG | wire.REPLY)
    host.pack(0x20, wire.OP_GETCFG)
    host.open(held_back)
    return host.about == host.sent or host.about == 0


def a_message_of_another_size_is_taken_or_ends_a_side(m: Modules) -> bool:
    host, board, reply = m.shake()
    our_end, its_end = m.session()
    tries: tuple[Callable[[], object], ...] = (
        lambda: m.auth.BoardHandshake([KEY], DEVICE).answer(b"short", BOARD_NONCE, FILLER),
        lambda: board.accepts(b"short"),
        lambda: m.auth.BoardHandshake([KEY], DEVICE).accepts(bytes(17)),  # asked for nothing before
        lambda: board.accepts(b"\7" + bytes(16)),  # a place that is none
        lambda: host.prove(reply[:-1]),
        lambda: m.auth.Tagger(b"short"),
        lambda: m.cipher.Stream(b"short"),
        lambda: its_end.open(bytes([wire.SEALED_COMMAND])),
        lambda: our_end.open_frame(bytes([wire.SEALED_FRAME])),
    )
    return not all(is_refused(call) for call in tries)


def is_refused(call: Callable[[], object]) -> bool:
    """Tell whether a call says no; any other error would end the firmware."""
    try:
        return not call()
    except ValueError:
        return True
    except Exception:  # noqa: BLE001
        return False


def sealed(board: Any) -> bytes:
    frame = frames.orient(3)
    out = bytearray(len(frame) + wire.SEALED_GROWS)
    board.seal(frame, len(frame), out)
    return bytes(out)


ATTACKS = [
    value
    for name, value in list(vars().items())
    if name.startswith(("a_", "an_", "another_", "two_", "both_"))
]

CHECKS = [
    ("auth", "if equal(proofs[at : at + BOARD_PROOF_SIZE], wanted):", "if True:"),
    ("auth", "if not equal(proof, shared.host_proof()):", "if False:"),
    ("auth", 'hmac_sha256(self._key, b"H" + self._said)', 'hmac_sha256(self._key, b"D" + self._said)'),
    ("auth", "bytes(device_id), wishes) + self._nonces", "bytes(8), wishes) + self._nonces"),
    ("auth", "bytes(device_id), wishes) + self._nonces", "bytes(device_id), 0) + self._nonces"),
    ("auth", 'struct.pack("<B8sB", wire.PROTOCOL,', 'struct.pack("<B8sB", 2,'),
    ("auth", "bytes(host_nonce) + bytes(board_nonce)", "bytes(host_nonce)"),
    ("auth", "bytes(host_nonce) + bytes(board_nonce)", "bytes(board_nonce)"),
    ("auth", "if len(key) != KEY_SIZE:", "if False:"),
    ("auth", "if len(a) != len(b):", "if True:"),
    ("auth", "return difference == 0", "return True"),
    ("channel", "if counter <= self._heard:", "if False:"),
    ("channel", "wire.check_tag(data, self._theirs, True)", "pass"),
    ("channel", "if kind != wire.SEALED_COMMAND:", "if False:"),
    ("channel", 'Tagger(shared.session_key(b"replies"))', 'Tagger(shared.session_key(b"commands"))'),
    ("channel", "wire.check_tag(data, self._frames, True)", "pass"),
    ("channel", "if kind != wire.SEALED_FRAME:", "if False:"),
    ("channel", "        self._packets += 1\n", ""),
    ("channel", "(COMMAND, REPLY) if is_host else (REPLY, COMMAND)", "(COMMAND, COMMAND)"),
    ("channel", "about = 0 if self._is_host else self._heard", "about = 0"),
    ("cipher", "direction, number, 0)", "0, number, 0)"),
    ("cipher", "direction, number, 0)", "direction, 0, 0)"),
    ("auth", "if len(request) != struct.calcsize(wire.AUTH1_BODY):", "if False:"),
    ("auth", "if self._request is None or len(payload)", "if len(payload)"),
    (
        "auth",
        "self._request is None or len(payload) != struct.calcsize(wire.AUTH2_BODY):",
        "self._request is None:",
    ),
    ("auth", "if place >= len(self._keys):", "if False:"),
    ("auth", "if len(reply) != size:", "if False:"),
    ("auth", "if len(key) < _LEAST_KEY:", "if False:"),
    ("cipher", "if len(key) != _KEY_SIZE:", "if False:"),
    (
        "channel",
        "if not _OUTER_SIZE + _INNER_SIZE + wire.TAG_SIZE <= len(data) <= wire.MAX_COMMAND:",
        "if False:",
    ),
    ("channel", "if len(data) < _OUTER_SIZE + wire.HEADER_SIZE + wire.TAG_SIZE:", "if False:"),
]
NO_CHECKS = ("at == end",)  # the end of a loop


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_no_attack_succeeds(attack: Callable[[Modules], bool]) -> None:
    assert not attack(Modules())


@pytest.mark.parametrize(("module", "old", "new"), CHECKS, ids=lambda text: text.strip()[:40])
def test_without_this_check_one_does(module: str, old: str, new: str) -> None:
    weak = Modules(module, old, new)

    def noticed(attack: Callable[[Modules], bool]) -> bool:
        try:
            return attack(weak)
        except (AssertionError, ValueError):
            return True  # the honest sides do not come together any more

    assert any(noticed(attack) for attack in ATTACKS)


@pytest.mark.parametrize("module", ["auth", "channel", "cipher"])
def test_no_refusal_is_left_out_of_the_list(module: str) -> None:
    text = (FOLDER / f"{module}.py").read_text(encoding="utf-8")
    refusals = {
        ast.get_source_segment(text, node.test) or ""
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.If) and isinstance(node.body[0], ast.Return | ast.Raise)
    }
    listed = " ".join(old for name, old, _ in CHECKS if name == module)
    assert refusals - set(NO_CHECKS) <= {refusal for refusal in refusals if refusal in listed}

"""Proofs and tags: RFC 4231, the standard library, and what each side makes of the other."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiltwise.common import wire
from tiltwise.common.auth import (
    AuthError,
    BoardHandshake,
    Handshake,
    HostHandshake,
    Tagger,
    equal,
    hmac_sha256,
    key_check,
    next_key,
)
from tiltwise_lab.bench.firmware.handshake_cost import handshake_row

KEY, DEVICE = bytes(range(32)), b"board-id"
HOST_NONCE, BOARD_NONCE = bytes(range(100, 116)), bytes(range(200, 216))


@pytest.mark.parametrize(
    ("key", "message", "tag"),
    [
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ],
)
def test_hmac_gives_the_rfc_4231_values(key, message, tag):
    assert hmac_sha256(key, message).hex() == tag


@given(st.binary(max_size=140), st.binary(max_size=300))
def test_hmac_is_the_standard_one(key, message):
    assert hmac_sha256(key, message) == hmac.new(key, message, hashlib.sha256).digest()


@given(st.binary(min_size=16, max_size=80), st.binary(max_size=300))
def test_tag_is_the_start_of_the_hmac_and_checks(key, message):
    tagger = Tagger(key)
    tag = tagger.tag(memoryview(message))
    assert tag == hmac_sha256(key, message)[:8]
    assert tagger.check(message, tag)
    assert not tagger.check(message + b"\0", tag)
    assert not tagger.check(message, bytes([tag[0] ^ 1]) + tag[1:])


def test_short_key_is_refused():
    with pytest.raises(ValueError, match="key of 15 bytes, expected at least 16"):
        Tagger(bytes(15))


def test_equal_needs_the_same_length_and_bytes():
    assert equal(b"abc", b"abc")
    assert not equal(b"abc", b"abd")
    assert not equal(b"abc", b"ab")


# ---- handshake ----


def standard(message):
    return hmac.new(KEY, message, hashlib.sha256).digest()


def test_proofs_and_keys_are_the_documented_bytes():
    shared = Handshake(KEY, DEVICE, wire.WISH_TAKE_OVER, HOST_NONCE, BOARD_NONCE)
    said = b"\x02" + DEVICE + b"\x02" + HOST_NONCE + BOARD_NONCE
    assert shared.board_proof() == standard(b"D" + said)[:8]
    assert shared.host_proof() == standard(b"H" + said)[:16]
    assert shared.session_key(b"frames") == standard(b"frames" + HOST_NONCE + BOARD_NONCE)
    assert next_key(KEY) == standard(b"next")
    assert key_check(KEY) == standard(b"check")[:8]
    # Known answers, so that a change of both sides at once shows.
    assert (
        shared.session_key(b"commands").hex()
        == "1f0deac2cd95334f9bcd077d0247b080968775d682c326cb61b46a60a7800343"
    )


FILLER = bytes(range(0x80, 0xA0))
OTHERS = [bytes([k] * 32) for k in (7, 8, 9)]


def shake(key=KEY, device=DEVICE, wishes=0, keys=(KEY,)):
    host = HostHandshake(key, device, HOST_NONCE, wishes)
    board = BoardHandshake(list(keys), DEVICE)
    return host, board, board.answer(host.request(), BOARD_NONCE, FILLER)


@pytest.mark.parametrize("place", range(4))
def test_both_sides_come_to_the_same_keys_at_any_place(place):
    keys = [*OTHERS[:place], KEY, *OTHERS[place:]]
    host, board, reply = shake(keys=keys)
    assert board.accepts(host.prove(reply))
    assert board.place == place
    for name in (b"frames", b"replies", b"commands", b"encryption"):
        assert host.shared.session_key(name) == board.shared.session_key(name)


def test_a_listener_cannot_count_the_hosts():
    """Where there is no key, random bytes stand for a proof: the answer is as long, and none of it repeats."""
    _, _, one = shake(keys=[KEY])
    _, _, four = shake(keys=[KEY, *OTHERS])
    assert len(one) == len(four) == 48
    assert one[16 + 8 :] == FILLER[8:]
    assert four[16 + 8 :] != FILLER[8:]


@pytest.mark.parametrize(("ahead", "is_found"), [(0, True), (1, True), (4, True), (5, False)])
def test_host_finds_a_board_that_is_some_keys_ahead(ahead, is_found):
    key = KEY
    for _ in range(ahead):
        key = next_key(key)
    host, board, reply = shake(keys=[OTHERS[0], key])
    if not is_found:
        with pytest.raises(AuthError, match="does not hold our key"):
            host.prove(reply)
        return
    assert board.accepts(host.prove(reply))
    assert host.key == key


@pytest.mark.parametrize(
    ("key", "device"), [(bytes(32), DEVICE), (KEY, b"other-id"), (next_key(KEY), DEVICE)]
)
def test_host_notices_a_board_that_is_not_its_own(key, device):
    host, _, reply = shake(key, device)
    with pytest.raises(AuthError, match="does not hold our key"):
        host.prove(reply)
    assert host.shared is None


def test_host_refuses_a_reply_of_another_size():
    host, _, reply = shake()
    with pytest.raises(AuthError, match="reply of 47 bytes to AUTH1, expected 48"):
        host.prove(reply[:-1])


def test_every_bit_of_the_exchange_counts():
    host, board, reply = shake()
    for k in range(8 * (16 + 8)):  # nonce and the one proof
        changed = bytearray(reply)
        changed[k // 8] ^= 1 << k % 8
        with pytest.raises(AuthError):
            HostHandshake(KEY, DEVICE, HOST_NONCE).prove(bytes(changed))
    payload = host.prove(reply)
    for k in range(8 * len(payload)):
        changed = bytearray(payload)
        changed[k // 8] ^= 1 << k % 8
        assert not board.accepts(bytes(changed))
        assert board.shared is None
    request = bytearray(host.request())
    request[16] ^= wire.WISH_TAKE_OVER  # somebody on the way wishes more
    tampered = BoardHandshake([KEY], DEVICE)
    with pytest.raises(AuthError):
        host.prove(tampered.answer(bytes(request), BOARD_NONCE, FILLER))


def test_proof_of_the_board_is_no_proof_of_a_host():
    _, board, reply = shake()
    assert not board.accepts(b"\0" + reply[16:32])
    assert not board.accepts(
        b"\0" + standard(b"D" + b"\x02" + DEVICE + b"\0" + HOST_NONCE + BOARD_NONCE)[:16]
    )


def test_proof_under_the_key_of_another_host_is_not_accepted_at_ones_own_place():
    host, board, reply = shake(keys=[KEY, OTHERS[0]])
    payload = host.prove(reply)
    for place in (1, 2, 255):
        assert not board.accepts(bytes([place]) + payload[1:])


def test_proof_without_a_request_or_of_another_length_is_not_accepted():
    assert not BoardHandshake([KEY], DEVICE).accepts(bytes(17))
    host, board, reply = shake()
    payload = host.prove(reply)
    for wrong in (payload[:-1], payload + b"\0", b""):
        assert not board.accepts(wrong)
    assert BoardHandshake([KEY], DEVICE).answer(bytes(16), BOARD_NONCE, FILLER) is None


def test_key_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="key of 16 bytes, expected 32"):
        Handshake(bytes(16), DEVICE, 0, HOST_NONCE, BOARD_NONCE)


def test_the_bench_counts_what_a_session_costs():
    """Four HMACs make 16 blocks of session keys; a proof is 4 blocks, one for each host and one of the host's."""
    assert [handshake_row(n).board_blocks for n in (1, 2, 4)] == [24, 28, 36]
    assert (
        handshake_row(1).link_bytes
        == handshake_row(4).link_bytes
        == (14 + 17) + (14 + 49) + (14 + 17) + (14 + 1)
    )

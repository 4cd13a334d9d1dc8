"""The wire format: golden bytes, what is refused, and many damaged frames."""

import binascii
import hashlib
import hmac
import json
import random
import struct
from pathlib import Path

import pytest

from golden import frames
from tiltwise.common import auth, wire
from tiltwise.common.frame import frame_sizes, open_frame, unpack_body

GOLDEN = {
    name: bytes.fromhex(text)
    for name, text in json.loads(
        (Path(frames.__file__).parent / "frames.json").read_text(encoding="utf-8")
    ).items()
}
MINOR_0 = {
    name: bytes.fromhex(text)
    for name, text in json.loads(
        (Path(frames.__file__).parent / "minor_0.json").read_text(encoding="utf-8")
    ).items()
}
TAGGERS = {"crc": None, "hmac": auth.Tagger(frames.KEY)}
MUTATIONS = 200_000


def tagger_of(name):
    return TAGGERS[name.rsplit(" ", 1)[1]]


def open_any(name, data):
    """Open a golden frame or command with the key it was made with."""
    return (open_frame if name.startswith("frame") else wire.open_command)(data, tagger_of(name))


@pytest.mark.parametrize("name", GOLDEN)
def test_packing_gives_the_golden_bytes(name):
    assert frames.golden()[name].hex() == GOLDEN[name].hex()


def test_golden_file_holds_every_type_and_nothing_else():
    assert set(GOLDEN) == set(frames.golden())
    kinds = {data[0] & 15 for name, data in GOLDEN.items() if name.startswith("frame")}
    assert kinds == {*wire.SAMPLE_SIZES, *wire.BODIES}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_bytes_open(name):
    open_any(name, GOLDEN[name])


def test_golden_header_lies_at_the_documented_offsets():
    # Without struct, so that a wrong format letter cannot hide.
    data = GOLDEN["frame orient_10 crc"]
    number = [int.from_bytes(data[a:b], "little") for a, b in ((2, 4), (4, 8), (8, 12), (12, 16))]
    assert (data[0], data[1]) == (0x11, 0)
    assert number == [7, 70_000, 700_000, 134_615_385]
    assert (data[16], data[17]) == (10, 6)
    sample = [int.from_bytes(data[18 + 2 * i : 20 + 2 * i], "little", signed=True) for i in range(7)]
    assert sample == [32767, 0, 1000, -32767, 8192, -8192, 0]
    assert len(data) == 18 + 10 * 14 + 8
    assert int.from_bytes(data[-8:-4], "little") == binascii.crc32(data[:-8])
    assert data[-4:] == bytes(4)


def test_golden_tag_is_the_standard_hmac():
    data = GOLDEN["frame orient_10 hmac"]
    assert data[1] == wire.FLAG_AUTHENTICATED
    assert data[-8:] == hmac.new(frames.KEY, data[:-8], hashlib.sha256).digest()[:8]


@pytest.mark.parametrize("way", TAGGERS)
def test_bodies_come_back(way):
    for name, (frame_type, values) in frames.BODIES.items():
        data = GOLDEN[f"frame {name} {way}"]
        back = unpack_body(data, frame_type)
        assert len(back) == len(values)
        for got, packed in zip(back, values, strict=True):
            if isinstance(packed, bytes):
                assert got == packed + bytes(16 - len(packed))
            else:
                assert got == pytest.approx(packed, rel=1e-7)  # INFO has single-precision floats


@pytest.mark.parametrize("name", MINOR_0)
def test_bodies_of_the_first_boards_stay_readable(name):
    """What was recorded then is the truth; a field that minor 0 did not have reads as 0."""
    data, (_, kind, way) = MINOR_0[name], name.split(" ")
    header = open_frame(data, TAGGERS[way])
    assert (header[0], header[3]) == (frames.BODIES[kind][0], 9)
    assert len(data) == frame_sizes(header[0])[0]
    back = unpack_body(data, header[0])
    told = frames.STATUS_MINOR_0 if kind == "status" else frames.BODIES[kind][1]
    for got, packed in zip(back, told, strict=False):
        wanted = packed.ljust(16, b"\0") if isinstance(packed, bytes) else pytest.approx(packed, rel=1e-7)
        assert got == wanted
    assert not any(back[len(told) :])


def later_frame(name, more, tagger=None):
    """Return a golden frame with this many bytes appended to its body, as a board of a later minor would send it."""
    grown = bytearray(GOLDEN[name][: -wire.TAG_SIZE] + bytes(range(1, more + 1)) + bytes(wire.TAG_SIZE))
    wire.seal(grown, len(grown), tagger)
    return bytes(grown)


@pytest.mark.parametrize("way", TAGGERS)
@pytest.mark.parametrize("kind", frames.BODIES)
@pytest.mark.parametrize("more", [1, 2, 33])
def test_bodies_of_a_later_minor_read_as_far_as_they_are_known(kind, way, more):
    name = f"frame {kind} {way}"
    grown = later_frame(name, more, TAGGERS[way])
    header = open_frame(grown, TAGGERS[way])
    assert header[0] == frames.BODIES[kind][0]
    assert unpack_body(grown, header[0]) == unpack_body(GOLDEN[name], header[0])


def test_bodies_shorter_than_ever_or_longer_than_a_notification_are_refused():
    least, most = frame_sizes(wire.STATUS)
    assert most == wire.MAX_FRAME
    with pytest.raises(wire.WireError, match=f"frame of {least - 1} bytes, expected {least} to {most}"):
        open_frame(sealed(frame_type=wire.STATUS, n=0, size=least - 1))
    with pytest.raises(wire.WireError, match=f"frame of {most + 1} bytes, expected {least} to {most}"):
        open_frame(sealed(frame_type=wire.STATUS, n=0, size=most + 1))


def test_no_minor_makes_bodies_shorter():
    assert all(
        wire.frame_size(kind) - wire.HEADER_SIZE - wire.TAG_SIZE >= least
        for kind, least in wire.LEAST_BODY_SIZES.items()
    )
    assert set(wire.LEAST_BODY_SIZES) == set(wire.BODIES)


@pytest.mark.parametrize("way", TAGGERS)
def test_commands_come_back(way):
    for name, (request_id, opcode, counter, payload) in frames.COMMANDS.items():
        data = GOLDEN[f"command {name} {way}"]
        assert wire.open_command(data, TAGGERS[way]) == (request_id, opcode, counter, payload)


def test_counters_wrap_at_their_width():
    header = open_frame(GOLDEN["frame orient_1_wrapped crc"])
    assert header[2:6] == (0, 0, 1, 2)
    header = open_frame(GOLDEN["frame orient_1_last_numbers crc"])
    assert header[2:8] == (65_535, 2**32 - 1, 2**32 - 1, 2**32 - 1, 1, 15)


def test_packing_returns_nothing_new():
    # A returned object would be an allocation in the sampling path of the board.
    buffer = bytearray(wire.frame_size(wire.ORIENT, 2))
    assert wire.pack_header_into(buffer, wire.ORIENT, 0, 1, 2, 3, 4, 2, 0, 6) is None
    assert wire.pack_orient_into(buffer, 0, 1, 2, 3, 4, 5, 6, 7) is None
    assert wire.pack_raw_into(buffer, 0, 1, 2, 3, 4, 5, 6) is None
    assert wire.pack_body_into(buffer, wire.EVENT, 1, 0, 2) is None
    assert wire.set_flags(buffer, wire.FLAG_BACKFILL) is None
    size = len(buffer)
    assert wire.seal(buffer, size) is size


def test_packing_touches_only_its_own_bytes():
    for pack, size in ((wire.pack_orient_into, 14), (wire.pack_raw_into, 12)):
        buffer = bytearray(b"\xaa" * wire.frame_size(wire.ORIENT, 3))
        pack(buffer, 1, *([0] * (size // 2)))
        start = wire.HEADER_SIZE + size
        assert buffer == b"\xaa" * start + bytes(size) + b"\xaa" * (len(buffer) - start - size)


def test_longest_frame_fits_one_notification():
    # ATT MTU 247 leaves 244 bytes.
    assert (
        max(wire.frame_size(kind, wire.MAX_SAMPLES) for kind in (wire.ORIENT, wire.RAW, *wire.BODIES))
        <= wire.MAX_FRAME
    )


def test_flags_changed_after_sealing_need_a_new_seal():
    buffer = bytearray(GOLDEN["frame orient_10 crc"])
    wire.set_flags(buffer, wire.FLAG_BACKFILL)
    with pytest.raises(wire.WireError, match="checksum does not match"):
        open_frame(buffer)
    wire.seal(buffer, len(buffer))
    assert open_frame(buffer)[1] == wire.FLAG_BACKFILL


def test_a_frame_sealed_with_a_key_and_then_without_says_so_and_keeps_its_other_flags():
    tagger = auth.Tagger(bytes(range(32)))
    buffer = bytearray(GOLDEN["frame orient_10 crc"])
    wire.set_flags(buffer, wire.FLAG_BACKFILL)
    wire.seal(buffer, len(buffer), tagger)
    assert open_frame(buffer, tagger)[1] == wire.FLAG_BACKFILL | wire.FLAG_AUTHENTICATED
    wire.seal(buffer, len(buffer))
    assert open_frame(buffer)[1] == wire.FLAG_BACKFILL


def sealed(frame_type=wire.ORIENT, n=2, rate_code=6, size=None, version=1):
    """Return a frame with a right checksum over a header that may be wrong."""
    buffer = bytearray(wire.frame_size(wire.ORIENT, n) if size is None else size)
    wire.pack_header_into(buffer, frame_type, 0, 1, 1, 1, 1, n, 0, rate_code)
    buffer[0] = version << 4 | frame_type
    wire.seal(buffer, len(buffer))
    return bytes(buffer)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "frame of 0 bytes, the shortest has 26"),
        (bytes(25), "frame of 25 bytes"),
        (sealed(version=2), "frame version 2, this side reads 1: update"),
        (sealed(frame_type=9), "frame type 9 is not known"),
        (sealed(frame_type=0), "frame type 0 is not known"),
        (sealed(n=0), "sample frame with 0 samples, expected 1 to 15"),
        (sealed(size=55), "frame of 55 bytes, expected 54"),
        (sealed(rate_code=len(wire.RATES_HZ)), "rate code 14 is not known"),
    ],
)
def test_foreign_frames_are_refused_with_the_reason(data, reason):
    with pytest.raises(wire.WireError, match=reason):
        open_frame(data)


def test_keys_decide():
    authentic, plain = GOLDEN["frame event hmac"], GOLDEN["frame event crc"]
    with pytest.raises(wire.WireError, match="no key was given: run tiltwise setup"):
        open_frame(authentic)
    with pytest.raises(wire.WireError, match="without an authentication tag on a link that has a key"):
        open_frame(plain, TAGGERS["hmac"])
    with pytest.raises(wire.WireError, match="wrong key"):
        open_frame(authentic, auth.Tagger(bytes(16)))


def test_short_commands_are_refused():
    with pytest.raises(wire.WireError, match="command of 13 bytes, the shortest has 14"):
        wire.open_command(bytes(13))


def mutate(pick, data, others):
    """Return the data damaged in one of five ways."""
    way = int(pick() * 5)
    n = len(data)
    if way == 0:  # one to four flipped bits
        damaged = bytearray(data)
        for _ in range(1 + int(pick() * 4)):
            damaged[int(pick() * n)] ^= 1 << int(pick() * 8)
        return bytes(damaged)
    if way == 1:  # cut off, at either end
        cut = int(pick() * n)
        return data[:cut] if pick() < 0.5 else data[cut:]
    if way == 2:  # some bytes more
        at = int(pick() * (n + 1))
        return data[:at] + bytes([int(pick() * 256)]) * (1 + int(pick() * 4)) + data[at:]
    if way == 3:  # the head of one and the tail of another, often of right length
        other = others[int(pick() * len(others))]
        at = int(pick() * n)
        return data[:at] + other[at - n :] if at else other
    size = n if pick() < 0.5 else int(pick() * 260)  # noise behind a plausible start
    keep = int(pick() * 18)
    return data[:keep] + int(pick() * 2**53).to_bytes(7, "little") * (1 + size // 7)


def test_no_damaged_frame_or_command_is_accepted():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    pick = random.Random(seed).random
    corpus = {}
    for name, data in GOLDEN.items():
        corpus.setdefault((name.split(" ")[0], name.rsplit(" ", 1)[1]), []).append(data)
    refused = 0
    for (sort, way), members in corpus.items():
        valid = set(
            members
        )  # a mutation may change nothing or make another valid member: only these are left out
        opener, tagger = (open_frame if sort == "frame" else wire.open_command), TAGGERS[way]
        share = MUTATIONS // len(corpus)
        done = 0
        while done < share:
            data = members[done % len(members)]
            damaged = mutate(pick, data, members)
            if damaged in valid:
                continue
            done += 1
            try:
                opener(damaged, tagger)
            except wire.WireError:
                refused += 1
            else:
                pytest.fail(f"seed {seed}: accepted {damaged.hex()} made of {data.hex()}")
    assert refused == MUTATIONS


def test_values_that_do_not_fit_are_the_packers_error():
    buffer = bytearray(wire.frame_size(wire.ORIENT, 1))
    with pytest.raises(struct.error):
        wire.pack_orient_into(buffer, 0, 40_000, 0, 0, 0, 0, 0, 0)

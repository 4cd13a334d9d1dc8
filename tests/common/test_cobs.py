"""Packets in a stream: against the cobs package, over cuts, noise and lack of room."""

import random

import pytest
from cobs import cobs as reference
from hypothesis import given
from hypothesis import strategies as st

from tiltwise.common import cobs
from wire_host import stuffed


@given(st.binary(min_size=1, max_size=600))
def test_packets_are_standard_cobs_between_zeros(data):
    packet = stuffed(data)
    assert packet[0] == packet[-1] == 0
    assert 0 not in packet[1:-1]
    assert reference.decode(packet[1:-1]) == data
    assert len(packet) <= cobs.stuffed_size(len(data))


@pytest.mark.parametrize("n", [253, 254, 255, 508, 509])
def test_long_runs_without_zero_come_back(n):
    data = b"\7" * n
    inbox = cobs.Unstuffer(1024, 700)
    inbox.put(stuffed(data))
    assert inbox.take() == data


@pytest.mark.parametrize("n", [1, 253, 254, 255, 300, 600])
@pytest.mark.parametrize("zeros", [False, True])
def test_a_packet_takes_as_many_bytes_as_it_says_and_no_more(n, zeros):
    data = bytes(k % 5 if zeros else 7 for k in range(n))
    target = bytearray(b"\xee" * 1000)
    size = cobs.stuff_into(data, n, target)
    assert reference.decode(bytes(target[1 : size - 1])) == data
    assert (target[0], target[size - 1], target[size]) == (0, 0, 0xEE)
    assert 0 not in target[1 : size - 1]


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=20), st.randoms(use_true_random=False))
def test_any_cut_of_the_stream_gives_the_same_packets(packets, rng):
    stream = b"".join(map(stuffed, packets))
    inbox = cobs.Unstuffer(128, 100)
    heard = []
    at = 0
    while at < len(stream):
        n = rng.randint(1, 100)
        inbox.put(stream[at : at + n])
        at += n
        packet = inbox.take()
        while packet is not None:
            heard.append(packet)
            packet = inbox.take()
    assert heard == packets
    assert (inbox.bad, inbox.dropped) == (0, 0)


@given(st.binary(max_size=300))
def test_any_bytes_unstuff_to_what_the_cobs_package_says_or_are_damaged(data):
    data = data.replace(b"\0", b"\1")
    buffer = bytearray(data)
    size = cobs.unstuff(buffer, len(buffer))
    try:
        wanted = reference.decode(data)
    except reference.DecodeError:
        assert size == -1
    else:
        assert bytes(buffer[:size]) == wanted


def test_noise_costs_only_the_packets_it_touches():
    rng = random.Random(2)
    inbox = cobs.Unstuffer(1024, 64)
    heard = 0
    for k in range(500):
        inbox.put(rng.randbytes(rng.randrange(100)).replace(b"\0", b"\1"))
        good = b"good %d" % k
        inbox.put(stuffed(good))
        packet = inbox.take()
        while packet is not None:
            heard += packet == good
            packet = inbox.take()
    assert heard == 500
    assert inbox.bad > 400


def test_what_does_not_fit_is_dropped_and_counted():
    inbox = cobs.Unstuffer(64, 32)
    inbox.put(b"\5" * 100)
    assert inbox.dropped == 37  # 63 fit: a full ring would look empty
    assert inbox.take() is None
    inbox.put(stuffed(b"next"))
    assert inbox.take() == b"next"
    assert inbox.bad == 1


def test_a_packet_of_nothing_is_a_bad_one():
    inbox = cobs.Unstuffer(64, 32)
    inbox.put(b"\1\0")
    assert inbox.take() is None
    assert inbox.bad == 1


def test_cleared_inbox_forgets_half_a_packet():
    inbox = cobs.Unstuffer(64, 32)
    inbox.put(b"\0\5ab")
    assert inbox.take() is None
    inbox.clear()
    inbox.put(stuffed(b"x"))
    assert inbox.take() == b"x"
    assert inbox.bad == 0

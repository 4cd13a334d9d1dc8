"""The simulated wearer as a source: paced, deterministic, with its acknowledgements."""

from __future__ import annotations

import asyncio

import pytest

from tiltwise.config.address import AddressError, open_source, parse_address
from tiltwise.decode.decoder import Decoder
from tiltwise.link.commands import CREDITS, Acknowledger
from tiltwise.link.source import Chunk
from tiltwise.live import sources
from tiltwise.sim.board.simulated_source import SimSource
from tiltwise.types import Mount

assert sources  # the import registers sim:


def opened(address: str) -> SimSource:
    source = open_source(address)
    assert isinstance(source, SimSource)
    return source


async def listen(source: SimSource, most: int, *, is_acknowledging: bool = True) -> list[Chunk]:
    """Return up to `most` chunks, acknowledging each at once."""
    decoder, acks, found = Decoder(), Acknowledger(), []
    async with source:
        async for chunk in source.chunks():
            found.append(chunk)
            decoder.feed(chunk.data)
            durable = decoder.acknowledgeable()
            if is_acknowledging and durable is not None:
                await source.send(acks.ack(*durable))
            if len(found) == most:
                break
    return found


def test_the_same_seed_gives_the_same_bytes() -> None:
    address = "sim:desk?minutes=2&seed=3&speed=0"
    one, other = (asyncio.run(listen(opened(address), 60)) for _ in range(2))
    assert one == other
    third = asyncio.run(listen(opened(address.replace("seed=3", "seed=4")), 60))
    assert [c.data for c in third] != [c.data for c in one]


@pytest.mark.parametrize("speed", [0.5, 1.0, 20.0])
def test_frames_come_at_their_pace(speed: float) -> None:
    now_s = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    source = opened("sim:desk?minutes=2")
    paced = SimSource(source.simulation, speed=speed, clock=lambda: now_s, sleep=sleep)
    last = asyncio.run(listen(paced, 60))[-1]
    assert now_s == pytest.approx(last.received_s / speed, abs=1e-6)


def test_without_acknowledgement_the_board_stops_after_its_credits() -> None:
    chunks = asyncio.run(listen(opened("sim:desk?minutes=2&speed=0"), 500, is_acknowledging=False))
    assert len(chunks) == CREDITS


def test_credits_beyond_the_newest_frame_keep_the_stream_going() -> None:
    async def deaf() -> int:
        source, acks, n = opened("sim:desk?minutes=2&speed=0"), Acknowledger(), 0
        async for _ in source.chunks():
            n += 1
            if n > 5:
                await source.send(acks.ack(1, 3, newest=n))
        return n

    assert asyncio.run(deaf()) > 2 * 60 * 5 * 0.95  # five frames a second for two minutes


def test_options_reach_the_wearer() -> None:
    source = opened("sim:slouch?minutes=4&mount=head&seed=2")
    assert source.mount is Mount.HEAD
    assert source.duration_s == pytest.approx(240)
    assert opened("sim:").mount is Mount.NECK


@pytest.mark.parametrize(
    "address", ["sim:nope", "sim:desk?minutes=0.2", "sim:desk?seed=-1", "sim:desk?mount=nose", "sim:desk?x=1"]
)
def test_what_cannot_be_simulated_is_told_with_an_example(address: str) -> None:
    with pytest.raises(AddressError) as caught:
        open_source(parse_address(address))
    assert "\n" not in str(caught.value)
    assert "expected" in str(caught.value) or "at least" in str(caught.value)


@pytest.mark.parametrize(
    ("address", "mount", "worn"),
    [
        ("sim:desk", Mount.COLLAR, "collar"),
        ("sim:desk?mount=head", Mount.COLLAR, "head"),
        ("sim:desk", None, None),
        ("ble:", Mount.COLLAR, None),
    ],
)
def test_a_simulated_wearer_has_the_sensor_where_the_command_says(address, mount, worn):
    assert sources.wearing(parse_address(address), mount).options.get("mount") == worn

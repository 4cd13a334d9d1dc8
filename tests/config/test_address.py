"""Addresses name sources, and a wrong one is told in one line."""

import pytest

from tiltwise.config import address as addresses
from tiltwise.config.address import Address, AddressError, open_source, parse_address
from tiltwise.recording.replay import ReplaySource


@pytest.mark.parametrize(
    ("text", "target", "options"),
    [
        ("replay:day.tw", "day.tw", {}),
        ("replay:day.tw?speed=8", "day.tw", {"speed": 8.0}),
        ("replay:day.tw?speed=max", "day.tw", {"speed": 0.0}),
        (r"replay:C:\data\day 1.npz?speed=0", r"C:\data\day 1.npz", {"speed": 0.0}),
        ("replay:what?.csv?speed=2", "what?.csv", {"speed": 2.0}),
    ],
)
def test_address_is_taken_apart(text, target, options):
    address = parse_address(text)
    assert (address.scheme, address.target, dict(address.options)) == ("replay", target, options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unknown address"),
        ("replay", "unknown address"),
        ("tcp:host", "unknown address"),
        ("day.tw", "replay:day.tw"),
        ("replay:", "names nothing"),
        ("replay:?speed=8", "names nothing"),
        ("replay:day.tw?sped=8", "unknown option 'sped'"),
        ("replay:day.tw?speed=fast", "option speed='fast'"),
        ("replay:day.tw?speed=-1", "option speed='-1'"),
        ("replay:day.tw?speed=nan", "option speed='nan'"),
        ("replay:day.tw?speed=inf", "option speed='inf'"),
        ("replay:day.tw?speed", "option speed=''"),
    ],
)
def test_wrong_addresses_are_told_in_one_line_with_an_example(text, message):
    with pytest.raises(AddressError, match=message) as caught:
        parse_address(text)
    assert "\n" not in str(caught.value)
    assert "replay:" in str(caught.value)


def test_other_rooms_bring_their_schemes(monkeypatch):
    monkeypatch.setattr(addresses, "_SCHEMES", dict(addresses._SCHEMES))
    opened = []
    options = {
        "minutes": addresses.number(0.1, 1440),
        "seed": addresses.whole_number(),
        "speed": addresses.speed,
    }
    addresses.register(
        "sim", lambda address: opened.append(address), options=options, example="sim:slouch?minutes=5"
    )
    open_source("sim:slouch?minutes=5&seed=1&speed=20")
    (address,) = opened
    assert dict(address.options) == {"minutes": 5.0, "seed": 1, "speed": 20.0}
    assert parse_address("sim:").target == ""
    for wrong in ("sim:slouch?minutes=0", "sim:slouch?seed=1.5", "sim:slouch?seed=-1"):
        with pytest.raises(AddressError, match="expected a"):
            parse_address(wrong)


def test_open_source_gives_a_replay_that_reads_nothing_yet():
    assert isinstance(open_source("replay:absent.tw"), ReplaySource)
    with pytest.raises(AddressError, match="unknown address scheme"):
        open_source(Address("tcp", "host"))

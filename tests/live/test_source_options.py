"""Every option of every scheme: what it takes, and a wrong value told in one line that says what was expected."""

import pytest

from tiltwise.config import address
from tiltwise.config.address import AddressError, parse_address
from tiltwise.live import sources

assert sources  # the import registers sim:, ble: and serial:

NOT_NUMBERS = ("", "fast", "nan", "inf", "-inf", "1e999", "8x", "0x8", "-1", "%38")
SPEED = "a factor such as 8, or max"
MINUTES = "a number from 0.1 to 1440"
SEED = "a whole number from 0 to 9223372036854775807"
RATE = "a number from 1 to 10000"
SWITCH = "a whole number from 0 to 1"
# address without options, option -> what it expects, (right text, value), wrong texts beside NOT_NUMBERS
OPTIONS = [
    ("replay:day.tw", "speed", SPEED, {"8": 8.0, "0": 0.0, "0.5": 0.5, "max": 0.0}, ("MAX", "8,5")),
    ("replay:day.csv", "rate", RATE, {"50": 50.0, "1": 1.0}, ("0", "10001", "50Hz")),
    ("sim:desk", "speed", SPEED, {"20": 20.0, "0": 0.0, "max": 0.0}, ("slow",)),
    ("sim:desk", "minutes", MINUTES, {"5": 5.0, "0.1": 0.1, "1440": 1440.0}, ("0", "0.09", "1441", "5min")),
    ("sim:desk", "seed", SEED, {"0": 0, "7": 7}, ("1.5", "1e3", "9" * 30, "9" * 5000)),
    ("sim:desk", "mount", "one of collar, neck, head", {"head": "head", "neck": "neck"}, ("0", "Neck", "hat")),
    ("sim:desk", "sensors", "1 or 2", {"1": 1, "2": 2}, ("0", "3", "1.0", "two")),
    ("sim:desk", "face", "any or out", {"any": "any", "out": "out"}, ("0", "+z", "Out")),
    ("ble:", "takeover", SWITCH, {"0": 0, "1": 1}, ("2", "0.5", "yes")),
    ("serial:", "takeover", SWITCH, {"0": 0, "1": 1}, ("2", "1.0", "true")),
]  # fmt: skip
TEXTS = {
    "replay": ["columns", "units"],
    "sim": ["manner"],
}  # any text: what is in it is judged with the file's columns
ids = [f"{address.partition(':')[0]}-{name}" for address, name, *_ in OPTIONS]


@pytest.mark.parametrize(("address", "name", "expected", "right", "wrong"), OPTIONS, ids=ids)
def test_an_option_takes_what_it_should_and_says_what_it_expects(address, name, expected, right, wrong):
    for text, value in right.items():
        assert dict(parse_address(f"{address}?{name}={text}").options) == {name: value}
    for text in (*NOT_NUMBERS, *wrong):
        with pytest.raises(AddressError) as caught:
            parse_address(f"{address}?{name}={text}")
        said = str(caught.value)
        scheme = address.partition(":")[0]
        assert said.startswith(f"option {name}={text!r} of {scheme}: expected {expected}, as in {scheme}:")
        assert "\n" not in said


@pytest.mark.parametrize(("address", "name", "expected", "right", "wrong"), OPTIONS, ids=ids)
def test_an_option_is_given_once(address, name, expected, right, wrong):
    text = next(iter(right))
    with pytest.raises(AddressError, match=f"option '{name}' .* more than once"):
        parse_address(f"{address}?{name}={text}&{name}={text}")


@pytest.mark.parametrize("address", ["replay:day.tw", "sim:desk", "ble:", "serial:"])
def test_an_unknown_option_is_told_with_the_known_ones(address):
    scheme = address.partition(":")[0]
    known = ", ".join(
        [name for at, name, *_ in OPTIONS if at.partition(":")[0] == scheme] + TEXTS.get(scheme, [])
    )
    for name in ("sped", "Speed", "speed ", "", "=", "\n"):
        with pytest.raises(AddressError) as caught:
            parse_address(f"{address}?{name}=1")
        told, listed = str(caught.value).split(" takes ")
        assert told.startswith("unknown option ")
        assert told.endswith(f": {scheme}:")
        assert sorted(listed.partition(";")[0].split(", ")) == sorted(known.split(", "))
        assert "\n" not in str(caught.value)


def test_the_table_has_every_option():

    known = {(name, option) for name, scheme in address._SCHEMES.items() for option in scheme.options}
    texts = {(scheme, name) for scheme, names in TEXTS.items() for name in names}
    assert known == {(at.partition(":")[0], name) for at, name, *_ in OPTIONS} | texts

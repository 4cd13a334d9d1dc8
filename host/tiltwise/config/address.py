"""Addresses of sources: `ble:NAME`, `serial:PORT`, `replay:FILE?speed=8`, `sim:desk?seed=1`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from tiltwise.link.source import Source

if TYPE_CHECKING:
    from tiltwise.recording.imu_file import ReadOptions

OptionValue = str | int | float
OptionParser = Callable[[str], OptionValue]


class AddressError(ValueError):
    """An address that names no source; the line says what was expected, what came and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address: scheme, what comes after the colon, and the options as values."""

    scheme: str
    target: str
    options: Mapping[str, OptionValue] = field(default_factory=lambda: MappingProxyType({}))


Factory = Callable[[Address], Source]


@dataclass(frozen=True, slots=True)
class _Scheme:
    """What is known of a scheme: how to open it, its options, and an example for messages."""

    factory: Factory
    options: Mapping[str, OptionParser]
    example: str
    needs_target: bool


def number(least: float = -math.inf, most: float = math.inf) -> OptionParser:
    """Return a parser for a number option within [least, most]."""

    bounds = "" if (least, most) == (-math.inf, math.inf) else f" from {least:g} to {most:g}"

    def parse(text: str) -> float:
        value = _float(text)
        if not (math.isfinite(value) and least <= value <= most):
            raise ValueError(f"a number{bounds}")
        return value

    return parse


def whole_number(least: int = 0, most: int = 2**63 - 1) -> OptionParser:
    """Return a parser for a whole number option within [least, most]."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return parse


def speed(text: str) -> float:
    """Parse a speed: a factor above 0, or 0 or `max` for as fast as possible, which is 0.0."""
    value = 0.0 if text == "max" else _float(text)
    if not 0 <= value < math.inf:
        raise ValueError("a factor such as 8, or max")
    return value


def _float(text: str) -> float:
    """NaN for what is no number: no range holds it."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def register(
    scheme: str,
    factory: Factory,
    *,
    options: Mapping[str, OptionParser] | None = None,
    example: str = "",
    needs_target: bool = False,
) -> None:
    """Make a scheme known, or replace it.

    Parameters
    ----------
    scheme, factory
        The word before the colon; what makes a source of an address with it.
    options
        Parser of each option; for a text that it does not take it raises ValueError with what was expected.
    example, needs_target
        An address to show in messages; whether something must follow the colon.
    """
    _SCHEMES[scheme] = _Scheme(factory, dict(options or {}), example or f"{scheme}:", needs_target)


def parse_address(text: str) -> Address:
    """Return the parts of an address.

    Raises
    ------
    AddressError
        For an unknown scheme or option, a missing target, an option given twice, or a value that it does not take.

    Examples
    --------
    >>> parse_address("replay:day.tw?speed=8").options["speed"]
    8.0
    """
    name, colon, rest = text.strip().partition(":")
    scheme = _SCHEMES.get(name)
    if scheme is None or not colon:
        hint = f" (a file? replay:{text})" if "." in text else ""
        raise AddressError(f"unknown address {text!r}{hint}: expected one such as {_examples()}")
    target, _, query = rest.rpartition("?") if "?" in rest else (rest, "", "")
    if scheme.needs_target and not target:
        raise AddressError(
            f"address {text!r} names nothing after the colon: expected one such as {scheme.example}"
        )
    pairs = [_option(pair, name, scheme) for pair in query.split("&") if pair]
    options = dict(pairs)
    if len(options) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise AddressError(f"option {twice!r} of {name}: was given more than once: expected it once")
    return Address(name, target, MappingProxyType(options))


def open_source(address: str | Address) -> Source:
    """Return the source of an address, not yet entered; AddressError when there is none."""
    if isinstance(address, str):
        address = parse_address(address)
    scheme = _SCHEMES.get(address.scheme)
    if scheme is None:
        raise AddressError(f"unknown address scheme {address.scheme!r}: expected one such as {_examples()}")
    return scheme.factory(address)


def _option(pair: str, name: str, scheme: _Scheme) -> tuple[str, OptionValue]:
    """Return name and value of `name=value`."""
    key, _, text = pair.partition("=")
    parser = scheme.options.get(key)
    if parser is None:
        known = ", ".join(scheme.options) or "none"
        raise AddressError(
            f"unknown option {key!r}: {name}: takes {known}; expected an address such as {scheme.example}"
        )
    try:
        return key, parser(text)
    except ValueError as error:
        raise AddressError(
            f"option {key}={text!r} of {name}: expected {error}, as in {scheme.example}"
        ) from None


def _examples() -> str:
    return ", ".join(scheme.example for scheme in _SCHEMES.values())


def _open_replay(address: Address) -> Source:
    from tiltwise.recording.replay import ReplaySource  # here: other addresses need no decoder

    options = replay_options(address)
    return ReplaySource(address.target, speed=float(address.options.get("speed", 1.0)), options=options)


def replay_options(address: Address) -> ReadOptions:
    """Return how the columns of a file that is played are to be read; AddressError when it cannot be meant."""
    from tiltwise.recording.imu_file import read_options

    words = {name: str(address.options.get(name, "")) for name in ("columns", "units")}
    rate = address.options.get("rate")
    try:
        return read_options(words["columns"], words["units"], None if rate is None else float(rate))
    except ValueError as error:
        raise AddressError(str(error)) from None


_SCHEMES: dict[str, _Scheme] = {}


register(
    "replay",
    _open_replay,
    options={"speed": speed, "columns": str, "units": str, "rate": number(1, 10_000)},
    example="replay:FILE?speed=8",
    needs_target=True,
)

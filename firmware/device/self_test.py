"""What a board can find out about its own parts when a host asks (SELFTEST); loaded only then.

Part number in, bytes of the answer out; None where the board has no such part. What people and motion are needed for
is up to the host: `tiltwise setup --selftest`.
"""

import struct

from tiltwise.common import wire

from .. import drivers

_FILE = "selftest"
_SIZE = 64
_UNKNOWN_KB = 0xFFFFFFFF


def run(board, samplers, part):
    """Look at one part, wire.SELFTEST_*; OSError when it fails, ValueError for a part that nobody knows."""
    if part == wire.SELFTEST_BUS:
        return bytes(board.bus.scan())
    if part == wire.SELFTEST_IDENTITY:
        return _unknown_part(board.bus).encode()
    if part == wire.SELFTEST_IMU:
        return _imu(samplers)
    if part == wire.SELFTEST_FLASH:
        return _flash(board)
    if part == wire.SELFTEST_RADIO:
        radio = board.radio
        return None if radio is None else struct.pack("<BH", 1 if radio.is_up else 0, radio.restarts)
    if part == wire.SELFTEST_BUTTON:
        return None if board.button is None else bytes((1 if board.button() else 0,))
    raise ValueError(part)


def _unknown_part(bus):
    """Say what is at the first address of an IMU that no driver knows."""
    for address in bus.scan():
        if address in drivers.DRIVERS:
            try:
                drivers.identify(bus, address)
            except drivers.UnknownPartError as problem:
                return str(problem)
    return ""


def _imu(samplers):
    """Let the first sensor test itself: accelerometer, gyroscope; 0 failed, 1 fine, 2 not known."""
    result = samplers[0].self_test() if samplers else None
    if result is None:
        raise OSError(5, "no sensor to test")
    return bytes([2 if is_fine is None else int(is_fine) for is_fine in result])


def _flash(board):
    """Write a small file, read it, delete it; return the free kilobytes."""
    data = bytes(range(_SIZE))
    try:
        board.files.replace(_FILE, data)
        if board.files.read(_FILE) != data:
            raise OSError(5, "flash does not keep what is written")
    finally:
        board.files.remove(_FILE)
    free_kb = board.files.free_kb()
    return struct.pack("<I", _UNKNOWN_KB if free_kb is None else free_kb)

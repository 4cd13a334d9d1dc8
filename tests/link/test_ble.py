"""What bleak raises, by class, with a line that says what to do; the radio itself is tested on the virtual air."""

from __future__ import annotations

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
)

from tiltwise.common import wire
from tiltwise.link.ble import SERVICE, explain
from tiltwise.link.transport import Trouble

Reason = BleakBluetoothNotAvailableReason


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (BleakBluetoothNotAvailableError("off", Reason.POWERED_OFF), Trouble.TURNED_OFF),
        (BleakBluetoothNotAvailableError("none", Reason.NO_BLUETOOTH), Trouble.MISSING),
        (BleakBluetoothNotAvailableError("no", Reason.DENIED_BY_USER), Trouble.DENIED),
        (BleakError("Bluetooth device is turned off"), Trouble.TURNED_OFF),
        (BleakDBusError("org.bluez.Error.NotReady", ["Resource Not Ready"]), Trouble.TURNED_OFF),
        (BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", ["no bluez"]), Trouble.MISSING),
        (BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["no"]), Trouble.DENIED),
        (FileNotFoundError(2, "No such file or directory"), Trouble.MISSING),
        (PermissionError(13, "Permission denied"), Trouble.DENIED),
        (BleakDBusError("org.bluez.Error.Failed", ["br-connection-canceled"]), Trouble.LOST),
        (BleakDBusError("org.bluez.Error.InProgress", ["Operation already in progress"]), Trouble.LOST),
        (BleakDeviceNotFoundError("AA", "Device with address AA was not found."), Trouble.LOST),
        (EOFError(), Trouble.LOST),
    ],
)
def test_each_error_has_its_class_and_one_line(error: Exception, trouble: Trouble) -> None:
    found = explain(error)
    assert found.trouble is trouble
    assert "\n" not in str(found)
    assert str(found)


def test_boards_are_looked_for_by_the_service_that_they_advertise() -> None:
    assert wire.uuid128(wire.UUID_SERVICE) == SERVICE

"""MicroPython's `bluetooth` as the Zephyr port has it: no MTU, no address mode, notifications that wait.

process.py puts it in the place of bluetooth.py, which it takes the rest from (bluetooth_base). Read in
ports/zephyr/modbluetooth_zephyr.c of MicroPython 1.29: errors of a notification come back as Zephyr's negative
numbers; a write is checked against its buffer before it is known where in it the bytes go.
"""

import _bench
import bluetooth_base
from bluetooth_base import *  # noqa: F403

_EOPNOTSUPP = 95
_EINVAL = 22
_CONNECTED, _MTU = 1, 21
_WAITED = -1  # the bench: no buffer was free, it is sent after a connection event
_WAIT_US = 30000
_MOST_SERVICES = 8


class BLE(bluetooth_base.BLE):
    """The one radio."""

    _is_advertising = False

    def config(self, *names, **values):
        """Refuse what this port cannot."""
        if "addr_mode" in values or "mtu" in values or "mtu" in names:
            raise OSError(_EOPNOTSUPP)
        return bluetooth_base.BLE.config(self, *names, **values)

    def gap_advertise(self, interval_us, adv_data=None, *, resp_data=None, connectable=True):
        """Advertise; this makes room for one connection."""
        bluetooth_base.BLE.gap_advertise(
            self, interval_us, adv_data, resp_data=resp_data, connectable=connectable
        )
        self._is_advertising = interval_us is not None

    def gatts_register_services(self, services):
        """Replace the table, at most eight services, while nothing is advertised."""
        if self._is_advertising or len(services) > _MOST_SERVICES:
            raise OSError(_EINVAL)
        return bluetooth_base.BLE.gatts_register_services(self, services)

    def active(self, active=None):
        """Switch the radio; off only stops advertising, the stack stays."""
        if active is False:
            self._is_advertising = False
        return bluetooth_base.BLE.active(self, active)

    def gatts_notify(self, conn_handle, handle, data=None):
        """Send a notification; without a free buffer this waits."""
        try:
            bluetooth_base.BLE.gatts_notify(self, conn_handle, handle, data)
        except OSError as problem:
            if problem.errno != _WAITED:
                raise OSError(-problem.errno) from None
            _bench.sleep_us(_WAIT_US)

    def _written(self, handle, data):
        """Keep what a central wrote; what is appended is copied without a look at the end of the buffer."""
        value = self._values.get(handle)
        if value is not None and value[2] and len(value[0]) + len(data) > value[1]:
            raise MemoryError("the port has written past its buffer of %d bytes" % value[1])
        bluetooth_base.BLE._written(self, handle, data)

    def _event(self, event, text):
        if event == _CONNECTED:
            self._is_advertising = False
        if event != _MTU:
            bluetooth_base.BLE._event(self, event, text)

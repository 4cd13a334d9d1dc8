"""MicroPython's `bluetooth` module over a bumble device: the peripheral part, with NimBLE's manners.

Events reach `irq` between two steps of the event loop, as memoryviews that are valid only there. Values of
characteristics hold 20 bytes unless gatts_set_buffer says more, and a slow link answers ENOMEM.
"""

import json

import _bench
import uctypes

FLAG_BROADCAST = 0x0001
FLAG_READ = 0x0002
FLAG_WRITE_NO_RESPONSE = 0x0004
FLAG_WRITE = 0x0008
FLAG_NOTIFY = 0x0010
FLAG_INDICATE = 0x0020
_IRQ_GATTS_WRITE = 3
_NOTIFY, _INDICATE = 16, 17
_ENODEV = 19
_DEFAULT_BUFFER = 20


class UUID:
    """A 16-bit number or a 128-bit text."""

    def __init__(self, value):
        self._text = "%04x" % value if isinstance(value, int) else value.lower()

    def __bytes__(self):
        data = bytearray(bytes.fromhex(self._text.replace("-", "")))
        for k in range(len(data) // 2):  # as on the air: the last byte first
            data[k], data[-1 - k] = data[-1 - k], data[k]
        return bytes(data)

    def __len__(self):
        return 2 if len(self._text) == 4 else 16

    def __iter__(self):
        return iter(self.__bytes__())

    def __eq__(self, other):
        return self._text == other._text

    def __hash__(self):
        return hash(self._text)

    def __repr__(self):
        return "UUID('%s')" % self._text


def _ask(what, **more):
    more["ble"] = what
    answer = json.loads(_bench.ask(json.dumps(more)))
    if isinstance(answer, dict) and "errno" in answer:
        raise OSError(answer["errno"])
    return answer


def _text(data):
    return None if data is None else bytes(data).hex()


class BLE:
    """There is one radio: every BLE() is the same object."""

    _one = None

    def __new__(cls):
        if cls._one is None:
            cls._one = super().__new__(cls)
            cls._one._begin()
        return cls._one

    def _begin(self):
        self._is_active = False
        self._handler = None
        self._values = {}  # handle -> [bytearray, most bytes, whether writes are appended]
        _bench.on_event(self._event)

    def active(self, active=None):
        """Switch the radio, or tell whether it is on."""
        if active is not None:
            _ask("active", on=bool(active))
            self._is_active = bool(active)
            if not active:
                self._values = {}
        return self._is_active

    def config(self, *names, **values):
        """Get one setting or set some."""
        self._need_active(names or any(name != "addr_mode" for name in values))
        if not names:
            return _ask("config", values=values) and None
        value = _ask("get_config", name=names[0])
        return (value[0], bytes.fromhex(value[1])) if names[0] == "mac" else value

    def irq(self, handler):
        """Set who is told of events."""
        self._handler = handler

    def _need_active(self, needed=True):
        if needed and not self._is_active:
            raise OSError(_ENODEV)

    # ---- gap ----

    def gap_advertise(self, interval_us, adv_data=None, *, resp_data=None, connectable=True):
        """Advertise, or stop with None."""
        self._need_active()
        _ask("advertise", interval_us=interval_us, data=_text(adv_data), more=_text(resp_data))

    def gap_disconnect(self, conn_handle):
        """End a connection; False when there is none."""
        self._need_active()
        return _ask("disconnect", connection=conn_handle)

    # ---- gatt server ----

    def gatts_register_services(self, services):
        """Replace the table; return the value handles."""
        self._need_active()
        table = []
        for service_uuid, characteristics in services:
            rows = [[item[0]._text, item[1]] for item in characteristics]
            table.append([service_uuid._text, rows])
        handles = _ask("services", table=table)
        self._values = {h: [bytearray(), _DEFAULT_BUFFER, False] for row in handles for h in row}
        return tuple(tuple(row) for row in handles)

    def gatts_set_buffer(self, handle, length, append=False):
        """Set how much a value may hold."""
        self._values[handle][1] = length
        self._values[handle][2] = append

    def gatts_read(self, handle):
        """Return a value; one that is appended to is empty afterwards."""
        value = self._values[handle]
        data = bytes(value[0])
        if value[2]:
            value[0] = bytearray()
        return data

    def gatts_write(self, handle, data, send_update=False):
        """Set what a central reads."""
        value = self._values[handle]
        value[0] = bytearray(data)
        value[1] = max(value[1], len(data))
        _ask("value", handle=handle, data=_text(data), update=bool(send_update))

    def gatts_notify(self, conn_handle, handle, data=None):
        """Send a notification now."""
        self._send(_NOTIFY, conn_handle, handle, data)

    def gatts_indicate(self, conn_handle, handle, data=None):
        """Send an indication now."""
        self._send(_INDICATE, conn_handle, handle, data)

    def _send(self, kind, conn_handle, handle, data):
        self._need_active()
        data = self._values[handle][0] if data is None else data
        errno = _bench.call(kind, conn_handle, handle, uctypes.addressof(data), len(data))
        if errno:
            raise OSError(errno)

    # ---- events ----

    def _event(self, event, text):
        items = json.loads(text)
        if event == _IRQ_GATTS_WRITE:
            self._written(items[1], bytes.fromhex(items.pop()))
        if self._handler is not None:
            self._handler(
                event, tuple(memoryview(bytes.fromhex(x)) if isinstance(x, str) else x for x in items)
            )

    def _written(self, handle, data):
        value = self._values.get(handle)
        if value is None:  # a descriptor, or none at all: not every stack keeps that to itself
            return
        value[0] = (value[0] + data if value[2] else bytearray(data))[: value[1]]

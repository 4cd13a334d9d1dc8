"""MicroPython's `bluetooth` module under CPython: a bumble device does what firmware/comms/ble_radio.py asks for.

It has the limits of the real one: values are cut at their buffer's size, event data is valid only inside the
interrupt, a full radio answers ENOMEM, and nothing works before `active(True)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tiltwise_lab.radio.bumble_requests import NIMBLE, BluetoothModule, Stack
from tiltwise_lab.radio.gatt_values import Uuid, Value
from tiltwise_lab.radio.virtual_radio import RadioLink

_WRITTEN = 3  # event
_ENODEV = 19

Handler = Callable[[int, tuple[Any, ...]], None]


class BumbleBluetooth:
    """The module and its one BLE object.

    Parameters
    ----------
    link : the air
    seed : of the address
    before_event : called before the interrupt: the board's clock has to be right inside it
    """

    FLAG_READ, FLAG_WRITE_NO_RESPONSE, FLAG_WRITE, FLAG_NOTIFY, FLAG_INDICATE = 0x02, 0x04, 0x08, 0x10, 0x20
    UUID = Uuid

    def __init__(
        self, link: RadioLink, seed: int, before_event: Callable[[], None], stack: Stack = NIMBLE
    ) -> None:
        self.radio = BluetoothModule(link, seed, stack)
        self.radio.wake = self._events
        self._before_event = before_event
        self._is_active = False
        self._handler: Handler | None = None
        self._values: dict[int, Value] = {}

    def BLE(self) -> BumbleBluetooth:  # noqa: N802
        """There is one radio."""
        return self

    def vanish(self) -> None:
        """Lose power: nobody is told."""
        self._handler = None
        self.radio.vanish()

    async def close(self) -> None:
        """End what still runs."""
        await self.radio.close()

    # ---- what the firmware calls ----

    def active(self, on: bool | None = None) -> bool:
        """Switch the radio, or tell whether it is on."""
        if on is not None and on != self._is_active:
            self._ask("active", on=on)
            self._is_active = on
        return self._is_active

    def config(self, **values: Any) -> None:
        """Set some settings."""
        self._needs_active(any(name != "addr_mode" for name in values))
        self._ask("config", values=values)

    def irq(self, handler: Handler) -> None:
        """Set who is told of events."""
        self._handler = handler

    def gap_advertise(
        self,
        interval_us: int | None,
        adv_data: bytes | None = None,
        *,
        resp_data: bytes | None = None,
        connectable: bool = True,
    ) -> None:
        """Advertise, or stop with None."""
        self._needs_active()
        if not connectable:
            raise ValueError("this radio only advertises that it can be connected to")
        self._ask("advertise", interval_us=interval_us, data=_hex(adv_data), more=_hex(resp_data))

    def gap_disconnect(self, connection: int) -> bool:
        """End a connection; False when there is none."""
        self._needs_active()
        return bool(self._ask("disconnect", connection=connection))

    def gatts_register_services(
        self, services: Iterable[tuple[Uuid, Sequence[tuple[Uuid, int]]]]
    ) -> tuple[tuple[int, ...], ...]:
        """Replace the table; return the handles of the values."""
        self._needs_active()
        table = [[service.text, [[uuid.text, flags] for uuid, flags in rows]] for service, rows in services]
        handles = self._ask("services", table=table)
        self._values = {handle: Value() for row in handles for handle in row}
        return tuple(tuple(row) for row in handles)

    def gatts_set_buffer(self, handle: int, n: int, append: bool = False) -> None:
        """Set how much a value may hold, and whether writes are appended."""
        self._values[handle].room, self._values[handle].appends = n, append

    def gatts_read(self, handle: int) -> bytes:
        """Return a value; one that is appended to is empty afterwards."""
        return self._values[handle].read()

    def gatts_write(self, handle: int, data: bytes, send_update: bool = False) -> None:
        """Set what a central reads."""
        self._needs_active()
        value = self._values[handle]
        value.data = bytes(data)
        value.room = max(value.room, len(data))
        self._ask("value", handle=handle, data=_hex(data), update=send_update)

    def gatts_notify(self, connection: int, handle: int, data: bytes | bytearray | memoryview) -> None:
        """Send a notification now; OSError with ENOMEM when the radio holds too many."""
        self._needs_active()
        errno, _ = self.radio.send(connection, handle, bytes(data))
        if errno:
            raise OSError(errno, "notification not taken")

    def _needs_active(self, is_needed: bool = True) -> None:
        if is_needed and not self._is_active:
            raise OSError(_ENODEV, "the radio is off")

    def _ask(self, what: str, **more: Any) -> Any:
        answer = self.radio.answer({"ble": what} | more)
        if isinstance(answer, dict):
            raise OSError(answer["errno"], what)
        return answer

    # ---- interrupt ----

    def _events(self) -> None:
        while self.radio.events:
            event, items = self.radio.events.popleft()
            if event == _WRITTEN:
                self._written(items[1], bytes.fromhex(items.pop()))
            if self._handler is not None:
                self._before_event()
                try:
                    self._emit(self._handler, event, items)
                except Exception:
                    self._handler = None  # as MicroPython: it is never called again
                    raise

    def _emit(self, handler: Handler, event: int, items: list[Any]) -> None:
        views = [memoryview(bytes.fromhex(item)) if isinstance(item, str) else item for item in items]
        handler(event, tuple(views))
        for view in views:
            if isinstance(view, memoryview):
                view.release()

    def _written(self, handle: int, data: bytes) -> None:
        value = self._values.get(handle)
        if value is not None:
            value.write(data)


def _hex(data: bytes | bytearray | None) -> str | None:
    return None if data is None else bytes(data).hex()

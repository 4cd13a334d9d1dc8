"""MicroPython's `machine` on the bench: I2C to a register-level sensor, pins, motor, battery, watchdog, reset.

Everything that changes outside is told to the bench; what is read is asked from it.
"""

import asyncio
import json

import _bench
import uctypes

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
PIN_WAKE, EXT0_WAKE, EXT1_WAKE = 2, 2, 3
IDLE, SLEEP, DEEPSLEEP = 1, 2, 4
_READ, _WRITE = 1, 2


def _ask(what, **more):
    more["machine"] = what
    return json.loads(_bench.ask(json.dumps(more)))


def reset_cause():
    """Return why the board started."""
    return _ask("reset_cause")


def wake_reason():
    """Return what ended the deep sleep."""
    return _ask("wake_reason")


def unique_id():
    """Return the number of the chip."""
    return bytes.fromhex(_ask("unique_id"))


def freq(hz=None):
    """Take note of a clock frequency."""
    return _ask("freq", hz=hz)


def reset():
    """Restart; the bench starts a new VM with the same flash."""
    _ask("reset")
    raise SystemExit


soft_reset = reset


def deepsleep(ms=0):
    """Switch off until a timer or a pin."""
    _ask("deepsleep", ms=ms)
    raise SystemExit


def lightsleep(ms=0):
    """Sleep with everything kept."""
    _bench.sleep_us(ms * 1000)


class Pin:
    """One pin; inputs are read from the bench."""

    IN, OUT, OPEN_DRAIN = 0, 1, 2
    PULL_UP, PULL_DOWN = 1, 2
    IRQ_RISING, IRQ_FALLING, WAKE_LOW, WAKE_HIGH = 1, 2, 4, 5

    def __init__(self, id, mode=-1, pull=-1, value=None):
        self.id = id
        self.init(mode, pull, value)

    def init(self, mode=-1, pull=-1, value=None):
        """Set the direction."""
        self.mode = mode
        if value is not None:
            self.value(value)

    def value(self, value=None):
        """Read or set the level."""
        if value is None:
            return _ask("pin", pin=self.id)
        _ask("set_pin", pin=self.id, value=int(value))
        return None

    def __call__(self, value=None):
        return self.value(value)

    def on(self):
        """Set it high."""
        self.value(1)

    def off(self):
        """Set it low."""
        self.value(0)

    def irq(self, handler=None, trigger=0, wake=None, hard=False):
        """Interrupts are not delivered: the firmware is expected to poll as well."""


class I2C:
    """A bus; a device that does not answer is an OSError with the errno of an ESP32."""

    def __init__(self, id=0, *, scl=None, sda=None, freq=400000, timeout=50000):
        self.id = id

    def readfrom_mem_into(self, address, register, buffer, *, addrsize=8):
        """Fill the buffer from a register on."""
        errno = _bench.call(_READ, address, register, uctypes.addressof(buffer), len(buffer))
        if errno:
            raise OSError(errno)

    def readfrom_mem(self, address, register, n, *, addrsize=8):
        """Return n bytes from a register on."""
        buffer = bytearray(n)
        self.readfrom_mem_into(address, register, buffer)
        return bytes(buffer)

    def writeto_mem(self, address, register, data, *, addrsize=8):
        """Write the bytes from a register on."""
        errno = _bench.call(_WRITE, address, register, uctypes.addressof(data), len(data))
        if errno:
            raise OSError(errno)

    def scan(self):
        """Return who answers."""
        return _ask("scan")


SoftI2C = I2C


class ADC:
    """A voltage, as the bench says."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3

    def __init__(self, pin, atten=0):
        self._pin = pin.id if isinstance(pin, Pin) else pin

    def atten(self, atten):
        """Take any range."""

    def read_uv(self):
        """Return microvolts."""
        return _ask("adc_uv", pin=self._pin)

    def read_u16(self):
        """Return the reading of a 3.3 V range."""
        return min(self.read_uv() * 65535 // 3300000, 65535)


class PWM:
    """A motor or LED; the bench notes what it is told."""

    def __init__(self, pin, freq=1000, duty_u16=0):
        self._pin = pin.id
        self._freq = freq
        self.duty_u16(duty_u16)

    def freq(self, freq=None):
        """Set or return the frequency."""
        if freq is None:
            return self._freq
        self._freq = freq
        return None

    def duty_u16(self, duty=None):
        """Set or return the share of time on."""
        if duty is None:
            return self._duty
        self._duty = duty
        _ask("pwm", pin=self._pin, duty=duty)
        return None

    def deinit(self):
        """Switch off."""
        self.duty_u16(0)


class Timer:
    """Runs a function later, between two steps of the event loop."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=0, **options):
        self._task = None
        if options:
            self.init(**options)

    def init(self, *, mode=1, period=1000, callback=None, freq=None):
        """Start."""
        self.deinit()
        self._task = asyncio.create_task(self._run(mode, period, callback))

    async def _run(self, mode, period, callback):
        await asyncio.sleep_ms(period)
        while mode == Timer.PERIODIC:
            callback(self)
            await asyncio.sleep_ms(period)
        callback(self)

    def deinit(self):
        """Stop."""
        if self._task is not None:
            self._task.cancel()
        self._task = None


class WDT:
    """A watchdog; the bench looks whether it is fed in time."""

    def __init__(self, id=0, timeout=5000):
        _ask("wdt", timeout_ms=timeout)

    def feed(self):
        """Say that all is well."""
        _ask("feed")

"""MicroPython's `machine` as the Zephyr port has it: other names for pins and buses, and much that is not there.

process.py puts it in the place of machine.py, which it takes what is the same from (machine_base). What it refuses is
what ports/zephyr of MicroPython 1.29 refuses; zephyr_image.IS_OURS: the image was built with firmware/zephyr/.
"""

import _bench
import machine_base
import uctypes
from zephyr_image import IS_OURS

_READ, _WRITE = 1, 2
_EIO = 5
_BUSES = ("i2c0", "i2c1")
_PORTS = ("gpio0", "gpio1")
_PWM = ("pwm0", "pwm1") if IS_OURS else ("pwm0",)  # pwm0 is the board's own, at its LED
_ANALOG = (0, 1, 4, 5, 7)  # boards/xiao_ble_nrf52840_sense.overlay

reset = machine_base.reset


def reset_cause():
    """Return what this port returns."""
    print("Warning: mp_machine_reset_cause is not implemented")
    return 42


def _name(id, devices, what):
    if not isinstance(id, tuple):
        raise ValueError("%s id must be tuple" % what)
    if id[0] not in devices:
        raise ValueError("device not found")
    return "%s.%d" % id


class Pin(machine_base.Pin):
    """One pin: (port, number)."""

    INOUT = 3

    def __init__(self, id, mode=-1, pull=None, *, value=None):
        machine_base.Pin.__init__(self, _name(id, _PORTS, "Pin"), mode, pull, value)

    def irq(self, handler=None, trigger=0, hard=False):
        """Interrupts are not delivered; no pin wakes the chip."""


class I2C:
    """A bus by the name of its device; every error is EIO."""

    def __init__(self, id, **options):
        if id not in _BUSES:
            raise ValueError("device not found")
        for name in options:
            raise NotImplementedError("explicit choice of %s is not implemented" % name)

    def readfrom_mem_into(self, address, register, buffer):
        """Fill the buffer from a register on."""
        if _bench.call(_READ, address, register, uctypes.addressof(buffer), len(buffer)):
            raise OSError(_EIO)

    def writeto_mem(self, address, register, data):
        """Write the bytes from a register on."""
        if _bench.call(_WRITE, address, register, uctypes.addressof(data), len(data)):
            raise OSError(_EIO)

    def scan(self):
        """Return who answers."""
        return machine_base._ask("scan")


class ADC(machine_base.ADC):
    """A channel of the devicetree: (device, channel)."""

    def __init__(self, id):
        name = _name(id, ("adc",), "ADC")
        if id[1] not in _ANALOG:
            raise ValueError("ADC channel (adc, %d) not found" % id[1])
        machine_base.ADC.__init__(self, name)


class PWM:
    """A channel of a PWM device, which the devicetree leads to a pin: (device, channel)."""

    def __init__(self, id, freq=-1, duty_u16=-1, duty_ns=-1):
        self._name = _name(id, _PWM, "PWM")
        if freq < 0 or (duty_u16 < 0 and duty_ns < 0):
            raise ValueError("Frequency and duty values must be set")
        self._period_ns = 1000000000 // freq
        if duty_ns >= 0:
            self.duty_ns(duty_ns)
        else:
            self.duty_u16(duty_u16)

    def duty_ns(self, duty):
        """Be on for so many nanoseconds of a period; the bench is told the share."""
        duty = min(duty, self._period_ns)
        machine_base._ask("pwm", pin=self._name, duty=duty * 65535 // self._period_ns)

    def duty_u16(self, duty):
        """Be on for this share of the time, with the overflow of machine_pwm.c."""
        self.duty_ns((duty * self._period_ns & 0xFFFFFFFF) // 65535)


class Timer(machine_base.Timer):
    """A virtual timer; starting one that runs would damage the kernel's list of timers."""

    def __init__(self, id=-1, **options):
        if id != -1:
            raise ValueError("only virtual timers are supported")
        machine_base.Timer.__init__(self, id, **options)

    def init(self, **options):
        """Start; deinit comes first."""
        if self._task is not None and not self._task.done():
            raise RuntimeError("k_timer_init of a timer that runs")
        machine_base.Timer.init(self, **options)


if IS_OURS:
    WDT = machine_base.WDT

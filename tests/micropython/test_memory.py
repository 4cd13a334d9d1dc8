"""What the firmware allocates in the VM: nothing on the way from the FIFO to the link, and nothing that stays."""

import pytest

from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise_lab.vm.compiled import compiled_firmware
from tiltwise_lab.vm.nodding_motion import NoddingMotion
from tiltwise_lab.vm.process import Vm
from tiltwise_lab.vm.vm_board import VmBoard


class Bench:
    """A compiled firmware with a small ring, started."""

    def __init__(self, **options):
        part = Lsm6dsox(seed=1)
        self.tell = NoddingMotion(part)
        self.tell(2.0)
        self.board = VmBoard([part], files=compiled_firmware(), ring_frames=64, minute_frames=30, **options)
        self.vm = self.board.vm


@pytest.fixture
def bench():
    made = Bench(auto_ack=False)
    made.tell(120.0)
    made.vm.run("import time, probe\nfor _ in range(100):\n    time.sleep_ms(20)\n    app.step()")
    yield made
    made.board.close()


def test_driver_ring_framing_and_sending_allocate_nothing(bench):
    found = bench.vm.value("probe.memory(app)")
    for name, (n_bytes, is_free, unit) in sorted(found.items()):
        print(f"{name:16} {n_bytes:6.1f} bytes a {unit}{', none under heap_lock' if is_free else ''}")
    for name in ("driver", "timebase", "framing RAW", "ring", "link"):
        assert found[name][1], f"{name} allocates {found[name][0]:.1f} bytes"
    assert found["checksum"][0] <= 48  # a view, and an integer of 32 bits
    assert (
        1000 < found["encryption and tag"][0] <= 1400
    )  # five blocks of 192, and a tag of 400: hashlib's objects
    assert found["STATUS"][0] <= 80  # three floats of the bias, and its number; one in five seconds
    assert found["tag"][0] <= 400  # two hash objects and their results, and a view


def test_heap_lock_finds_what_does_allocate(bench):
    """The measure itself: a function that makes a float is found out."""
    assert bench.vm.value("probe.is_free(lambda: 1.5 * len(app.samplers), 5)") is False
    assert bench.vm.value("probe.allocated(lambda: 1.5 * len(app.samplers), 100)") == 16


def test_a_watched_heap_tells_what_stays_and_what_one_step_adds():
    with Vm({}, watches_heap=True) as vm:
        vm.run("kept = bytearray(60000)")
        vm.heap_peaks()
        for _ in range(3):  # garbage of one step is gone before the next
            vm.run("bytearray(30000)")
        live, step = vm.heap_peaks()
        assert 60_000 < live < 85_000
        assert 30_000 <= step < 35_000
        vm.run("del kept")
        vm.heap_peaks()
        vm.run("pass")
        assert vm.heap_peaks()[0] < 30_000


def test_heap_stays_flat_over_streaming_and_disconnects():
    """Ten virtual minutes, six hosts that leave; `tiltwise bench firmware` runs eight hours."""
    made = Bench()
    board = made.board
    try:
        board.run_firmware()
        heap = []
        for minute in range(1, 11):
            made.tell(60.0 * minute + 1)
            if minute in (3, 4, 5, 7, 8, 9):
                board.reconnect()
            frames = board.step(60.0 * minute)
            assert sum(unpack_header(f)[0] == wire.ORIENT for f in frames) > 280
            heap.append(made.vm.heap_in_use())
    finally:
        board.close()
    print("heap in use, bytes:", heap)
    # The first minutes fill what is made once (ring slots are; the minute's sums and one session are not).
    assert max(heap[4:]) - min(heap[4:]) <= 1024

"""Runs inside the guest: carries HCI packets between a virtio port and /dev/vhci, which makes them an adapter.

The kernel takes one whole packet in each write to /dev/vhci, and the port is a mere stream: it is cut here.
"""

import os
import select
import sys
import time
from pathlib import Path

PORT = "hci"
CREATE = b"\xff\x00"  # a primary controller
COMMAND, ACL, EVENT, CONTROL = 1, 2, 4, 0xFF
PATIENCE_S = 20.0


def port_device():
    """Return the device of the port with our name."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        for name in Path("/sys/class/virtio-ports").glob("*/name"):
            if name.read_text().strip() == PORT:
                return f"/dev/{name.parent.name}"
        time.sleep(0.05)
    sys.exit(f"no virtio port named {PORT}")


def packet_size(data):
    """Return the size of the H4 packet that the data begin with, None when that is not known yet."""
    kind = data[0]
    if kind == EVENT:
        return 3 + data[2] if len(data) > 2 else None
    if kind == ACL:
        return 5 + int.from_bytes(data[3:5], "little") if len(data) > 4 else None
    sys.exit(f"H4 packet of type {kind} from the controller, expected {EVENT} or {ACL}")


def main():
    """Carry packets until the guest is switched off."""
    port = os.open(port_device(), os.O_RDWR)
    adapter = os.open("/dev/vhci", os.O_RDWR)
    os.write(adapter, CREATE)
    came = b""
    while True:
        ready, _, _ = select.select([port, adapter], [], [])
        if adapter in ready:
            packet = os.read(adapter, 4096)
            if packet[0] != CONTROL:  # the answer to CREATE
                os.write(port, packet)
        if port in ready:
            came += os.read(port, 65536)
            while came and (size := packet_size(came)) is not None and len(came) >= size:
                os.write(adapter, came[:size])
                came = came[size:]


if __name__ == "__main__":
    main()

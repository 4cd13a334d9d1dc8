"""`tiltwise` with a note of each acknowledgement: `python watch_noting_acks.py NOTES ARGUMENTS...`, to be killed.

A line `boot seq` is in the file NOTES before the board sees the acknowledgement, and survives kill -9.
"""

import os
import struct
import sys

from tiltwise.app import cli
from tiltwise.common import wire
from tiltwise.sim.board.simulated_source import SimSource


def main(notes: str) -> None:
    """Run the command line with every ACK written down."""
    file = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    send = SimSource.send

    async def noting(self: SimSource, command: bytes, /) -> None:
        _, opcode, _, payload = wire.open_command(command)
        if opcode == wire.OP_ACK:
            boot, seq, _ = struct.unpack("<HIH", payload)
            os.write(file, b"%d %d\n" % (boot, seq))
        await send(self, command)

    SimSource.send = noting  # type: ignore[method-assign]
    cli.main()


if __name__ == "__main__":
    main(sys.argv.pop(1))

"""What `make hardware` does with CAD, in one process, so that the solids and their meshes are made once.

Files for printers and pictures, the geometry tests, and the numbers, in this order.
"""

from __future__ import annotations

import sys

import pytest

from hardware.case.build import write_pictures, write_solids
from hardware.report import report

TESTS = "tests/hardware/case"


def main() -> int:
    """Return 0 when the geometry tests pass; without them there are no numbers."""
    write_solids()
    write_pictures([])
    print("geometry tests ...", flush=True)
    status = pytest.main(
        ["-q", "-c", "hardware/pytest.ini", "--rootdir=.", "--confcutdir=tests/hardware", TESTS]
    )
    if status == 0:
        print(report())
    return int(status)


if __name__ == "__main__":
    sys.exit(main())

"""Code that runs on the board and on the host: the common subset of CPython and MicroPython."""

"""The firmware in the official MicroPython VM, on a virtual clock."""

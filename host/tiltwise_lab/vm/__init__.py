"""The official MicroPython as a process: the firmware on the interpreter of a board."""

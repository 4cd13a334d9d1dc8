"""The firmware in the MicroPython VM in, its memory, time and resistance to strangers out."""

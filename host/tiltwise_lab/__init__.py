"""Measures tiltwise: benches, a virtual radio and the MicroPython VM. In a clone and the sdist, not in the wheel."""

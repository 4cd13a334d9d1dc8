"""Bytes of a board in, samples and messages out: frames in order, on one time axis, in SI units. Pure."""

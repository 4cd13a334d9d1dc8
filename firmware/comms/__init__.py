"""Frames in, bytes on a link out; bytes of a host in, answers and settings out: frame store, sessions, BLE and USB."""

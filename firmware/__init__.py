"""Firmware of the tiltwise sensor; on the board this package lies in /lib/firmware."""

"""Started by MicroPython after boot; lies in / on the board."""

from firmware.app import run
from firmware.board import Board

run(Board())

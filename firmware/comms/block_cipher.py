"""The block cipher of the board, where its MicroPython has one; what it does here is written in common/cipher.py.

Before it: MicroPython's build (ESP32: yes, stock Pico W: no). After it: desk.py, which announces it by a feature
bit.
"""

try:
    from cryptolib import aes
except ImportError:
    aes = None

"""The block cipher of the board, where its MicroPython has one; what it does here is written in common/cipher.py."""

try:
    from cryptolib import aes
except ImportError:
    aes = None

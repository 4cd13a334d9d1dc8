"""The host's block cipher for sessions whose payload is encrypted, where the `cryptography` package is installed.

It stands in for MicroPython's `cryptolib.aes` in ECB mode; what is done with it is written in common/cipher.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ECB = 1
Aes = Callable[[bytes, int], Any]


def load_aes() -> Aes | None:
    """Return the block cipher, None where the package is missing (`pip install "tiltwise[privacy]"`)."""
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        return None

    class Block:
        """AES in ECB mode, as `cryptolib.aes(key, 1)`."""

        def __init__(self, key: bytes, mode: int) -> None:
            if mode != ECB:
                raise ValueError(f"mode is {mode}, expected {ECB} (ECB): only that is in every MicroPython")
            self._encryptor = Cipher(algorithms.AES(bytes(key)), modes.ECB()).encryptor()

        def encrypt(self, data: bytes, out: bytearray) -> bytearray:
            """Encrypt whole blocks of 16 bytes into `out`, and return it."""
            out[:] = self._encryptor.update(bytes(data))
            return out

    return Block

"""MicroPython's `cryptolib.aes` in ECB mode, made of the `cryptography` package."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


class Aes:
    def __init__(self, key, mode):
        assert mode == 1, "only ECB is in every build"
        self._encryptor = Cipher(algorithms.AES(bytes(key)), modes.ECB()).encryptor()

    def encrypt(self, data, out):
        assert len(data) % 16 == 0
        out[:] = self._encryptor.update(bytes(data))
        return out

"""Keys of sensors: kept whole or not at all, readable by their owner only, in the keyring when there is one."""

import json
import os
import stat

import pytest

from tiltwise.config import atomic_file
from tiltwise.config.sensor_keys import KeyStore, KeyStoreError, system_keyring
from tiltwise.link.board_identity import KeyedBoard

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


class FakeRing:
    def __init__(self, is_locked=False):
        self.secrets = {}
        self.is_locked = is_locked

    def get_password(self, service_name, username):
        if self.is_locked:
            raise RuntimeError("keyring is locked")
        return self.secrets.get((service_name, username))

    def set_password(self, service_name, username, password):
        if self.is_locked:
            raise RuntimeError("keyring is locked")
        self.secrets[service_name, username] = password


def test_key_comes_back_and_another_sensor_has_none(tmp_path):
    store = KeyStore(tmp_path / "in" / "keys.json")
    assert store.save(KeyedBoard(b"\xaa", "my neck", KEY)) == str(tmp_path / "in" / "keys.json")
    store.save(KeyedBoard(b"\xbb", "second", OTHER))
    assert store.load(b"\xaa") == KeyedBoard(b"\xaa", "my neck", KEY)
    assert [known.device_id for known in store] == [b"\xaa", b"\xbb"]
    assert store.load(b"\xcc") is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes: the profile folder protects the file")
def test_file_is_for_its_owner_only(tmp_path):
    store = KeyStore(tmp_path / "keys.json")
    old = os.umask(0)
    try:
        store.save(KeyedBoard(b"\xaa", "my neck", KEY))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_keyring_takes_the_key_and_the_file_only_the_name(tmp_path):
    ring = FakeRing()
    store = KeyStore(tmp_path / "keys.json", ring)
    assert store.save(KeyedBoard(b"\xaa", "my neck", KEY)) == "the system's keyring"
    assert KEY.hex() not in (tmp_path / "keys.json").read_text()
    assert store.load(b"\xaa") == KeyedBoard(b"\xaa", "my neck", KEY)
    ring.secrets.clear()
    assert store.load(b"\xaa") is None


def test_locked_keyring_leaves_the_key_in_the_file(tmp_path):
    store = KeyStore(tmp_path / "keys.json", FakeRing(is_locked=True))
    assert store.save(KeyedBoard(b"\xaa", "my neck", KEY)) == str(tmp_path / "keys.json")
    assert store.load(b"\xaa") == KeyedBoard(b"\xaa", "my neck", KEY)


def test_a_keyring_that_was_locked_since_is_told(tmp_path):
    ring = FakeRing()
    store = KeyStore(tmp_path / "keys.json", ring)
    store.save(KeyedBoard(b"\xaa", "my neck", KEY))
    ring.is_locked = True
    with pytest.raises(KeyStoreError, match=r"key of aa back \(keyring is locked\): unlock it"):
        store.load(b"\xaa")


def test_a_second_setup_waits_until_the_first_has_kept_its_key(tmp_path, monkeypatch):
    """Both read the list of boards, add one and write it: the one that wrote first would be gone."""
    path = tmp_path / "keys.json"
    monkeypatch.setattr(atomic_file, "_PATIENCE_S", 0.0)

    class MeanwhileAnother(FakeRing):
        def set_password(self, *secret):
            with pytest.raises(OSError, match="cannot be locked"):
                KeyStore(path).save(KeyedBoard(b"\xbb", "hers", OTHER))
            super().set_password(*secret)

    KeyStore(path, MeanwhileAnother()).save(KeyedBoard(b"\xaa", "my neck", KEY))
    KeyStore(path).save(KeyedBoard(b"\xbb", "hers", OTHER))
    assert set(json.loads(path.read_text())) == {"aa", "bb"}


def test_failed_write_keeps_what_was_there(tmp_path, monkeypatch):
    store = KeyStore(tmp_path / "keys.json")
    store.save(KeyedBoard(b"\xaa", "my neck", KEY))

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.save(KeyedBoard(b"\xaa", "my neck", OTHER))
    assert store.load(b"\xaa") == KeyedBoard(b"\xaa", "my neck", KEY)
    assert {path.name for path in tmp_path.iterdir()} == {"keys.json", ".keys.json.lock"}


@pytest.mark.parametrize("text", ["{", "[]", '{"aa": 1}'])
def test_damaged_file_is_told_and_not_overwritten(tmp_path, text):
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(KeyStoreError, match="move it away"):
        KeyStore(path).save(KeyedBoard(b"\xaa", "my neck", KEY))
    assert path.read_text() == text


def test_damaged_key_names_the_sensor(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text('{"aa": {"name": "x", "key": "beef"}}')
    with pytest.raises(KeyStoreError, match="key of aa is damaged"):
        KeyStore(path).load(b"\xaa")


def test_id_that_is_none_is_told(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text('{"my board": {"name": "x", "key": "' + KEY.hex() + '"}}')
    with pytest.raises(KeyStoreError, match="'my board' is not the id of a board"):
        list(KeyStore(path))


def test_key_of_another_length_is_refused(tmp_path):
    with pytest.raises(KeyStoreError, match="16 bytes, expected 32"):
        KeyStore(tmp_path / "keys.json").save(KeyedBoard(b"\xaa", "x", bytes(16)))


def test_key_does_not_show_when_printed():
    assert KEY.hex() not in repr(KeyedBoard(b"\xaa", "x", KEY)) + str(KeyedBoard(b"\xaa", "x", KEY))


def test_without_the_package_there_is_no_keyring(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    assert system_keyring() is None

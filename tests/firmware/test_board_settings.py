"""Settings, key and small files: kept whole over power cuts, never trusted blindly."""

import contextlib
import importlib
import random

import pytest

from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.peripherals import Power, PowerCut, SimFiles

load_firmware()
settings = importlib.import_module("tiltwise_firmware.storage.board_settings")
keystore = importlib.import_module("tiltwise_firmware.storage.keystore")
files = importlib.import_module("tiltwise_firmware.storage.atomic_files")
Settings, KeyStore, Files = settings.Settings, keystore.KeyStore, files.Files

LAPTOP = b"laptop".ljust(12, b"\0")
KEY = bytes(range(32))
ROWS = [settings.TABLE[k : k + 4] for k in range(0, len(settings.TABLE), 4)]
DEFAULTS = {row[0]: row[1] for row in ROWS}


def values(store):
    return {key: store.get(key) for key in settings.KEYS}


def test_new_board_has_the_defaults_and_nothing_to_report():
    store = Settings(SimFiles())
    assert values(store) == DEFAULTS
    assert store.problem is None


def test_every_default_is_within_its_own_range():
    for key, value in DEFAULTS.items():
        assert settings.check(key, value) == value


def test_hosts_know_settings_by_place_and_range():
    """GETCFG and SETCFG name a setting by its place: another order or a narrower range breaks hosts in use."""
    assert [row[0] for row in ROWS if row[2] is None] == ["name", "mount", "power"]
    assert [row for row in ROWS if row[2] is not None] == [
        ("rule_deg", 20, 1, 90), ("rule_s", 60, 1, 3600), ("recovery_s", 3, 0, 60), ("motor_strength", 3, 0, 5),
        ("alone_after_s", 30, 5, 3600), ("alone", 1, 0, 1), ("rate", 1, 0, 1), ("sleep_after_s", 600, 60, 86_400),
        ("double_tap", 1, 0, 1), ("led", 1, 0, 1), *((f"neutral_{k}", 0, -32_767, 32_767) for k in "xyz"),
        ("imus", 1, 1, 2), ("imu_a", 0, 0, 127), ("imu_b", 0, 0, 127), ("hysteresis_deg", 5, 0, 30),
        ("min_gap_s", 120, 0, 86_400), *((f"forward_{k}", 0, -32_767, 32_767) for k in "xyz"),
        ("neutral_new", 0, 0, 1), ("by_dose", 1, 0, 1), ("first_quiet_s", 600, 0, 7200), ("most_a_day", 5, 0, 200),
        ("percent", 100, 0, 100), ("neutral_doubted", 0, 0, 1),
    ]  # fmt: skip
    assert [row[0] for row in ROWS].index("power") == 28


def test_what_is_set_is_there_after_a_reboot():
    disk = SimFiles()
    store = Settings(disk)
    store.set("rule_deg", 31)
    store.set("name", "neck = \u00e4 1")
    again = Settings(disk)
    assert (again.get("rule_deg"), again.get("name")) == (31, "neck = \u00e4 1")
    assert again.problem is None


@pytest.mark.parametrize("row", [row for row in ROWS if row[2] is not None], ids=lambda row: row[0])
def test_numbers_are_held_to_their_range(row):
    key, _, low, high = row
    disk = SimFiles()
    store = Settings(disk)
    for value in (low, high):
        store.set(key, value)
        assert store.get(key) == value
    before = dict(disk.files)
    for value in (low - 1, high + 1, "1", None, 1.0, True):
        with pytest.raises(ValueError, match=key):
            store.set(key, value)
    assert disk.files == before


@pytest.mark.parametrize("text", ["x" * 25, "\u00e4" * 13, "a\nb", "\0", 5])
def test_texts_are_short_and_printable(text):
    with pytest.raises(ValueError, match="name"):
        Settings(SimFiles()).set("name", text)


def test_unknown_key_is_refused_and_the_secret_is_not_a_setting():
    disk = SimFiles()
    KeyStore(disk).save([(LAPTOP, KEY)])
    store = Settings(disk)
    for key in ("key", "key.a", "secret", ""):
        with pytest.raises(KeyError):
            store.get(key)
        with pytest.raises(KeyError):
            store.set(key, 1)
    assert not any("key" in key for key in settings.KEYS)


def test_same_value_again_does_not_wear_the_flash():
    disk = SimFiles()
    store = Settings(disk)
    store.set("rule_deg", 40)
    writes = disk.writes
    store.set("rule_deg", 40)
    assert disk.writes == writes


def test_full_flash_changes_nothing_and_says_so():
    disk = SimFiles()
    store = Settings(disk)
    disk.is_full = True
    with pytest.raises(OSError, match="no space"):
        store.set("rule_deg", 40)
    assert store.get("rule_deg") == DEFAULTS["rule_deg"]


def test_power_cut_at_every_byte_leaves_the_old_settings_or_the_new():
    disk = SimFiles()
    Settings(disk).set("rule_deg", 33)
    size = len(disk.files[settings.FILE])
    seen = set()
    for cut in range(size + 2):
        power = Power(cut)
        copy = SimFiles(power)
        copy.files = dict(disk.files)
        with contextlib.suppress(PowerCut):
            Settings(copy).set("rule_deg", 44)
        power.left = None
        after = Settings(copy)
        assert after.problem is None
        seen.add(after.get("rule_deg"))
        after.set("rule_deg", 55)  # a torn file beside it does not hinder
        assert Settings(copy).get("rule_deg") == 55
    assert seen == {33, 44}


def test_any_single_damaged_byte_gives_defaults_and_a_report():
    disk = SimFiles()
    Settings(disk).set("rule_deg", 33)
    whole = disk.files[settings.FILE]
    for k in range(len(whole)):
        disk.files[settings.FILE] = whole[:k] + bytes([whole[k] ^ 0x10]) + whole[k + 1 :]
        store = Settings(disk)
        assert values(store) == DEFAULTS
        assert "damaged" in store.problem


def test_random_files_never_raise_and_never_give_values_out_of_range():
    rng = random.Random(3)
    words = [
        b"tiltwise 1",
        b"\n",
        b"=",
        b"rule_deg",
        b"rule_deg=",
        b"-5",
        b"99999999999",
        b"name=",
        b"\xff",
        b"neutral_x=1",
    ]
    for _ in range(3000):
        body = b"".join(rng.choice(words) for _ in range(rng.randrange(12)))
        disk = SimFiles()
        disk.files[settings.FILE] = rng.choice((body, files.with_crc(body), rng.randbytes(rng.randrange(60))))
        store = Settings(disk)
        for key in settings.KEYS:
            assert settings.check(key, store.get(key)) == store.get(key)


def test_newer_version_and_strange_keys_cost_only_themselves():
    disk = SimFiles()
    disk.files[settings.FILE] = files.with_crc(b"tiltwise 2\nrule_deg=31\nwarp=9\nrule_s=0")
    store = Settings(disk)
    assert store.get("rule_deg") == 31
    assert store.get("rule_s") == DEFAULTS["rule_s"]
    assert store.problem is not None


def test_several_values_are_set_all_or_none():
    store = Settings(SimFiles())
    with pytest.raises(ValueError, match="neutral_y"):
        store.update((("neutral_x", 5), ("neutral_y", 99999)))
    assert store.get("neutral_x") == 0


# ---- key ----


def test_key_is_kept_and_forgotten():
    disk = SimFiles()
    store = KeyStore(disk)
    assert store.load() == []
    store.save([(LAPTOP, KEY)])
    assert KeyStore(disk).load() == [(LAPTOP, KEY)]
    store.forget()
    assert KeyStore(disk).load() == []
    assert disk.files == {}


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_key_of_another_length_is_refused(length):
    with pytest.raises(ValueError, match="expected 32"):
        KeyStore(SimFiles()).save([(LAPTOP, bytes(length))])


def test_four_hosts_have_keys_and_changes_of_the_list_are_counted():
    disk = SimFiles()
    store = KeyStore(disk)
    hosts = [((b"host %d" % k).ljust(12, b"\0"), bytes([k] * 32)) for k in range(4)]
    for n in range(1, 5):
        store.save(hosts[:n])
    store.save(hosts, False)  # another key of a host that is there
    fresh = KeyStore(disk)
    assert fresh.load() == hosts
    assert fresh.changes == store.changes == 4
    for wrong in ([], [*hosts, hosts[0]]):
        with pytest.raises(ValueError, match="expected 1 to 4"):
            store.save(wrong)


def test_the_one_key_of_earlier_firmware_is_read():
    disk = SimFiles()
    for name in keystore.COPIES:
        disk.replace(name, files.with_crc(KEY))
    assert KeyStore(disk).load() == [(bytes(12), KEY)]


@pytest.mark.parametrize("broken", keystore.COPIES)
@pytest.mark.parametrize("damage", ["flip", "short", "gone", "empty"])
def test_one_damaged_copy_is_mended_from_the_other(broken, damage):
    disk = SimFiles()
    KeyStore(disk).save([(LAPTOP, KEY)])
    whole = disk.files[broken]
    torn = {"flip": whole[:5] + b"\0" + whole[6:], "short": whole[:20], "empty": b"", "gone": None}[damage]
    if torn is None:
        del disk.files[broken]
    else:
        disk.files[broken] = torn
    assert KeyStore(disk).load() == [(LAPTOP, KEY)]
    assert disk.files[broken] == whole


def test_mending_on_a_full_flash_still_gives_the_key():
    disk = SimFiles()
    KeyStore(disk).save([(LAPTOP, KEY)])
    del disk.files[keystore.COPIES[0]]
    disk.is_full = True
    assert KeyStore(disk).load() == [(LAPTOP, KEY)]


def test_power_cut_while_the_key_changes_leaves_one_of_the_two_keys():
    new = bytes(range(100, 132))
    seen = set()
    for cut in range(2 * 51 + 1):
        disk = SimFiles(Power())
        KeyStore(disk).save([(LAPTOP, KEY)])
        disk.power.left = cut
        with contextlib.suppress(PowerCut):
            KeyStore(disk).save([(LAPTOP, new)])
        disk.power.left = None
        ((_, key),) = KeyStore(disk).load()
        assert key in (KEY, new)
        assert KeyStore(disk).load() == [(LAPTOP, key)]
        assert len({disk.files[name] for name in keystore.COPIES}) == 1
        seen.add(key)
    assert seen == {KEY, new}


def test_key_is_nowhere_in_what_settings_say():
    disk = SimFiles()
    KeyStore(disk).save([(LAPTOP, KEY)])
    Settings(disk).set("name", "me")
    assert KEY not in disk.files[settings.FILE]


# ---- real files ----


def test_real_files_are_replaced_whole_and_read_back(tmp_path):
    disk = Files(f"{tmp_path}/")
    assert disk.read("a") is None
    disk.replace("a", b"1")
    disk.replace("a", b"22")
    assert disk.read("a") == b"22"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    disk.remove("a")
    disk.remove("a")
    assert disk.read("a") is None


@pytest.mark.parametrize("data", [b"", b"\0", b"settings" * 9])
def test_a_checksum_behind_the_data_tells_every_change(data):
    whole = files.with_crc(data)
    assert (len(whole), files.without_crc(whole)) == (len(data) + 4, data)
    for k in range(len(whole)):
        assert files.without_crc(whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :]) is None
    assert [files.without_crc(short) for short in (None, b"", whole[:3])] == [None] * 3
    assert files.with_crc(b"123456789")[-4:] == bytes.fromhex(
        "2639f4cb"
    )  # CRC-32's check value, little-endian


def test_room_is_told_in_kilobytes_and_nothing_where_the_port_does_not_tell(tmp_path, monkeypatch):
    folder = Files(f"{tmp_path}/")
    monkeypatch.setattr(files.os, "statvfs", lambda _: (4096, 512, 1000, 25, 7), raising=False)
    assert folder.free_kb() == 100  # 25 free blocks of 4096 bytes
    monkeypatch.delattr(files.os, "statvfs")
    assert folder.free_kb() is None


def test_a_removed_file_takes_its_half_written_successor_along(tmp_path):
    folder = Files(f"{tmp_path}/")
    folder.replace("key", b"old")
    (tmp_path / "key.new").write_bytes(b"ha")
    folder.remove("key")
    assert (list(tmp_path.iterdir()), folder.read("key")) == ([], None)
    folder.remove("key")  # one that is not there is fine

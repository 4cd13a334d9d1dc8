"""The settings of the board, kept over reboots: one table of keys with their ranges, one small file.

A damaged file gives defaults and is reported; values out of range, keys that are not known, and a file of a newer
version cost only what cannot be understood. The secret key is elsewhere (keystore.py).
"""

from micropython import const

from .atomic_files import with_crc, without_crc

FILE = "settings"
VERSION = 1
_TEXT = const(24)  # bytes of a text at most

# In one tuple, for one of rows would take 30 objects more of a board's memory.
# Key, default, lowest, highest; of a text: key, default, None, most bytes.
TABLE = (
    "name", "tiltwise", None, _TEXT,
    "mount", "", None, _TEXT,  # where it is worn; empty: not told
    "rule_deg", 20, 1, 90,  # forward bend from neutral that counts as held, as on the host
    "rule_s", 60, 1, 3600,  # how long before the board buzzes
    "recovery_s", 3, 0, 60,
    "motor_strength", 3, 0, 5,  # 0: silent
    "alone_after_s", 30, 5, 3600,  # without a host before the board decides by itself
    "alone", 1, 0, 1,  # 0: never decide without a host
    "rate", 1, 0, 1,  # frames at boot: 0 RAW, 1 ORIENT; what START asks for wins
    "sleep_after_s", 600, 60, 86400,  # not worn and no host
    "double_tap", 1, 0, 1,  # 1: a double tap takes neutral
    "led", 1, 0, 1,
    # "Up" in sensor axes / 32767 in neutral posture; all three 0: not taken yet.
    "neutral_x", 0, -32767, 32767,
    "neutral_y", 0, -32767, 32767,
    "neutral_z", 0, -32767, 32767,
    "imus", 1, 1, 2,  # sensors that should be there: a missing one is reported and looked for
    # Addresses of two that were once found together (sensing/imu_addresses.py); 0: not known.
    "imu_a", 0, 0, 127,
    "imu_b", 0, 0, 127,
    "hysteresis_deg", 5, 0, 30,
    "min_gap_s", 120, 0, 86400,  # between two alerts
    # The wearer's forward as the host calibrated it, as neutral; all three 0: not known, any inclination counts.
    "forward_x", 0, -32767, 32767,
    "forward_y", 0, -32767, 32767,
    "forward_z", 0, -32767, 32767,
    "neutral_new", 0, 0, 1,  # 1: neutral was taken at the board, and no host knows it yet
    "by_dose", 1, 0, 1,  # 1: alert by dose (common/dose.py), 0: rule_deg for rule_s
    "first_quiet_s", 600, 0, 7200,  # no alert so soon after the start
    "most_a_day", 5, 0, 200,
    "percent", 100, 0, 100,  # of the alerts that would be given: the host fades them week by week
    "power", "stream", None, _TEXT,  # one of POWER_MODES; the rate changes at the next start
    # 1: walking reads otherwise, so no alert until neutral is taken or reads right.
    "neutral_doubted", 0, 0, 1,
)  # fmt: skip
_COLUMNS = const(4)
KEYS = tuple(TABLE[k] for k in range(0, len(TABLE), _COLUMNS))
STREAM, SAVE, LOG = POWER_MODES = ("stream", "save", "log")  # what `power` may be


def _place(key):
    """Return where the row of a key begins; KeyError for one that is not known."""
    for k in range(0, len(TABLE), _COLUMNS):
        if TABLE[k] == key:
            return k
    raise KeyError(key)


def is_text(key):
    """Tell whether a key holds a text; the others hold integers. KeyError for one that is not known."""
    return TABLE[_place(key) + 2] is None


def check(key, value):
    """Return a value as it is stored; KeyError for a key that is not known, ValueError for a value out of range."""
    k = _place(key)
    least, most = TABLE[k + 2], TABLE[k + 3]
    if least is None:
        if not isinstance(value, str):
            raise ValueError("%s is %r, expected a text" % (key, value))
        if len(value.encode()) > most or any(ord(c) < 32 for c in value):
            raise ValueError("%s: expected at most %d bytes without control characters" % (key, most))
        if key == "power" and value not in POWER_MODES:
            raise ValueError("power is %r, expected stream, save or log" % value)
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError("%s is %r, expected %d to %d" % (key, value, least, most))
    return value


class Settings:
    """The settings of one board; `problem` says what was wrong with the file, None when nothing was."""

    KEYS = KEYS

    def __init__(self, files):
        self._files = files
        self._values = {TABLE[k]: TABLE[k + 1] for k in range(0, len(TABLE), _COLUMNS)}
        self.problem = None
        self.changes = 0  # so that others notice
        self._load()

    def get(self, key):
        """Return a value; KeyError for a key that is not known."""
        return self._values[key]

    def set(self, key, value):
        """Check a value, keep it, write it; KeyError, ValueError, or OSError from the flash change nothing."""
        self.update(((key, value),))

    def update(self, pairs):
        """Set several values at once: all of them, or none."""
        values = dict(self._values)
        for key, value in pairs:
            values[key] = check(key, value)
        if values != self._values:  # a repeated command does not wear the flash
            self._files.replace(FILE, _pack(values))
            self._values = values
            self.changes += 1

    def _load(self):
        data = self._files.read(FILE)
        if data is None:
            return  # a new board
        body = without_crc(data)
        if body is None:
            self.problem = "settings file is damaged: defaults are used"
            return
        try:
            version, lines = _unpack(body)
        except ValueError:
            self.problem = "settings file cannot be read: defaults are used"
            return
        if version > VERSION:
            self.problem = "settings of version %d, this firmware knows %d" % (version, VERSION)
        for key, text in lines:
            self._take(key, text)

    def _take(self, key, text):
        """Take over one line of the file."""
        if key not in KEYS:
            self.problem = "settings file has the unknown key %s" % key
            return
        try:
            self._values[key] = check(key, text if is_text(key) else int(text))
        except ValueError as problem:
            self.problem = str(problem)


def _pack(values):
    """Return the bytes of the file: readable lines and a CRC."""
    lines = ["tiltwise %d" % VERSION] + ["%s=%s" % (key, values[key]) for key in KEYS]
    return with_crc("\n".join(lines).encode())


def _unpack(body):
    """Return (version, [(key, text)]); ValueError when it is something else."""
    lines = str(body, "utf-8").split("\n")
    head = lines[0].split(" ")
    if len(head) != 2 or head[0] != "tiltwise":
        raise ValueError("no settings")
    pairs = []
    for line in lines[1:]:
        key, equals, text = line.partition("=")
        if not equals:
            raise ValueError("no key")
        pairs.append((key, text))
    return int(head[1]), pairs

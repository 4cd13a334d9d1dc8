"""Files that people have and that hold no table: what they are by their first bytes, and what to do instead."""

from __future__ import annotations

_KINDS = (
    (
        b"MD\xfc\x03",
        "an Axivity recording (.cwa): it is accelerometer data, export it as CSV with its own program",
    ),
    (b"Device Identity", "a GENEActiv recording: export it as CSV with its own program"),
    (b"\x89HDF", "an HDF5 file: save acceleration and angular rate as CSV, .npz or Parquet"),
    (
        b"HIERARCHY",
        "a BVH animation: it has joint angles of a skeleton and no sensor, export the sensor's data",
    ),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet (.xls): save it as CSV"),
    (b"\x1f\x8b", "packed with gzip: unpack it first"),
    (b"%PDF", "a PDF: export the numbers as CSV"),
    (b"SQLite format 3", "a database: export the table as CSV"),
    (b"0       ", "an EDF recording: export acceleration and angular rate as CSV"),
    (b"OE", "an OpenEarable recording (.oe): convert it to CSV with its own program"),
)
_FIT = b".FIT"  # from byte 8 on
_C3D = 0x50  # second byte of every C3D file


def why_not(begin: bytes) -> str:
    """Return what a file of another kind is and what to do, "" for one that may be a table."""
    for sign, words in _KINDS:
        if begin.startswith(sign) and (len(sign) > 2 or b"\0" in begin[:64] or sign == b"\x1f\x8b"):
            return words
    if begin[8:12] == _FIT:
        return "a Garmin recording (.fit): it has a path and a pulse, and no angular rate that could be used"
    if len(begin) > 1 and begin[0] < 32 and begin[1] == _C3D and b"\0" in begin[:64]:
        return "a C3D file: it has positions of markers, export the inertial sensor's data as CSV"
    return ""

"""Rows of one local day, in UTC us, become minutes, events and gaps of one wearer; the SQL of reader.py for them."""

from __future__ import annotations

from collections.abc import Callable

from tiltwise.report import aggregate as agg
from tiltwise.report.day_summary import Gap
from tiltwise.store.events import StoredEvent, decode_event, within_day
from tiltwise.store.files.codec import unpack_aggregate
from tiltwise.store.joined_episodes import EpisodePart, join_episodes
from tiltwise.store.one_wearer import DeviceMinute, OneWearer, one_wearer
from tiltwise.types import EpisodeEnded

Query = Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]
_US = 1_000_000
MINUTE_US = 60 * _US
_LONGEST_EPISODE_US = 86_400 * _US


def day_minutes(query: Query, start_us: int, end_us: int) -> OneWearer[tuple[int, agg.Aggregate]]:
    """Return (sensor, minute) of each row, of one device in each minute."""
    rows = query(
        "SELECT sensor, start_us, data, name, covered_s, worn_s FROM aggregate "
        "JOIN session ON session.id = session_id JOIN device ON device.id = device_id "
        "WHERE start_us >= ? AND start_us < ? ORDER BY start_us",
        (start_us, end_us),
    )
    minutes = []
    for sensor, t, blob, name, *seconds in rows:
        # The second sensor of a board goes with the first.
        covered_s, worn_s = (float(str(s)) if sensor == 0 else 0.0 for s in seconds)
        row = whole(sensor), unpack_aggregate(whole(t) / _US, blob_of(blob))
        minutes.append(DeviceMinute(whole(t), str(name), covered_s, worn_s, row))
    return one_wearer(minutes)


def day_events(query: Query, start_us: int, end_us: int, device_of: dict[int, str]) -> list[StoredEvent]:
    """Return the events of a day, and episodes of it that ended after it; an episode counts within the day.

    Episodes of a device in whose time another one counted are left out; what was told was told.
    """
    start_s, end_s = start_us / _US, end_us / _US
    rows = query(
        "SELECT kind, data, utc_us FROM event WHERE utc_us >= ? AND utc_us < ? AND kind != 'EpisodeEnded' "
        "ORDER BY utc_us, id",
        (start_us, end_us),
    )
    events = [decode_event(str(k), str(d), whole(t) / _US) for k, d, t in rows]
    episodes = [
        within_day(episode, start_s, end_s)
        for episode in join_episodes(_episode_parts(query, start_us, end_us, device_of))
        if episode.start_s < end_s and episode.end_s > start_s
    ]
    found = [event for event in (*events, *episodes) if event is not None]
    return sorted(found, key=lambda event: event.t_s)


def _episode_parts(query: Query, start_us: int, end_us: int, device_of: dict[int, str]) -> list[EpisodePart]:
    """Return the episodes that ended on the day, and those around it that may reach into it."""
    rows = query(
        "SELECT data, utc_us, name, boot, json_extract(info, '$.source') = 'late', "
        "CASE json_extract(info, '$.rule.kind') WHEN 'dose' THEN NULL ELSE json_extract(info, '$.rule.seconds') END "
        "FROM event JOIN session ON session.id = session_id JOIN device ON device.id = device_id "
        "WHERE kind = 'EpisodeEnded' AND utc_us >= ? AND utc_us < ?",
        (start_us - _LONGEST_EPISODE_US, end_us + _LONGEST_EPISODE_US),
    )
    parts = []
    for data, t, device, boot, is_late, seconds in rows:
        event = decode_event("EpisodeEnded", str(data), whole(t) / _US)
        assert isinstance(event, EpisodeEnded)
        minutes = _minutes(round(event.start_s * _US), round(event.end_s * _US))
        if str(device) not in {device_of.get(minute, str(device)) for minute in minutes}:
            continue
        after_s = None if seconds is None else float(str(seconds))
        parts.append(EpisodePart(event, (device, boot), bool(is_late), after_s))
    return parts


def day_gaps(query: Query, start_us: int, end_us: int, device_of: dict[int, str]) -> list[Gap]:
    """Return the gaps of a day, less those of a device in whose time another one counted."""
    rows = query(
        "SELECT start_us, end_us, reason, name FROM gap JOIN session ON session.id = session_id "
        "JOIN device ON device.id = device_id WHERE start_us < ? AND end_us > ? ORDER BY start_us",
        (end_us, start_us),
    )
    found = []
    for a, b, reason, name in rows:
        first, last = max(whole(a), start_us), min(whole(b), end_us)
        if {device_of.get(minute, str(name)) for minute in _minutes(first, last)} <= {str(name)}:
            found.append(Gap(first / _US, last / _US, str(reason)))
    return found


def _minutes(first_us: int, last_us: int) -> range:
    return range(first_us // MINUTE_US * MINUTE_US, last_us, MINUTE_US)


def sums_of_one_wearer(query: Query, bounds_us: tuple[int, int]) -> list[float]:
    """Return the sums of a day in which each minute counts for one device."""
    above = ", ".join(f"above_{limit}_s" for limit in agg.THRESHOLDS_DEG)
    rows = query(
        f"SELECT start_us, name, covered_s, worn_s, posture_s, moving_s, mean_deg * posture_s, {above} "
        "FROM aggregate JOIN session ON session.id = session_id JOIN device ON device.id = device_id "
        "WHERE start_us >= ? AND start_us < ? AND sensor = 0",
        bounds_us,
    )
    chosen = one_wearer(
        DeviceMinute(whole(t), str(name), values[0], values[1], values)
        for t, name, *columns in rows
        for values in [[float(str(value or 0.0)) for value in columns]]
    )
    return [sum(column) for column in zip(*chosen.rows, strict=True)]


def relative_to(query: Query, start_us: int, end_us: int) -> str:
    """Return which posture angles of the stretch are relative to, where nobody said that it was upright."""
    rows = query(
        "SELECT DISTINCT json_extract(info, '$.relative_to') AS posture FROM session "
        "WHERE posture IS NOT NULL AND id IN (SELECT session_id FROM aggregate "
        "WHERE start_us >= ? AND start_us < ?) ORDER BY started_us",
        (start_us, end_us),
    )
    return ", ".join(str(posture) for (posture,) in rows)


def is_doubled(query: Query, bounds_us: tuple[int, int]) -> bool:
    """Whether several devices recorded on that day; nearly no store has more than one."""
    if len(query("SELECT 1 FROM device", ())) < 2:
        return False
    ((n,),) = query(
        "SELECT count(DISTINCT device_id) FROM aggregate JOIN session ON session.id = session_id "
        "WHERE start_us >= ? AND start_us < ? AND sensor = 0",
        bounds_us,
    )
    return whole(n) > 1


def whole(value: object) -> int:
    """Return a column of whole numbers, of us or of anything counted."""
    assert isinstance(value, int)
    return value


def blob_of(value: object) -> bytes:
    """Return a column of bytes."""
    assert isinstance(value, bytes)
    return value

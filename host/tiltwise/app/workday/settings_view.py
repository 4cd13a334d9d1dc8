"""`tiltwise settings`: shows the file, and changes one value of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from tiltwise.config.settings import AlertSetting, SettingsError, load_settings
from tiltwise.config.settings_file import change, write_default
from tiltwise.errors import UsageError
from tiltwise.text import printable


def shown(path: Path) -> Iterator[str]:
    """Yield the lines of the file, which is written first when there is none; SettingsError when it is wrong."""
    is_new = write_default(path)
    alerts = load_settings(path).alerts
    yield f"{printable(str(path), 300)}{' (written now, all defaults)' if is_new else ''}"
    yield ""
    yield from (printable(line, 200) for line in path.read_text(encoding="utf-8").splitlines())
    yield from _half_quiet(alerts)


def changed(path: Path, name: str, value: str | None) -> Iterator[str]:
    """Change one setting; `faded` begins today unless the file says since when."""
    if value is None:
        raise UsageError(f"settings {name}: expected a value too, for instance alerts.most_a_day 3")
    write_default(path)
    if (name, value) == ("alerts.feedback", "faded") and not load_settings(path).alerts.faded_from:
        change(path, "alerts.faded_from", f"{date.today():%Y-%m-%d}")
    try:
        alerts = change(path, name, value).alerts
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror})") from error
    yield f"{name} = {value}; a tiltwise watch that runs takes it at its next start"
    yield from _half_quiet(alerts)


def _half_quiet(alerts: AlertSetting) -> Iterator[str]:
    if bool(alerts.quiet_from) != bool(alerts.quiet_to):
        lacking = "alerts.quiet_to" if alerts.quiet_from else "alerts.quiet_from"
        yield f"no quiet hours without {lacking}: set it too"

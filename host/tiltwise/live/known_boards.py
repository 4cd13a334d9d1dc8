"""The calibrations of the wearer as a live session uses them: found when a board is met, kept when one is made."""

from __future__ import annotations

from tiltwise.config.calibration_profiles import Calibrations, StoredCalibration
from tiltwise.config.sensor_keys import UNNAMED, KeyStoreError, rename_board
from tiltwise.errors import AppError, os_error_line
from tiltwise.live.wearer.live_events import Calibrated, LiveEvent, LiveNote, LiveWarning
from tiltwise.text import printable
from tiltwise.types import Mount


class KnownBoards:
    """Knows which board the session is with.

    Parameters
    ----------
    calibrations
        Of the wearer; None finds and keeps nothing.
    asked_mount
        Only calibrations of this place count; None: the newest one of any.
    is_behind
        What is made now is for a sensor behind the joint.
    """

    def __init__(
        self,
        calibrations: Calibrations | None = None,
        asked_mount: Mount | None = None,
        *,
        is_behind: bool = True,
    ) -> None:
        self._calibrations, self.asked_mount, self._is_behind = calibrations, asked_mount, is_behind
        self.board = ""  # the one of the newest HELLO

    def is_news(self, board: str) -> bool:
        """Take the name of the board that answers; tell whether it is another one than before."""
        is_news = board not in ("", self.board)
        self.board = board or self.board
        return is_news

    def note_name(self, name: str) -> tuple[str, list[LiveEvent]]:
        """Return the name that this board is to have: its own, which this computer takes over, unless it lost it."""
        if self._calibrations is None or not self.board:
            return name, []
        try:
            before = rename_board(self.board, "" if name == UNNAMED else name)
        except (KeyStoreError, OSError) as error:
            return name, [LiveWarning(f"the name of the board is not kept: {os_error_line(error)}")]
        if before in (None, name) or not name:
            return name, []
        if name == UNNAMED:
            return before or name, []
        return name, [
            LiveNote(f"the board {printable(before or '', 40)} is called {printable(name, 40)} now")
        ]

    def find(self) -> tuple[StoredCalibration | None, list[LiveEvent]]:
        """Return the newest calibration of this board, and what to say about it."""
        if self._calibrations is None:
            return None, []
        try:
            found = self._calibrations.profile(self.board).current(self.asked_mount)
        except AppError as error:
            return None, [LiveWarning(str(error))]
        except OSError as error:
            return None, [LiveWarning(f"{os_error_line(error)}: the stored calibration cannot be used")]
        if found is None:
            text = f"no calibration of {self._calibrations.person} for this sensor yet: it begins with calibrating"
            return None, [LiveNote(text)]
        text = (
            f"calibration of {self._calibrations.person} from {found.created_utc:%Y-%m-%d}, worn at "
            f"{found.mount.value}, quality {100 * found.mounting.quality:.0f} %; `tiltwise calibrate` makes a new one"
        )
        self._is_behind = found.is_behind  # what is made anew beside it is for the same place
        return found, [LiveNote(text)]

    def keep(self, made: Calibrated) -> list[LiveEvent]:
        """Store a calibration that was made now; return what to say about it."""
        if self._calibrations is None:
            return []
        try:
            self._calibrations.keep(
                made.mounting, made.collar, device=self.board or None, is_behind=self._is_behind
            )
        except AppError as error:
            return [LiveWarning(f"the calibration is not kept for other days: {error}")]
        except OSError as error:
            return [LiveWarning(f"the calibration is not kept for other days: {os_error_line(error)}")]
        return [LiveNote(f"calibration of {self._calibrations.person} stored")]

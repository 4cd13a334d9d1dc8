"""An IMU file and how to read it, as a command line asks for it, to the results of `analyze` and `count`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tiltwise.config.settings import Settings, rule_settings
from tiltwise.exercise.definition import Exercise
from tiltwise.offline.analyze import Analysis, analyze
from tiltwise.offline.angle_export import check_angles_path, write_angles
from tiltwise.offline.count import Counted, check_seen, count
from tiltwise.offline.input_file import (
    ChosenNeutral,
    ImuInput,
    as_recorded,
    choose_collar,
    choose_neutral,
    read_input,
)
from tiltwise.offline.picture_file import angles_figure, check_picture_path, save_figure
from tiltwise.recording.imu_file import ReadOptions
from tiltwise.types import Mount

OnProgress = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRequest:
    """An IMU file, and how to read it where the file itself does not say.

    Parameters
    ----------
    mount
        Where the sensor was worn; None: as the recording says, else as the settings say.
    neutral, neutral_up
        A recording of the neutral posture, or its "up" in sensor axes as "X,Y,Z"; at most one of them.
    is_rule_given
        The rule of the settings was asked for, so that a recording's own does not count.
    reading
        Columns, units and rate of another program's file, where the file is not to tell.
    """

    file: Path
    settings: Settings
    mount: Mount | None = None
    neutral: Path | None = None
    neutral_up: str = ""
    is_rule_given: bool = False
    reading: ReadOptions | None = None

    def read(self, on_progress: OnProgress) -> tuple[ImuInput, ChosenNeutral, Settings]:
        """Return the samples, how the sensor sat with notes on it, and the settings to go by."""
        data = read_input(self.file, options=self.reading, on_progress=on_progress)
        mount, settings, origin = as_recorded(
            data, self.settings, mount=self.mount, is_rule_given=self.is_rule_given
        )
        chosen = choose_neutral(data, mount=mount, neutral=self.neutral, neutral_up_text=self.neutral_up)
        return data, replace(chosen, notes=(*origin, *chosen.notes)), settings


def run_analysis(
    request: FileRequest, *, angles: Path | None, plot: Path | None, on_progress: OnProgress
) -> Analysis:
    """Analyse a file and write what was asked for: angles (.csv, .parquet) and a picture (.png, .pdf, .svg).

    UsageError for names that cannot be served, before the work begins.
    """
    check_angles_path(angles)
    check_picture_path(plot)
    data, neutral, settings = request.read(lambda share: on_progress(share / 2))
    collar, more = choose_collar(data, neutral.mounting)
    result = analyze(
        data,
        neutral.mounting,
        collar=collar,
        rule=rule_settings(settings.rule),
        notes=(*neutral.notes, *more),
        relative_to_s=neutral.relative_to_s,
        on_progress=lambda share: on_progress(0.5 + share / 2),
    )
    if angles is not None:
        write_angles(angles, result)
    if plot is not None:
        save_figure(
            angles_figure(result, request.file.name, settings.rule.limit_deg(result.mounting.mount)),
            plot,
            dark=request.settings.pictures.dark,
        )
    return result


def run_count(request: FileRequest, exercise: Exercise, on_progress: OnProgress) -> Counted:
    """Count the repetitions of one exercise in a file; AppError when a sensor in that place cannot see it.

    A neutral is not needed; one that was given is of use where the exercise asks for a posture.
    """
    data = read_input(request.file, options=request.reading, on_progress=lambda share: on_progress(share / 2))
    place, _, notes = as_recorded(data, request.settings, mount=request.mount, is_rule_given=True)
    check_seen(exercise, place)
    mounting = None
    if request.neutral is not None or request.neutral_up:
        chosen = choose_neutral(
            data, mount=place, neutral=request.neutral, neutral_up_text=request.neutral_up
        )
        mounting, notes = chosen.mounting, (*notes, *chosen.notes)
    return count(
        data,
        place,
        exercise,
        mounting=mounting,
        notes=notes,
        on_progress=lambda share: on_progress(0.5 + share / 2),
    )

"""What a sensor in a place can see: per place and metric measured, estimated or not observable, and why.

The only source for what may be shown: offline/shown_metrics.py names, marks and withholds angles by it, tests hold
what every command prints against it, and docs/sensing.md carries the table, which a test keeps equal. Errors are
from tests in this repository, or say that they were not measured here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tiltwise.types import Mount


class Status(StrEnum):
    """How a metric comes about."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    NOT_OBSERVABLE = "not observable"


class Place(StrEnum):
    """Where the sensor is, or both of them."""

    COLLAR = "collar"
    NECK = "neck"
    HEAD = "head"
    HEAD_AND_COLLAR = "head+collar"


class Metric(StrEnum):
    """What the program may say something about."""

    INCLINATION = "inclination"
    FLEXION = "flexion"
    LATERAL = "lateral"
    ROTATION = "rotation"
    HEADING = "heading"
    NECK_FLEXION = "neck_flexion"
    UPPER_BACK_TILT = "upper_back_tilt"
    HUNCHING = "hunching"
    FORWARD_HEAD = "forward_head"
    SUSTAINED_FORWARD_FLEXION = "sustained_forward_flexion"
    SUSTAINED_UPPER_BACK_TILT = "sustained_upper_back_tilt"
    NOD_REPS = "nod_reps"
    SIDE_TILT_REPS = "side_tilt_reps"
    ROTATION_REPS = "rotation_reps"
    EXTENSION_REPS = "extension_reps"
    CHIN_TUCK_REPS = "chin_tuck_reps"
    ISOMETRIC_TIME = "isometric_time"
    ISOMETRIC_FORCE = "isometric_force"
    SUPINE_LIFT = "supine_lift"
    SHRUG_REPS = "shrug_reps"
    HELD_SHRUG = "held_shrug"
    SHOULDER_CHECK = "shoulder_check"
    ACTIVITY = "activity"


UNMEASURED = "not measured here"


@dataclass(frozen=True, slots=True)
class Sensing:
    """One cell of the table."""

    status: Status
    why: str
    error: str = UNMEASURED


def _measured(why: str, error: str = UNMEASURED) -> Sensing:
    return Sensing(Status.MEASURED, why, error)


def _estimated(why: str, error: str = UNMEASURED) -> Sensing:
    return Sensing(Status.ESTIMATED, why, error)


def _hidden(why: str) -> Sensing:
    return Sensing(Status.NOT_OBSERVABLE, why, "-")


# Median over 65 desk recordings of glasses, against an offline reference: tests/motion/test_angles_recordings.py.
_DESK_ERROR = "0.4 deg RMSE at a desk"
# Wearer simulation after the guided calibration, 90 % of people below (tests/motion/test_calibration_wearer.py).
_SIMULATED_ERROR = "2 deg RMSE simulated"
# One person against offline filters (tests/lab/test_pair_error.py); two simulated ones (tests/test_pair_tracker.py).
_PAIR_ERROR = "1.1 deg RMSE on one person, 3 deg simulated"

# Simulated wearers who rest as before, 95 % of them below (`tiltwise bench guided`).
_CHECK_ERROR = "2.5 deg simulated"

_NO_HEADING = _hidden("six axes have no north: a heading would be drift")
_NO_FORCE = _hidden("pressing against a hand moves nothing, and force is not sensed")
_NO_PROTRACTION = _hidden("sliding the head forward hardly turns it; angles cannot tell it from looking up")
_THORAX_ONLY = _hidden("the clip rides on the chest and the head moves without it")
_NO_SHOULDERS = _hidden("shoulder blades move over the rib cage and the head does not notice")
_ONE_SENSOR = _hidden("needs the head and the upper back at once; one sensor sees their sum")
_NOT_AT_BACK = _hidden("the sensor sits above the neck and cannot tell the back from the neck")
_WINDOW = "the window is timed and stillness within it is checked"
_RIBCAGE = "tilt of the chest at C7; leaning at the hips is in it"

_COLLAR: dict[Metric, Sensing] = {
    Metric.INCLINATION: _measured(
        "angle of the clip to its own neutral: the upper back, not the head", _SIMULATED_ERROR
    ),
    Metric.FLEXION: _measured("forward tilt of the upper back, not of the head", _SIMULATED_ERROR),
    Metric.LATERAL: _measured("side tilt of the upper back, not of the head", _SIMULATED_ERROR),
    Metric.ROTATION: _estimated("turn of the upper back within one movement"),
    Metric.HEADING: _NO_HEADING,
    Metric.NECK_FLEXION: _THORAX_ONLY,
    Metric.UPPER_BACK_TILT: _measured(_RIBCAGE, _SIMULATED_ERROR),
    Metric.HUNCHING: _hidden(
        "a rounded back and a lean at the hips look alike to one sensor: see upper-back tilt"
    ),
    Metric.FORWARD_HEAD: _THORAX_ONLY,
    Metric.SUSTAINED_FORWARD_FLEXION: _THORAX_ONLY,
    Metric.SUSTAINED_UPPER_BACK_TILT: _measured(_RIBCAGE, _SIMULATED_ERROR),
    Metric.NOD_REPS: _THORAX_ONLY,
    Metric.SIDE_TILT_REPS: _THORAX_ONLY,
    Metric.ROTATION_REPS: _THORAX_ONLY,
    Metric.EXTENSION_REPS: _THORAX_ONLY,
    Metric.CHIN_TUCK_REPS: _THORAX_ONLY,
    Metric.ISOMETRIC_TIME: _estimated(_WINDOW),
    Metric.ISOMETRIC_FORCE: _NO_FORCE,
    Metric.SUPINE_LIFT: _THORAX_ONLY,
    Metric.SHRUG_REPS: _estimated(
        "a brisk shrug lifts the collar; counted when guided, all day a raise without a drop is noticed at best"
    ),
    Metric.HELD_SHRUG: _hidden("a held shrug accelerates nothing"),
    Metric.SHOULDER_CHECK: _estimated(
        "guided: where the upper back rests before a shrug and after it; the collar leans a little with it",
        _CHECK_ERROR,
    ),
    Metric.ACTIVITY: _measured("still, moving, walking, lying and not worn from motion and gravity"),
}

_SKIN = "the skin at C2-C5 follows the head in part"

_NECK: dict[Metric, Sensing] = {
    Metric.INCLINATION: _estimated(_SKIN),
    Metric.FLEXION: _estimated(_SKIN),
    Metric.LATERAL: _estimated(_SKIN),
    Metric.ROTATION: _estimated("within one movement, at a reduced gain"),
    Metric.HEADING: _NO_HEADING,
    Metric.NECK_FLEXION: _ONE_SENSOR,
    Metric.UPPER_BACK_TILT: _NOT_AT_BACK,
    Metric.HUNCHING: _NO_SHOULDERS,
    Metric.FORWARD_HEAD: _NO_PROTRACTION,
    Metric.SUSTAINED_FORWARD_FLEXION: _estimated(_SKIN),
    Metric.SUSTAINED_UPPER_BACK_TILT: _NOT_AT_BACK,
    Metric.NOD_REPS: _measured("counting needs the movement, not its exact size"),
    Metric.SIDE_TILT_REPS: _measured("counting needs the movement, not its exact size"),
    Metric.ROTATION_REPS: _measured("each turn is measured from the rest before it"),
    Metric.EXTENSION_REPS: _measured("counting needs the movement, not its exact size"),
    Metric.CHIN_TUCK_REPS: _estimated("a tuck turns the upper neck by 4 to 5 deg only, in either direction"),
    Metric.ISOMETRIC_TIME: _estimated(_WINDOW),
    Metric.ISOMETRIC_FORCE: _NO_FORCE,
    Metric.SUPINE_LIFT: _measured("lying is seen from gravity and the lift from the tilt"),
    Metric.SHRUG_REPS: _NO_SHOULDERS,
    Metric.HELD_SHRUG: _NO_SHOULDERS,
    Metric.SHOULDER_CHECK: _NO_SHOULDERS,
    Metric.ACTIVITY: _measured("still, moving, walking, lying and not worn from motion and gravity"),
}

_HEAD: dict[Metric, Sensing] = {
    Metric.INCLINATION: _measured("angle between the head's present and neutral up", _DESK_ERROR),
    Metric.FLEXION: _measured("head against vertical; a leaning trunk is in it", _SIMULATED_ERROR),
    Metric.LATERAL: _measured("head against vertical; a leaning trunk is in it", _SIMULATED_ERROR),
    Metric.ROTATION: _estimated("within one movement; a turning chair is in it"),
    Metric.HEADING: _NO_HEADING,
    Metric.NECK_FLEXION: _ONE_SENSOR,
    Metric.UPPER_BACK_TILT: _NOT_AT_BACK,
    Metric.HUNCHING: _NO_SHOULDERS,
    Metric.FORWARD_HEAD: _NO_PROTRACTION,
    Metric.SUSTAINED_FORWARD_FLEXION: _measured(
        "head against vertical; a leaning trunk is in it", _SIMULATED_ERROR
    ),
    Metric.SUSTAINED_UPPER_BACK_TILT: _NOT_AT_BACK,
    Metric.NOD_REPS: _measured("the head's own tilt"),
    Metric.SIDE_TILT_REPS: _measured("the head's own tilt"),
    Metric.ROTATION_REPS: _measured("each turn is measured from the rest before it"),
    Metric.EXTENSION_REPS: _measured("the head's own tilt"),
    Metric.CHIN_TUCK_REPS: _estimated("a tuck nods the head by 4 to 5 deg only, in either direction"),
    Metric.ISOMETRIC_TIME: _estimated(_WINDOW),
    Metric.ISOMETRIC_FORCE: _NO_FORCE,
    Metric.SUPINE_LIFT: _measured("lying is seen from gravity and the lift from the tilt"),
    Metric.SHRUG_REPS: _NO_SHOULDERS,
    Metric.HELD_SHRUG: _NO_SHOULDERS,
    Metric.SHOULDER_CHECK: _NO_SHOULDERS,
    Metric.ACTIVITY: _measured("still, moving, walking, lying and not worn from motion and gravity"),
}

_BOTH: dict[Metric, Sensing] = {
    **_HEAD,
    Metric.ROTATION: _estimated("head minus upper back within one movement; the two headings drift apart"),
    Metric.NECK_FLEXION: _measured("head minus upper back, each against its own neutral", _PAIR_ERROR),
    Metric.UPPER_BACK_TILT: _COLLAR[Metric.UPPER_BACK_TILT],
    Metric.HUNCHING: _estimated(
        "a tilting upper back apart from looking down; leaning at the hips is still in it"
    ),
    Metric.FORWARD_HEAD: _estimated(
        "a forward upper back under a level head suggests it; sliding is not sensed"
    ),
    Metric.SUSTAINED_UPPER_BACK_TILT: _COLLAR[Metric.SUSTAINED_UPPER_BACK_TILT],
    Metric.CHIN_TUCK_REPS: _estimated("a small nod of the head over a still upper back"),
    Metric.SHRUG_REPS: _COLLAR[Metric.SHRUG_REPS],
    Metric.HELD_SHRUG: _COLLAR[Metric.HELD_SHRUG],
    Metric.SHOULDER_CHECK: _COLLAR[Metric.SHOULDER_CHECK],
}

TABLE: dict[Place, dict[Metric, Sensing]] = {
    Place.COLLAR: _COLLAR,
    Place.NECK: _NECK,
    Place.HEAD: _HEAD,
    Place.HEAD_AND_COLLAR: _BOTH,
}


def observability(place: Place | Mount | str, metric: Metric | str) -> Sensing:
    """Return the table's cell; raise ValueError for a place or metric it does not know."""
    return TABLE[Place(str(place))][Metric(str(metric))]

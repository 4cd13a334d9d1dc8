"""Colours and words of the pictures: Okabe & Ito's palette, which colour-blind eyes tell apart; plain sentences."""

from __future__ import annotations

from tiltwise.report.day_summary import DaySummary
from tiltwise.types import Activity, Mount

INK = "#22303C"
SOFT = "#5B6B79"  # 5.5 : 1 on white
GRID = "#E3E8EC"
ANGLE = "#0072B2"
ANGLE_BAND = "#9CC9E6"
ALERT = "#D55E00"
EPISODE = "#F2C66D"
EXERCISE = "#009E73"
UPPER_BACK = "#CC79A7"
GAP = "#9AA5AF"
GAP_FACE = "#F4F6F7"
ACTIVITY_COLOURS = {
    Activity.STILL: "#C9D6E0",
    Activity.MOVING: "#56B4E9",
    Activity.WALKING: "#009E73",
    Activity.LYING: "#CC79A7",
    Activity.NOT_WORN: "#F4F6F7",
}
# Told apart without colour too; still and moving differ in brightness.
ACTIVITY_HATCHES = {Activity.WALKING: "||||", Activity.LYING: "----", Activity.NOT_WORN: "......"}
ACTIVITY_NAMES = {
    Activity.STILL: "holding still",
    Activity.MOVING: "moving",
    Activity.WALKING: "walking",
    Activity.LYING: "lying",
    Activity.NOT_WORN: "not worn",
}
ANGLE_NAMES = {
    Mount.COLLAR: "upper-back forward tilt",
    Mount.NECK: "forward bend of the neck",
    Mount.HEAD: "forward bend of the head",
}
OWN_ANGLE = "the neck's own forward bend"  # with a second sensor on the collar: head minus upper back
OWN_FOOTNOTE = (
    "Two sensors: the angle is that of the neck alone, the head's minus the upper back's; "
    "leaning with a straight neck is not in it."
)
# What one sensor in this place cannot tell apart; docs/sensing.md has the tables.
FOOTNOTES = {
    Mount.COLLAR: "On the collar the sensor rides on the upper back: it shows how far that leans or rounds forward, "
    "and does not see the head looking down.",
    Mount.NECK: "On the neck the sensor shows bending and leaning together, and follows the head at reduced gain; "
    "it does not see the chin moving forward.",
    Mount.HEAD: "On the head the sensor shows bending of the neck and leaning of the trunk together; "
    "only a second sensor on the collar tells them apart.",
}
# Why samples are missing, for who wears the sensor; the reasons of the decoder, the store and the day.
GAP_WORDS = {
    "lost": "lost on the way",
    "overflow": "the sensor's memory was full",
    "device": "the sensor sent nothing",
    "fault": "the sensor did not answer",
    "restart": "the sensor was off",
    "clock": "the sensor's clock went back",
    "not recorded": "not recorded",
}
DISCLAIMER = "A habit and movement coach, not a medical device."


def angle_name(summary: DaySummary) -> str:
    """Return what the angle of a day is called."""
    return ANGLE_NAMES[summary.mount] if summary.upper_back is None else OWN_ANGLE


def duration_text(seconds: float) -> str:
    """Return a duration as people say it: 45 s, 12 min, 7 h 05 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def share_text(percent: float, seconds: float) -> str:
    """Return a share with its time; a little is not nothing."""
    if seconds <= 0:
        return " 0 %"
    shown = f"{percent:.0f} %" if percent >= 0.5 else "< 1 %"
    return f" {shown}  ({duration_text(seconds)})"


def headline(summary: DaySummary) -> str:
    """Return the figures of a day in one line under its date."""
    parts = [f"{summary.mount} sensor", f"worn {duration_text(summary.worn_s)}"]
    if summary.relative_to:
        parts.append(f"no verdict: relative to {summary.relative_to}, perhaps not upright")
    if summary.posture_s > 0:
        parts.append(f"{summary.percent_above_deg[20]:.0f} % of upright time beyond 20 deg")
        parts.append(f"longest spell {duration_text(summary.longest_bout_s)}")
        parts.append(f"worst run {summary.limit_use * 100:.0f} % of its ISO 11226 time")
    missing = sum(gap.end_s - gap.start_s for gap in summary.gaps)
    if missing > 0:
        parts.append(f"{duration_text(missing)} without data")
    return "  ·  ".join(parts)

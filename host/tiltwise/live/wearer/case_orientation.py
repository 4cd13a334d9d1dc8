"""Whose word counts on which way the case faces: the command line's, the settings', the simulation's or our boards'.

A face is "auto", "off" or a sensor axis such as "+z".
"""

from __future__ import annotations

from tiltwise.decode.messages import Info
from tiltwise.link.source import Source
from tiltwise.motion.calibration.case_axes import OWN_FACE, face_axis
from tiltwise.types import FloatArray

AUTO, OFF = "auto", "off"
LIVE = ("ble", "serial")
_NOT_OURS = ("", "unknown", "simulated")  # models that say nothing about a case


def choose_face(source: Source, scheme: str, *, setting: str, asked: str = "") -> str:
    """Return the face to go by: what was asked for, else the simulation's own, else the settings' for live boards.

    Files come from any sensor, so that there it is off unless asked for.
    """
    if asked and asked != AUTO:
        return asked
    faces_out = getattr(source, "faces_out", None)  # only a simulated source knows how its sensor lies
    if faces_out is not None:
        return OWN_FACE if faces_out else OFF
    return setting if scheme in LIVE else OFF


def outward_axis(face: str, info: Info | None) -> FloatArray | None:
    """Return the sensor axis (3,) away from the skin; "auto" trusts boards that name a model of ours."""
    if face == AUTO:
        face = OFF if info is None or info.model in _NOT_OURS else OWN_FACE
    return None if face == OFF else face_axis(face)

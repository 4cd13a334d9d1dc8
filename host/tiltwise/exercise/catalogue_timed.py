"""Exercises that are guided by the clock, as a sensor at the neck cannot count them. Data only; see definition.py."""

from __future__ import annotations

from tiltwise.exercise.catalogue_relaxing import BY_THE_CLOCK
from tiltwise.exercise.definition import Dose, Exercise, Plane, Sides, Visibility
from tiltwise.types import Mount

_UNSEEN = dict.fromkeys(Mount, Visibility.NOT_OBSERVABLE)
_ANYWHERE = dict.fromkeys(Mount, Visibility.TIMED)
_AT_COLLAR = {
    Mount.COLLAR: Visibility.TIMED,
    Mount.HEAD: Visibility.NOT_OBSERVABLE,
    Mount.NECK: Visibility.NOT_OBSERVABLE,
}
_SHRUGS = (
    "Guided by the clock: raised shoulders lift the collar without turning it much, "
    "and tiltwise does not count that yet."
)

TIMED = (
    Exercise(
        id="palm_press_front",
        name="Forehead against the palm",
        plane=Plane.NONE,
        dose=Dose(reps=10, work_s=7.0, pause_s=5.0),
        seen=BY_THE_CLOCK,
        steps=("Lay a palm on your forehead.", "Press against it without moving.", "Let go and rest."),
        sensor_note="Timed, and the stillness is checked to 3 deg. How hard you press cannot be measured.",
        is_still=True,
    ),
    Exercise(
        id="palm_press_top",
        name="Growing against the palm",
        plane=Plane.NONE,
        dose=Dose(reps=10, work_s=7.0, pause_s=5.0),
        seen=BY_THE_CLOCK,
        steps=(
            "Lay a hand flat on the crown and look down with your eyes.",
            "Let the crown grow up against it.",
            "Let go.",
        ),
        sensor_note="Timed, and the stillness is checked to 3 deg. Growing taller does not turn the sensor.",
        is_still=True,
    ),
    Exercise(
        id="shoulder_raise_hold",
        name="Shoulders up and hold",
        plane=Plane.SHOULDERS,
        dose=Dose(reps=10, work_s=13.0, pause_s=5.0),
        seen=_AT_COLLAR,
        steps=(
            "Stand.",
            "Raise your shoulders as high as they go.",
            "Hold for ten seconds.",
            "Let them drop.",
        ),
        sensor_note=_SHRUGS,
        caution="Light weights only if you are used to them.",
    ),
    Exercise(
        id="chest_open_shoulder_drop",
        name="Open the chest, drop the shoulders",
        plane=Plane.SHOULDERS,
        dose=Dose(reps=4, work_s=8.0, pause_s=4.0),
        seen=_AT_COLLAR,
        steps=(
            "Bring your chest forward.",
            "Raise your shoulders, then let them down as far as they go.",
            "Let go.",
        ),
        sensor_note=_SHRUGS,
    ),
    Exercise(
        id="shrug_breath_hold",
        name="Shrugs with held breath",
        plane=Plane.SHOULDERS,
        dose=Dose(reps=3, work_s=8.0, pause_s=10.0),
        seen=_AT_COLLAR,
        steps=(
            "Bend your head forward, breathe in and hold.",
            "Shrug three times, briskly.",
            "Breathe out and rest.",
        ),
        sensor_note=_SHRUGS,
        caution="Leave the breath-holding out if you feel dizzy.",
    ),
    Exercise(
        id="crown_hang",
        name="Hanging by a thread",
        plane=Plane.MIXED,
        dose=Dose(reps=5, work_s=15.0, pause_s=2.0),
        seen=BY_THE_CLOCK,
        steps=(
            "Let the back of your head be pulled up as by a thread, chin drawn in.",
            "Make small turns, then wider ones.",
            "Lower your chin towards the collarbones and turn there.",
            "Tilt your head a little back and turn there.",
            "Come back to the middle.",
        ),
        sensor_note="Guided by the clock; the turns in the different positions are not told apart yet.",
        caution="With the head back, turn only a little, or leave that part out.",
    ),
    Exercise(
        id="arm_circles",
        name="Swinging arm circles",
        plane=Plane.SHOULDERS,
        dose=Dose(reps=2, work_s=10.0, pause_s=5.0),
        seen=_UNSEEN,
        steps=(
            "Bring your fists forward.",
            "Swing your arms in two or three circles.",
            "End with the elbows at your sides.",
        ),
        sensor_note="Guided by the clock: arms cannot be seen from the neck.",
    ),
    Exercise(
        id="self_massage",
        name="Self-massage",
        plane=Plane.NONE,
        dose=Dose(reps=3, work_s=40.0, pause_s=3.0),
        seen=_UNSEEN,
        steps=(
            "Stroke the back of your neck from the skull down.",
            "Knead gently towards both shoulders.",
            "Circle with your fingertips at the base of the skull.",
        ),
        sensor_note="Guided by the clock: hands cannot be seen from the neck.",
    ),
    Exercise(
        id="lying_relaxation",
        name="Lying down quietly",
        plane=Plane.NONE,
        sides=Sides.NONE,
        dose=Dose(reps=1, work_s=300.0, pause_s=0.0),
        seen=_ANYWHERE,
        steps=(
            "Lie down comfortably.",
            "Breathe quietly, with a short pause after each breath out.",
            "Get up slowly.",
        ),
        sensor_note="Timed. That you lie is seen, how you breathe is not.",
    ),
)

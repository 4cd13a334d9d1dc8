"""The relaxation exercises, plain and with tensing (post-isometric relaxation, PIR). Data only; see definition.py."""

from __future__ import annotations

from tiltwise.exercise.definition import Dose, Exercise, Plane, Sides, Visibility
from tiltwise.exercise.signals import Angle, Signal, Way
from tiltwise.types import Mount

HEAD_MOVEMENT = {
    Mount.HEAD: Visibility.MEASURED,
    Mount.NECK: Visibility.MEASURED,
    Mount.COLLAR: Visibility.NOT_OBSERVABLE,
}
UPRIGHT_DEG = 25.0  # people let the head sink by 15 deg in a side tilt; more is another posture
# A head bowed by 25 deg that only turns looks tilted by 1 deg for every 2.4; who tilts turns by less than they tilt.
TURN_SHARE = 1.5
SIDE_TILT = Signal(Angle.LATERAL, Way.EITHER, upright_deg=UPRIGHT_DEG, turn_share=TURN_SHARE)
BY_THE_CLOCK = {
    Mount.HEAD: Visibility.TIMED,
    Mount.NECK: Visibility.TIMED,
    Mount.COLLAR: Visibility.NOT_OBSERVABLE,
}
_PIR_CAUTION = "Press lightly, with a tenth to a fifth of your strength; nothing is forced."

RELAXING = (
    Exercise(
        id="side_tilt",
        name="Head tilt to the side",
        plane=Plane.SIDEWAYS,
        sides=Sides.ALTERNATE,
        dose=Dose(reps=3, hold_breaths=3.0),
        target_deg=(30.0, 45.0),
        signal=SIDE_TILT,
        seen=HEAD_MOVEMENT,
        steps=(
            "Sit tall and let your shoulders sink.",
            "Grow long and lower one ear towards its shoulder; the other shoulder stays down.",
            "Stay there for three breaths.",
            "Come back to the middle and change sides.",
        ),
        sensor_note="Counts each side with its hold and its largest angle. At the neck the angle is an estimate, "
        "because skin follows the head only in part. It cannot see whether a shoulder creeps up.",
    ),
    Exercise(
        id="side_tilt_pir",
        name="Head tilt to the side with tensing",
        plane=Plane.SIDEWAYS,
        sides=Sides.ALTERNATE,
        dose=Dose(reps=2, sets=2, pause_s=12.0, work_s=35.0),
        target_deg=(30.0, 50.0),
        seen=BY_THE_CLOCK,
        steps=(
            "Tilt your head to one side as far as it goes by itself.",
            "Put a hand on your head as a wall and press against it for three breaths without moving.",
            "Breathe out and let go.",
            "Let the head sink further to its new end and stay for two or three breaths.",
        ),
        sensor_note="Guided by the clock. It does not yet measure the end of the movement from round to round, and "
        "it cannot measure how hard you press.",
        caution=_PIR_CAUTION,
    ),
    Exercise(
        id="head_down",
        name="Chin towards the chest",
        plane=Plane.FORWARD,
        dose=Dose(reps=3, hold_breaths=2.5),
        target_deg=(40.0, 60.0),
        signal=Signal(Angle.FLEXION, Way.PLUS),
        seen=HEAD_MOVEMENT,
        steps=(
            "Sit with your pelvis slightly forward and your back straight.",
            "Lower your chin slowly as far as it is comfortable; keep some room between chin and chest.",
            "Stay there for two or three breaths.",
            "Come back gently.",
        ),
        sensor_note="Counts, with hold and largest flexion. One sensor cannot tell a bowed head from a bowed back: "
        "keep the back straight.",
    ),
    Exercise(
        id="head_down_pir",
        name="Chin towards the chest with tensing",
        plane=Plane.FORWARD,
        dose=Dose(reps=3, pause_s=12.0, work_s=45.0),
        target_deg=(40.0, 60.0),
        seen=BY_THE_CLOCK,
        steps=(
            "Lower your head half as far as it goes.",
            "Lay your fingers on the back of your head and press up against them for three breaths without moving.",
            "Breathe out, let go, and take one more full breath.",
            "Lower your hands, let the head sink and stay for two or three breaths.",
            "Come back to the middle and sit quietly for ten seconds.",
        ),
        sensor_note="Guided by the clock. It does not yet measure the end of the movement from round to round, and "
        "it cannot measure how hard you press.",
        caution=_PIR_CAUTION,
    ),
    Exercise(
        id="singing_snake",
        name="Singing snake",
        plane=Plane.FORWARD,
        dose=Dose(reps=3),
        target_deg=(20.0, 45.0),
        signal=Signal(Angle.FLEXION, Way.PAIR),
        seen=HEAD_MOVEMENT,
        steps=(
            "Sit tall with a loose jaw and breathe out.",
            "Open your mouth wide and, breathing in, tilt your head slowly back with loose shoulders.",
            "Close your mouth very slowly.",
            "Breathing out, come back to the middle.",
            "Lower your chin slowly to lengthen the back of your neck, and come up again.",
        ),
        sensor_note="Counts the pair back and down as one, with the largest angle back; back without down is told as "
        "partial. It cannot see mouth or breath.",
        caution="Only as far back as it is comfortable, and only half of what you could do at first.",
        asks_first=(
            "Do you have a known problem of the neck, or did you injure it recently?",
            "Do you have osteoporosis?",
        ),
    ),
)

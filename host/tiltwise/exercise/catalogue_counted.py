"""More exercises whose repetitions a sensor on the head or the neck can count. Data only; see definition.py."""

from __future__ import annotations

from tiltwise.exercise.catalogue_relaxing import HEAD_MOVEMENT, SIDE_TILT
from tiltwise.exercise.definition import Dose, Exercise, Plane, Sides, Visibility
from tiltwise.exercise.signals import Angle, Signal, Way
from tiltwise.types import Mount

_BOWED_DEG = 15.0  # a head bowed for "no" or a nod is clearly further down than at a screen

COUNTED = (
    Exercise(
        id="rotations",
        name="Turns of the head",
        plane=Plane.TURNING,
        sides=Sides.ALTERNATE,
        dose=Dose(reps=5),
        target_deg=(60.0, 80.0),
        signal=Signal(Angle.ROTATION, Way.EITHER),
        seen=HEAD_MOVEMENT,
        steps=(
            "Sit tall.",
            "Turn your head to one side, as if looking over your shoulder.",
            "Come back and change sides.",
        ),
        sensor_note="Counts each side. The sensor has no compass, so a turn is measured from where the head rested "
        "before it, and turning the chair looks the same.",
    ),
    Exercise(
        id="chin_to_chest_hold",
        name="Chin to chest with effort",
        plane=Plane.FORWARD,
        dose=Dose(reps=5, hold_s=10.0),
        target_deg=(40.0, 60.0),
        signal=Signal(Angle.FLEXION, Way.PLUS),
        seen=HEAD_MOVEMENT,
        steps=(
            "Sit tall.",
            "Bring your chin to your chest with a little effort.",
            "Hold for ten seconds.",
            "Come back.",
        ),
        sensor_note="Counts, with hold and largest flexion. It cannot see effort.",
    ),
    Exercise(
        id="ear_to_shoulder_hold",
        name="Ear to shoulder with effort",
        plane=Plane.SIDEWAYS,
        sides=Sides.ALTERNATE,
        dose=Dose(reps=5, hold_s=10.0),
        target_deg=(30.0, 45.0),
        signal=SIDE_TILT,
        seen=HEAD_MOVEMENT,
        steps=(
            "Sit tall.",
            "Bring one ear towards its shoulder.",
            "Hold for ten seconds.",
            "Come back and change sides.",
        ),
        sensor_note="Counts each side, with hold and largest angle. It cannot see whether the shoulder comes up.",
    ),
    Exercise(
        id="chin_tuck",
        name="Chin tuck",
        plane=Plane.FORWARD,
        dose=Dose(reps=10, hold_s=2.0),
        target_deg=(4.0, 6.0),
        signal=Signal(Angle.FLEXION, Way.PLUS, least_deg=3.0),
        seen={
            Mount.HEAD: Visibility.APPROXIMATE,
            Mount.NECK: Visibility.TIMED,
            Mount.COLLAR: Visibility.NOT_OBSERVABLE,
        },
        steps=(
            "Sit tall and look straight ahead.",
            "Draw your chin in, the head slides back.",
            "Hold, then let go.",
        ),
        sensor_note="On the head a small nod of about 5 deg is all there is to see, so the count is approximate; at "
        "the neck it drowns in breathing. How far the head slides back is not seen.",
    ),
    Exercise(
        id="supine_head_lift",
        name="Head lift, lying on the back",
        plane=Plane.FORWARD,
        dose=Dose(reps=8, hold_s=10.0),
        target_deg=(15.0, 25.0),
        signal=Signal(Angle.FLEXION, Way.PLUS, lying_deg=40.0),
        seen=HEAD_MOVEMENT,
        steps=(
            "Lie on your back and tuck your chin slightly.",
            "Lift your head a little off the floor.",
            "Hold for ten seconds.",
            "Lower it and rest.",
        ),
        sensor_note="Counts only while gravity says that you lie; hold and sag are seen. It cannot see the floor, so "
        "a lift of less than about 8 deg does not count.",
        caution="Stop when the head begins to tremble.",
    ),
    Exercise(
        id="clasped_no",
        name="Saying no with a bowed head",
        plane=Plane.TURNING,
        sides=Sides.ALTERNATE,
        dose=Dose(reps=8),
        target_deg=(20.0, 40.0),
        signal=Signal(Angle.ROTATION, Way.EITHER, flexed_deg=_BOWED_DEG),
        seen=HEAD_MOVEMENT,
        steps=(
            "Bow your head and clasp your hands behind it.",
            "Turn slowly as if saying no.",
            "Let the arms be heavy, do not pull.",
        ),
        sensor_note="Counts each side; turns with the head up are told as partial. It cannot see the hands.",
    ),
    Exercise(
        id="clasped_nod",
        name="Nodding with clasped hands",
        plane=Plane.FORWARD,
        dose=Dose(reps=10),
        target_deg=(30.0, 50.0),
        signal=Signal(Angle.FLEXION, Way.PLUS),
        seen=HEAD_MOVEMENT,
        steps=(
            "Clasp your hands behind your head.",
            "Breathing in, let the head sink.",
            "Breathing out, raise it and open your elbows.",
        ),
        sensor_note="Counts. It cannot see breath and elbows.",
    ),
    Exercise(
        id="side_tilt_flow",
        name="Flowing side tilts",
        plane=Plane.SIDEWAYS,
        sides=Sides.ALTERNATE,
        dose=Dose(reps=5),
        target_deg=(30.0, 45.0),
        signal=SIDE_TILT,
        seen=HEAD_MOVEMENT,
        steps=(
            "Breathing in, tilt your head to the right and let the left arm move out.",
            "Breathing out, come back to the middle.",
            "The same to the left, in turn.",
        ),
        sensor_note="Counts each side and tells when the sides do not alternate. It cannot see the arms.",
    ),
)

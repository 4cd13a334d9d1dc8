"""A wearer with ground truth: scenario, seed and mount -> what an ideal IMU there measures, and what is true.

Everything is a function of time: any cut of the time axis gives the same numbers. SI units for the IMU, degrees
for the angles; signs as in docs/conventions.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tiltwise.motion import rotation
from tiltwise.sim.body.ground_truth import PostureRun, TrueRep, Truth
from tiltwise.sim.body.kinematic_chain import Link, Motion
from tiltwise.sim.body.minimum_jerk import Profiles
from tiltwise.sim.body.motion_script import Script
from tiltwise.sim.body.person import Person, draw
from tiltwise.sim.body.scenario import Scenario, ScenarioOptions, find_scenario
from tiltwise.sim.body.segments import CHANNELS, Body, ripples
from tiltwise.types import ACTIVITIES, Activity, FloatArray, ImuBlock, Mount

_TRUTH_GRID_HZ = 50.0


@dataclass(frozen=True, slots=True)
class WearerMotion:
    """One mount of the wearer at the times t_s (n,).

    The angles of the mount are what an ideal sensor fixed to the bone there shows against the neutral posture;
    neck_flexion_deg = head_inclination_deg - upper_back_tilt_deg, both signed, forward positive. Angles are NaN and
    meaningless while the part is not worn. q_earth_from_body belongs to the bone, q_earth_from_sensor to the housing.
    """

    t_s: FloatArray
    q_earth_from_sensor: FloatArray
    q_earth_from_body: FloatArray
    q_earth_from_trunk: FloatArray
    q_earth_from_head: FloatArray
    gyr_rad_s: FloatArray
    acc_m_s2: FloatArray
    position_m: FloatArray
    flexion_deg: FloatArray
    lateral_deg: FloatArray
    rotation_deg: FloatArray
    inclination_deg: FloatArray
    head_inclination_deg: FloatArray
    upper_back_tilt_deg: FloatArray
    neck_flexion_deg: FloatArray
    rise_m: FloatArray
    activity: NDArray[np.int8]
    is_worn: NDArray[np.bool_]


class Wearer:
    """Somebody living through a scenario.

    Parameters
    ----------
    scenario
        A name of SCENARIOS, or a story of one's own.
    seed
        Decides the person, the small choices and how the sensor sits.
    minutes
        Length of the story; the scenario's own if None.
    mount
        Where the sensor is worn; `motion` and `imu` can be asked about any other place too.
    misalignment_deg
        The part sits turned by up to so much on each axis, beyond its arbitrary base orientation.
    remount_deg
        How differently the part sits after having been off, on each axis; two parts are off and on together.
    soft_tissue
        1 for an ordinary fit, 0 for a part screwed to the bone.
    is_calibrated
        Begin with the guided calibration.
    sensor_axes
        "any": the part's axes point anywhere; "out": its +z points away from the skin, as in a case of ours; "body":
        they are the body's (plus misalignment), for easy tests.
    bows
        Bow the upper back when calibrating; by default only if the mount is the collar.
    """

    def __init__(
        self,
        scenario: str | Scenario = "desk",
        *,
        seed: int = 0,
        minutes: float | None = None,
        mount: Mount | str = Mount.NECK,
        misalignment_deg: float = 12.0,
        remount_deg: float = 8.0,
        soft_tissue: float = 1.0,
        is_calibrated: bool = True,
        sensor_axes: str = "any",
        bows: bool | None = None,
    ) -> None:
        story = scenario if isinstance(scenario, Scenario) else find_scenario(scenario)
        name = story.summary if isinstance(scenario, Scenario) else scenario
        minutes = story.minutes if minutes is None else minutes
        if not minutes >= story.least_minutes:
            raise ValueError(
                f"scenario {name} needs at least {story.least_minutes:g} minutes, got {minutes:g}"
            )
        if sensor_axes not in ("any", "out", "body"):
            raise ValueError(f"sensor_axes {sensor_axes!r}, expected 'any', 'out' or 'body'")
        self.scenario, self.seed, self.mount = name, seed, Mount(mount)
        self.duration_s = 60.0 * minutes
        # One stream per purpose: a longer story does not change the person, another mount not the story.
        self.person: Person = draw(np.random.default_rng([seed, 1]))
        bows = self.mount is Mount.COLLAR if bows is None else bows
        script = Script(self.person, np.random.default_rng([seed, 2]), self.duration_s, bows=bows)
        story.play(script, ScenarioOptions(remount_deg, is_calibrated))
        self._script = script
        self._profiles = Profiles(CHANNELS, script.moves, script.initial)
        self._ripples = ripples(self.person, np.random.default_rng([seed, 3]))
        self._body = Body(self.person, soft_tissue=soft_tissue)
        self._sensor_axes = sensor_axes
        self._fit = {m: _fit(self.person, m, seed, misalignment_deg, sensor_axes) for m in Mount}
        self._story = script.truth()
        self._span_start_s = np.array([span.start_s for span in self._story.spans])
        self._span_code = np.array(
            [ACTIVITIES.index(span.activity) for span in self._story.spans], dtype=np.int8
        )

    def outward(self, mount: Mount | None = None) -> FloatArray:
        """Return the sensor axis (3,) that points away from the skin if the part is worn straight.

        The part's maker knows it; how crooked the part is worn nobody does.
        """
        base = _base(mount or self.mount, self.seed, self._sensor_axes)
        return rotation.rotate(base, np.array([-1.0, 0.0, 0.0]))

    def truth(self, mount: Mount | None = None) -> Truth:
        """Return the story, with the peaks of the repetitions as a mount (the wearer's own) shows them."""
        reps = tuple(self._with_peak(rep, mount or self.mount) for rep in self._story.repetitions)
        return replace(self._story, repetitions=reps)

    def imu(self, t_s: FloatArray, mount: Mount | None = None, *, sensor: int = 0) -> ImuBlock:
        """Return what an ideal IMU measures at the times t_s (n,): rad/s and m/s2 in sensor axes."""
        mount = mount or self.mount
        t_s = np.asarray(t_s, dtype=np.float64)
        x = self._coordinates(t_s)
        part = self._part(mount, self._body.segment(mount, self._body.trunk(x), x), x)
        q = self._fit[mount]
        return ImuBlock(
            t_s, rotation.rotate(q, _rows(part.gyr_rad_s)), rotation.rotate(q, _rows(part.acc_m_s2)), sensor
        )

    def motion(self, t_s: FloatArray, mount: Mount | None = None) -> WearerMotion:
        """Return everything that is true at the times t_s (n,) about a mount (the wearer's own) and the body."""
        mount = mount or self.mount
        t_s = np.asarray(t_s, dtype=np.float64)
        x = self._coordinates(t_s)
        trunk = self._body.trunk(x)
        head = self._body.head(trunk, x)
        segment = self._body.segment(mount, trunk, x)
        part = self._part(mount, segment, x)
        fit = self._fit[mount]
        activity = self._span_code[np.maximum(np.searchsorted(self._span_start_s, t_s, side="right") - 1, 0)]
        is_worn = activity != ACTIVITIES.index(Activity.NOT_WORN)
        body, trunk_q, head_q = (_rows(link.q_earth_from_link) for link in (segment, trunk, head))

        def worn(angle: FloatArray) -> FloatArray:
            return np.where(is_worn, angle, np.nan)

        flexion, lateral, inclination = tilt_angles_deg(body)
        head_deg, trunk_deg = worn(tilt_angles_deg(head_q)[0]), worn(tilt_angles_deg(trunk_q)[0])
        return WearerMotion(
            t_s=t_s,
            q_earth_from_sensor=rotation.multiply(_rows(part.q_earth_from_link), rotation.conjugate(fit)),
            q_earth_from_body=body,
            q_earth_from_trunk=trunk_q,
            q_earth_from_head=head_q,
            gyr_rad_s=rotation.rotate(fit, _rows(part.gyr_rad_s)),
            acc_m_s2=rotation.rotate(fit, _rows(part.acc_m_s2)),
            position_m=_rows(part.position_m),
            flexion_deg=worn(flexion),
            lateral_deg=worn(lateral),
            rotation_deg=worn(_rotation_deg(body, x["heading"][0])),
            inclination_deg=worn(inclination),
            head_inclination_deg=head_deg,
            upper_back_tilt_deg=trunk_deg,
            neck_flexion_deg=head_deg - trunk_deg,
            rise_m=x["rise"][0],
            activity=activity,
            is_worn=is_worn,
        )

    def q_sensor_from_body(self, t_s: float, mount: Mount | None = None) -> FloatArray:
        """Return the true mounting (4,) at a time, without soft-tissue motion: what calibration should find."""
        mount = mount or self.mount
        channels = self._profiles(np.array([t_s]))
        x, y, z = (
            np.radians(channels.value[CHANNELS.index(name), 0]) for name in ("part_x", "part_y", "part_z")
        )
        q_body_from_part = rotation.IDENTITY
        for axis, angle in (([0.0, 0.0, 1.0], z), ([0.0, 1.0, 0.0], y), ([1.0, 0.0, 0.0], x)):
            turn = rotation.from_rotation_vector(np.array(axis) * angle)
            q_body_from_part = rotation.multiply(q_body_from_part, turn)
        return rotation.multiply(self._fit[mount], rotation.conjugate(q_body_from_part))

    def posture_runs(
        self, above_deg: float = 20.0, min_s: float = 60.0, *, dip_s: float = 3.0, mount: Mount | None = None
    ) -> list[PostureRun]:
        """Return when the mount's true flexion stayed above a limit for min_s, not minding dips under dip_s."""
        runs: list[PostureRun] = []
        for start_s, end_s, peak_deg in self._pieces_above(above_deg, mount):
            if runs and start_s - runs[-1].end_s < dip_s:
                runs[-1] = PostureRun(runs[-1].start_s, end_s, max(runs[-1].peak_deg, peak_deg))
            else:
                runs.append(PostureRun(start_s, end_s, peak_deg))
        return [run for run in runs if run.end_s - run.start_s >= min_s]

    def _pieces_above(self, above_deg: float, mount: Mount | None) -> list[tuple[float, float, float]]:
        """Return (start_s, end_s, peak_deg) of every stretch above the limit on a 20 Hz grid."""
        t = np.arange(0.0, self.duration_s, 0.05)
        flexion = np.concatenate(
            [self.motion(part, mount).flexion_deg for part in np.array_split(t, len(t) // 4096 + 1)]
        )
        above = np.concatenate(([False], flexion > above_deg, [False]))
        edges = np.flatnonzero(above[1:] != above[:-1])
        time = np.append(t, self.duration_s)
        return [
            (float(time[a]), float(time[b]), float(np.max(flexion[a:b])))
            for a, b in zip(edges[::2], edges[1::2], strict=True)
        ]

    def _coordinates(self, t_s: FloatArray) -> dict[str, Motion]:
        return self._body.coordinates(self._profiles(t_s), self._ripples, t_s)

    def _part(self, mount: Mount, segment: Link, x: dict[str, Motion]) -> Link:
        return self._body.part(mount, segment, x)

    def _with_peak(self, rep: TrueRep, mount: Mount) -> TrueRep:
        """Return the repetition with peak and its time read off the mount's true angle."""
        t = np.arange(rep.start_s, rep.end_s, 1 / _TRUTH_GRID_HZ)
        motion = self.motion(t, mount)
        angle = {
            "flexion": motion.flexion_deg,
            "lateral": motion.lateral_deg,
            "rotation": motion.rotation_deg,
            "rise": motion.rise_m,
        }[rep.direction[:-1]]
        signed = angle if rep.direction[-1] == "+" else -angle
        is_lying = motion.activity[0] == ACTIVITIES.index(Activity.LYING)
        if is_lying or rep.direction.startswith("rotation"):
            signed = signed - signed[0]  # no heading, or no upright neutral: measured per movement
        k = int(np.argmax(signed))
        if rep.direction == "rise+":
            return replace(rep, peak_s=float(t[k]), peak_rise_m=float(signed[k]))
        return replace(rep, peak_s=float(t[k]), peak_deg=float(signed[k]))


def tilt_angles_deg(q_earth_from_body: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return flexion, lateral tilt and inclination, each (n,) in deg, of body axes (n, 4)."""
    ux, uy, uz = np.moveaxis(rotation.up_in_sensor(q_earth_from_body), -1, 0)
    flexion, lateral = np.arctan2(-ux, uz), np.arcsin(np.clip(uy, -1.0, 1.0))
    return np.degrees(flexion), np.degrees(lateral), np.degrees(np.arctan2(np.hypot(ux, uy), uz))


def _rotation_deg(q_earth_from_body: FloatArray, heading_rad: FloatArray) -> FloatArray:
    """Return the twist about the body's z axis, right positive, continuous however often the person turned round."""
    half = heading_rad / 2
    zero = np.zeros_like(half)
    q_trunk_from_earth = np.stack((np.cos(half), zero, zero, -np.sin(half)), axis=-1)
    q = rotation.multiply(q_trunk_from_earth, q_earth_from_body)
    q = np.where(q[..., :1] < 0, -q, q)
    return -np.degrees(heading_rad + 2 * np.arctan2(q[..., 3], q[..., 0]))


def _fit(person: Person, mount: Mount, seed: int, misalignment_deg: float, sensor_axes: str) -> FloatArray:
    """Return q_sensor_from_part (4,): how the chip lies in its housing and how the housing leans on the body."""
    rng = np.random.default_rng([seed, 4, list(Mount).index(mount)])
    tilt = rotation.from_rotation_vector(np.radians(rng.uniform(-1, 1, 3) * misalignment_deg))
    if sensor_axes == "body":
        return tilt
    slope = {
        Mount.COLLAR: person.collar_slope_deg,
        Mount.NECK: person.neck_slope_deg,
        Mount.HEAD: person.head_slope_deg,
    }[mount]
    lean = rotation.from_rotation_vector(np.array([0.0, -np.radians(slope), 0.0]))
    base = _base(mount, seed, sensor_axes)
    return rotation.multiply(rotation.multiply(base, tilt), lean)


def _base(mount: Mount, seed: int, sensor_axes: str) -> FloatArray:
    """Return how the chip lies in its housing, (4,): sensor axes from those of the housing worn straight."""
    if sensor_axes == "body":
        return rotation.IDENTITY
    if sensor_axes == "out":
        return rotation.from_rotation_vector(np.array([0.0, np.pi / 2, 0.0]))
    rng = np.random.default_rng([seed, 4, list(Mount).index(mount)])
    rng.uniform(-1, 1, 3)  # how the housing leans: drawn first, by _fit
    base = rotation.IDENTITY
    for axis, angle in zip(np.eye(3), rng.integers(0, 4, 3) * (np.pi / 2), strict=True):
        base = rotation.multiply(base, rotation.from_rotation_vector(axis * angle))
    return base


def _rows(columns: tuple[FloatArray, ...]) -> FloatArray:
    return np.stack(columns, axis=-1)

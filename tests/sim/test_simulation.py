"""The whole sensor without hardware: the real firmware says what the wearer does, in frames like any other link's."""

import struct

import numpy as np
import pytest

from tiltwise.common import wire
from tiltwise.common.frame import open_frame
from tiltwise.decode.decoder import Decoder
from tiltwise.motion import rotation
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body.wearer import tilt_angles_deg
from tiltwise.types import FloatArray, ImuBlock, Mount, OrientationBlock


def orientations(frames: list[bytes], sensor: int = 0) -> tuple[FloatArray, FloatArray]:
    """Return times (n,) and q_earth_from_sensor (n, 4) of all ORIENT frames of one sensor."""
    blocks = [
        b for b in Decoder().feed_many(frames) if isinstance(b, OrientationBlock) and b.sensor == sensor
    ]
    return np.concatenate([b.t_s for b in blocks]), np.concatenate([b.q_earth_from_sensor for b in blocks])


@pytest.mark.parametrize("mount", list(Mount))
def test_the_board_sees_the_true_flexion(mount: Mount) -> None:
    simulation = Simulation("slouch", seed=4, minutes=2, mount=mount, soft_tissue=0.0)
    frames = [frame for _, frame in simulation]
    t, q = orientations(frames)
    assert len(t) > 0.98 * 120 * 50  # 50 Hz, less the 30 ms that are still to come
    true = simulation.wearer.motion(t)
    neutral = simulation.truth.calibrations[0]
    quiet = (t > neutral.neutral_start_s) & (t < neutral.neutral_end_s)
    # The calibration takes the accelerometer's offset away: align to the true body over the still seconds.
    body_up = np.mean(rotation.up_in_sensor(true.q_earth_from_body)[quiet], axis=0)
    sensor_up = np.mean(rotation.up_in_sensor(q)[quiet], axis=0)
    mounting = simulation.wearer.q_sensor_from_body(3.0)
    tilt = rotation.from_two_vectors(rotation.rotate(mounting, body_up), sensor_up)
    flexion = tilt_angles_deg(rotation.multiply(q, rotation.multiply(tilt, mounting)))[0]
    error = (flexion - true.flexion_deg)[t > neutral.neutral_end_s]
    # What is left: gyroscope noise, sensitivity error of 1 %, and accelerometer offset across 40 deg of tilt.
    assert np.sqrt(np.mean(error**2)) < 1.2


def test_frames_come_in_order_with_info_first_and_times_rise() -> None:
    simulation = Simulation("upright", seed=1, minutes=0.5)
    times, frames = zip(*simulation, strict=True)
    assert wire.INFO in [open_frame(frame)[0] for frame in frames[:4]]
    assert list(times) == sorted(times)
    assert 29.0 < times[-1] <= 30.0
    numbers = [open_frame(frame)[3] for frame in frames]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_the_same_seed_gives_the_same_bytes_however_time_is_cut() -> None:
    whole = [frame for _, frame in Simulation("walking", seed=7, minutes=0.6)]
    cut = Simulation("walking", seed=7, minutes=0.6)
    rng = np.random.default_rng(3)
    frames: list[bytes] = []
    while cut.now_s < cut.duration_s:
        frames += cut.step(min(cut.now_s + rng.uniform(0.01, 3.0), cut.duration_s))
    assert frames == whole
    assert [f for _, f in Simulation("walking", seed=8, minutes=0.6)] != whole


def test_two_sensors_tell_head_from_upper_back() -> None:
    simulation = Simulation("phone", seed=2, minutes=1, mount=Mount.HEAD, two_sensors=True)
    assert simulation.mounts == (Mount.HEAD, Mount.COLLAR)
    frames = [frame for _, frame in simulation]
    tilt = []
    for sensor in (0, 1):
        t, q = orientations(frames, sensor)
        up = rotation.up_in_sensor(q)
        neutral = np.mean(up[(t > 2) & (t < 4)], axis=0)
        tilt.append(np.median(rotation.angle_between_deg(up[t > 20], neutral)))
    head, collar = tilt
    assert head > 40
    assert 5 < collar < 20


def test_commands_reach_the_firmware_and_are_answered() -> None:
    simulation = Simulation("upright", minutes=0.5, stream=None, auto_ack=False)
    assert not any(open_frame(f)[0] == wire.RAW for f in simulation.step(2.0))
    simulation.send(wire.pack_command(9, wire.OP_START, 1, struct.pack("<BB", wire.RAW, 10)))
    frames = simulation.step(6.0)
    request_id, opcode, _, payload = wire.open_command(simulation.replies[0])
    assert (request_id, opcode, payload[0]) == (9, wire.OP_START | wire.REPLY, wire.STATUS_OK)
    raw = [b for b in Decoder().feed_many(frames) if isinstance(b, ImuBlock)]
    norm = np.linalg.norm(np.concatenate([b.acc_m_s2 for b in raw]), axis=1)
    assert np.median(norm) == pytest.approx(9.81, abs=0.5)  # offset up to 40 mg


def test_iteration_goes_on_where_it_stopped() -> None:
    simulation = Simulation("upright", minutes=0.5)
    first = [next(iter(simulation)) for _ in range(5)]
    assert first + list(simulation) == list(Simulation("upright", minutes=0.5))

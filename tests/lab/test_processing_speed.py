"""`bench speed` measures the stages that it names, on samples that really go through."""

import numpy as np
import pytest

from tiltwise.decode.decoder import Decoder
from tiltwise.types import OrientationBlock
from tiltwise_lab.bench.accuracy import processing_speed
from tiltwise_lab.bench.accuracy.processing_speed import live_rows, speed_rows
from tiltwise_lab.bench.accuracy.speed_ratios import ratio_rows

HOURS = 0.02  # 72 s, enough for the calibration


def test_each_path_has_its_stages_and_their_sum() -> None:
    rows = [row for _, row in speed_rows(HOURS, repeats=1)]
    stages = {path: [r.stage for r in rows if r.path == path] for path in dict.fromkeys(r.path for r in rows)}
    behind = ["angles and detectors", "summary", "total"]
    assert stages == {
        "orient frames": ["decode", *behind],
        "raw frames": ["decode", "orientation", *behind],
        "npz file": ["file to frames", "decode", "orientation", *behind],
    }
    for path in stages:
        *parts, total = [row.best_s for row in rows if row.path == path]
        assert total == pytest.approx(sum(parts))
    assert {row.samples for row in rows} == {3600}
    assert all(row.best_s > 0 and row.samples_per_s == row.samples / row.best_s for row in rows)


def test_made_orient_frames_decode_to_the_orientation_put_in() -> None:
    day = processing_speed.made_day(HOURS, 1)
    items = Decoder(max_without_info=None).feed_many(day.frames["orient frames"])
    blocks = [item for item in items if isinstance(item, OrientationBlock)]
    q = np.concatenate([block.q_earth_from_sensor for block in blocks])
    t_s = np.concatenate([block.t_s for block in blocks])
    assert len(t_s) == day.samples
    np.testing.assert_allclose(t_s, day.imu.t_s, atol=2e-4)  # s: ticks of 0.1 ms
    expected = processing_speed.OrientationStage().process(day.imu).q_earth_from_sensor
    same = np.abs(np.sum(q * expected, axis=1))
    assert np.min(same) > 1 - 1e-8  # int16 quaternions: 0.005 deg


def test_a_live_session_takes_cpu_time_with_and_without_its_store() -> None:
    rows = [row for _, row in live_rows(0.5, scenario="upright")]
    parts = ["simulated sensor", "session", "session with store"]
    assert [(r.stream, r.part) for r in rows] == [(s, p) for s in ("orient", "raw") for p in parts]
    assert all(row.simulated_s == 30.0 and row.cpu_s > 0 for row in rows)
    assert all(row.percent_of_core == pytest.approx(100 * row.cpu_s / 30.0) for row in rows)


def test_ratios_are_of_ours_to_the_peer_that_is_named() -> None:
    rows = [row for _, row in ratio_rows(HOURS, repeats=1)]
    assert [(row.ours, row.peer) for row in rows] == [
        ("online orientation", "VQF"), ("offline orientation", "offlineVQF"), (".npz to summary", "VQF"),
    ]  # fmt: skip
    assert all(row.ours_s > 0 and row.ratio == pytest.approx(row.ours_s / row.peer_s) for row in rows)
    assert rows[0].peer_s == rows[2].peer_s
    assert rows[2].ours_s > 0

"""`watch replay:FILE` and `analyze FILE` tell the same events: frame by frame, and in large blocks."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tiltwise.common import wire
from tiltwise.config.settings import RuleKind, RuleSetting, Settings
from tiltwise.detect.posture import RuleSettings
from tiltwise.live.open_session import Worn, open_session
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.offline.analyze import analyze
from tiltwise.offline.input_file import choose_mounting, read_input
from tiltwise.recording.replay import load_tape
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body.wearer import Wearer
from tiltwise.types import ActivityChanged, EpisodeAlert, EpisodeEnded, EpisodeStarted, Event, Mount

TOLD = (ActivityChanged, EpisodeAlert, EpisodeEnded, EpisodeStarted)
RULE = RuleSetting(
    kind=RuleKind.SIMPLE, angle_deg=20.0, seconds=20.0
)  # shorter than the default, so that short files have alerts


def replayed(path: Path, mounting: Mounting) -> list[Event]:
    """What a live session tells about the frames of a file."""
    worn = Worn(mount=mounting.mount, mounting=mounting)
    session = open_session(worn, settings=Settings(rule=RULE), started_utc_s=0.0)
    tape = load_tape(path)
    told = [session.receive(t, f) for t, f in zip(tape.received_s.tolist(), tape.frames, strict=True)]
    return [e for events in [*told, session.finish()] for e in events if isinstance(e, TOLD)]


def analyzed(path: Path, mounting: Mounting) -> list[Event]:
    """What analyze tells about the file."""
    rule = RuleSettings(RULE.angle_deg, RULE.angle_deg - RULE.hysteresis_deg, RULE.seconds, RULE.recovery_s)
    return [e for e in analyze(read_input(path), mounting, rule=rule).events if isinstance(e, TOLD)]


@cache
def slouch(stream: int) -> list[tuple[float, bytes]]:
    """The frames of a simulated slouch."""
    return list(Simulation("slouch", seed=2, minutes=2.5, stream=stream))


def record(path: Path, stream: int, lost: range = range(0)) -> Path:
    """A recording of it, without the frames of some numbers."""
    with RecordingWriter(path, {"mount": "neck"}) as writer:
        for k, (t_s, frame) in enumerate(slouch(stream)):
            if k not in lost:
                writer.write(t_s, frame)
    return path


@pytest.mark.parametrize("stream", [pytest.param(wire.ORIENT, id="orient"), pytest.param(wire.RAW, id="raw")])
def test_a_simulated_recording_tells_the_same_events(tmp_path: Path, stream: int) -> None:
    path = record(tmp_path / "slouch.tw", stream)
    mounting, notes = choose_mounting(read_input(path), mount=Mount.NECK)
    assert "guided calibration" in notes[0]
    ours = replayed(path, mounting)
    assert sum(isinstance(e, EpisodeAlert) for e in ours) >= 1
    assert ours == analyzed(path, mounting)


def test_a_recording_with_lost_frames_tells_the_same_events(tmp_path: Path) -> None:
    whole = record(tmp_path / "whole.tw", wire.ORIENT)
    mounting, _ = choose_mounting(read_input(whole), mount=Mount.NECK)
    path = record(tmp_path / "lost.tw", wire.ORIENT, lost=range(300, 340))  # 8 s in the slump
    ours = replayed(path, mounting)
    assert ours == analyzed(path, mounting)
    assert ours != replayed(whole, mounting)


def test_an_npz_file_tells_the_same_events(tmp_path: Path) -> None:
    wearer = Wearer("slouch", seed=5, minutes=2.5, mount=Mount.HEAD)
    rng = np.random.default_rng(5)
    t_s = np.arange(0, 150, 0.01) + rng.uniform(0, 5e-4, 15000)  # stamps as a computer's clock gives them
    imu = wearer.imu(t_s)
    path = tmp_path / "slouch.npz"
    np.savez(path, t=t_s, gyr=imu.gyr_rad_s, acc=imu.acc_m_s2 + rng.normal(0, 0.02, (15000, 3)))
    mounting, _ = choose_mounting(read_input(path), mount=Mount.HEAD)
    ours = replayed(path, mounting)
    assert sum(isinstance(e, EpisodeAlert) for e in ours) >= 1
    assert ours == analyzed(path, mounting)


def test_recordings_of_people_tell_the_same_events(shared_data: Path) -> None:
    index = json.loads((shared_data / "human" / "index.json").read_text())
    by_label: dict[str, tuple[str, dict]] = {}
    for name, about in sorted(index.items()):
        if name.startswith("classyglass/") and not about.get("neutral_suspect"):
            by_label.setdefault(about["label"], (name, about))
    labels = ("reading_book", "computer_typing", "walking")
    for name, about in (by_label[label] for label in labels):
        path = shared_data / "human" / f"{name}.npz"
        up = ",".join(str(x) for x in about["neutral_up_sensor"])
        mounting, _ = choose_mounting(read_input(path), mount=Mount.HEAD, neutral_up_text=up)
        assert replayed(path, mounting) == analyzed(path, mounting), name

"""How `bench sim` scores: runs against alerts, sets of repetitions, share of the mounting."""

import numpy as np
import pytest

from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body.ground_truth import PostureRun
from tiltwise.sim.body.wearer import Wearer
from tiltwise.types import EpisodeAlert, EpisodeEnded, Mount, PostureKind
from tiltwise_lab.bench.accuracy import simulated_wearers
from tiltwise_lab.bench.accuracy.simulated_run import run_simulation
from tiltwise_lab.bench.accuracy.simulated_wearers import match_runs, rep_sets, rms, sim_rows

KIND = PostureKind.FORWARD_FLEXION


def alert(t_s: float) -> EpisodeAlert:
    return EpisodeAlert(t_s, KIND, t_s - 60.0, 30.0)


@pytest.mark.parametrize(
    ("delay_s", "outcome"), [(-5.1, "late"), (-5.0, "on_time"), (15.0, "on_time"), (15.1, "late")]
)
def test_a_run_with_an_alert_in_it_is_on_time_or_late_by_when_it_was_due(
    delay_s: float, outcome: str
) -> None:
    runs = [PostureRun(100.0, 200.0, 40.0)]
    outcomes, delays_s = match_runs(runs, [alert(160.0 + delay_s)])
    assert outcomes == {outcome: 1}
    assert delays_s == pytest.approx([delay_s])


def test_an_alert_outside_a_run_leaves_it_missed() -> None:
    runs = [PostureRun(100.0, 170.0, 40.0)]
    assert match_runs(runs, [alert(99.0), alert(175.0)]) == ({"missed": 1}, [])


@pytest.mark.parametrize(("alert_s", "outcome"), [(80.0, "covered"), (130.0, "covered"), (190.0, "late")])
def test_a_run_is_covered_by_the_earlier_alarm_of_its_episode_only(alert_s: float, outcome: str) -> None:
    episode = EpisodeEnded(240.0, KIND, 20.0, 239.0, 40.0, alert_s)
    assert match_runs([PostureRun(100.0, 200.0, 40.0)], [alert(alert_s), episode])[0] == {outcome: 1}


def test_a_run_in_an_episode_without_an_alarm_or_after_one_is_missed() -> None:
    runs = [PostureRun(100.0, 200.0, 40.0)]
    silent = EpisodeEnded(240.0, KIND, 20.0, 239.0, 40.0, None)
    over = EpisodeEnded(95.0, KIND, 20.0, 94.0, 40.0, 80.0)
    assert match_runs(runs, [silent, alert(80.0), over])[0] == {"missed": 1}


def test_the_root_mean_square_leaves_out_what_is_not_known() -> None:
    assert rms(np.array([3.0, np.nan, -4.0])) == pytest.approx(np.sqrt(12.5))
    assert np.isnan(rms(np.array([np.nan])))


def test_sets_hold_one_exercise_each_and_only_what_the_mount_can_count() -> None:
    wearer = Wearer("exercises", seed=1, minutes=8, mount=Mount.HEAD)
    sets = rep_sets(wearer, 0.0)
    assert all(len({rep.exercise for rep in part}) == 1 for part in sets)
    assert len({part[0].exercise for part in sets}) >= 2
    assert rep_sets(Wearer("tilts", seed=1, minutes=2, mount=Mount.COLLAR), 0.0) == []


def test_a_known_mounting_explains_the_error_of_a_wrong_one() -> None:
    """With an honest calibration the two agree within degrees; were the true mounting not true they would not."""
    run = run_simulation(Simulation("upright", seed=4, minutes=0.75, mount=Mount.NECK))
    motion = simulated_wearers.motion_at(run.wearer, run.angles.t_s)
    errors_deg = simulated_wearers.true_mounting_errors_deg(run, motion)
    assert len(errors_deg) == len(motion.t_s)
    assert rms(errors_deg) < 2.0  # deg: soft tissue, accelerometer offset and delay


def test_without_an_accepted_ritual_every_run_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(simulation: Simulation) -> None:
        raise simulated_wearers.NotCalibratedError("none")

    monkeypatch.setattr(simulated_wearers, "run_simulation", never)
    row = simulated_wearers.sim_row("slouch", mount=Mount.HEAD, minutes=3.0)
    assert row.runs >= 1
    assert row.missed == row.runs
    assert np.isnan(row.flexion_deg)


def test_rows_come_for_each_scenario_mount_and_stream_with_the_share_done() -> None:
    rows = list(sim_rows(("upright",), mounts=(Mount.HEAD,), seeds=(1, 2), minutes=0.6))
    assert [(row.stream, row.seed) for _, row in rows] == [("orient", 1), ("raw", 1), ("orient", 2)]
    assert [share for share, _ in rows] == pytest.approx([1 / 3, 2 / 3, 1.0])

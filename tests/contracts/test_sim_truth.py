"""The whole system on simulated people against what really happened: angles, alerts and repetitions."""

import pytest

from tiltwise.types import Mount
from tiltwise_lab.bench.accuracy.simulated_wearers import SimRow, sim_row

# deg. Calibration takes the neutral from 3 s of a swaying person (about 1 deg), the part slips on skin and cloth by
# another degree, the collar's under clothes more; the angles come 45 ms late. Seeds 1 to 6 of the slump reach 2.0 at
# the collar, 2.7 elsewhere (seed 5): that one is run.
FLEXION_DEG = 3.0


def _check_angles(row: SimRow) -> None:
    print(
        f"{row.scenario} {row.mount}: flexion {row.flexion_deg:.2f}, with true mounting {row.true_mounting_deg:.2f}"
    )
    assert row.flexion_deg < FLEXION_DEG
    assert row.inclination_deg < FLEXION_DEG
    assert row.true_mounting_deg < FLEXION_DEG
    assert row.mounting_error_deg < 10.0  # deg: people nod a few degrees crookedly


@pytest.mark.parametrize("mount", list(Mount))
def test_a_slump_is_measured_and_alerted(mount: Mount) -> None:
    row = sim_row("slouch", mount=mount, seed=5, minutes=3.0)
    _check_angles(row)
    assert row.runs >= 1
    assert (row.on_time, row.missed, row.false_alarms) == (row.runs, 0, 0)
    assert abs(row.delay_s) < 5.0  # s: the limit is crossed slowly, where a degree makes a second or two


@pytest.mark.parametrize("mount", list(Mount))
def test_side_tilts_are_measured_and_counted(mount: Mount) -> None:
    row = sim_row("tilts", mount=mount, seed=2, minutes=2.0)
    _check_angles(row)
    assert row.false_alarms == 0
    assert row.reps_off == 0
    assert (row.reps > 0) == (mount is not Mount.COLLAR)  # the collar does not see the head tilt


def test_walking_never_alarms() -> None:
    row = sim_row("walking", mount=Mount.HEAD, seed=2, minutes=1.5)
    assert row.flexion_deg < 2.5  # deg: steps shake the filter
    assert row.false_alarms == 0

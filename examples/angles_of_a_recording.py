"""Neck angles of a recording: python angles_of_a_recording.py RECORDING.tw

Make one without hardware: tiltwise watch "sim:slouch?minutes=3&speed=max" --no-store --record RECORDING.tw
The wearer sits still from second 1 to 4 and then nods three times, as every simulated story begins.
"""

import sys

import numpy as np

import tiltwise as tw

NEUTRAL_S, NODS_S = (1.0, 4.2), (4.2, 12.0)


def cut(blocks: list[tw.OrientationBlock], start_s: float, end_s: float) -> tw.OrientationBlock:
    """Return the samples in [start_s, end_s) as one block."""
    t_s = np.concatenate([block.t_s for block in blocks])
    q = np.concatenate([block.q_earth_from_sensor for block in blocks])
    acc_m_s2 = np.concatenate([block.acc_m_s2 for block in blocks])
    part = (t_s >= start_s) & (t_s < end_s)
    return tw.OrientationBlock(t_s[part], q[part], acc_m_s2[part])


def main() -> None:
    blocks = [block for block in tw.read_recording(sys.argv[1]) if isinstance(block, tw.OrientationBlock)]
    mounting = tw.calibrate(cut(blocks, *NEUTRAL_S), cut(blocks, *NODS_S), mount=tw.Mount.NECK)
    print(f"calibrated, quality {mounting.quality:.0%}")
    updates = list(
        tw.track(tw.TrackerSettings(mounting, rule=tw.RuleSettings(angle_deg=20.0, seconds=60.0)), blocks)
    )
    flexion_deg = np.concatenate([update.angles.flexion_deg for update in updates])
    print(
        "flexion P10 / P50 / P90: {:.0f} / {:.0f} / {:.0f} deg".format(
            *np.nanpercentile(flexion_deg, (10, 50, 90))
        )
    )
    for event in (event for update in updates for event in update.events):
        print(f"{event.t_s:6.1f} s  {type(event).__name__}")


if __name__ == "__main__":
    main()

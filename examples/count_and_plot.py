"""Count the side tilts of an IMU file and draw its angles: python count_and_plot.py FILE.npz PICTURE.png

The file holds t (n,), acc (n, 3) and gyr (n, 3) in s, m/s2 and rad/s. It begins with three still seconds and three
nods, as `tiltwise calibrate` asks for them.
"""

import sys

import numpy as np

import tiltwise as tw

NEUTRAL_S, NODS_S = (1.0, 4.2), (4.2, 12.0)


def main() -> None:
    file = tw.load_imu(sys.argv[1])
    q = tw.estimate_orientation(file.t_s, file.gyr_rad_s, file.acc_m_s2)

    def cut(start_s: float, end_s: float) -> tw.OrientationBlock:
        part = (file.t_s >= start_s) & (file.t_s < end_s)
        return tw.OrientationBlock(file.t_s[part], q[part], file.acc_m_s2[part], file.gyr_rad_s[part])

    mounting = tw.calibrate(cut(*NEUTRAL_S), cut(*NODS_S), mount=tw.Mount.HEAD)
    update = tw.Tracker(tw.TrackerSettings(mounting)).process(cut(0.0, np.inf))
    counter = tw.RepCounter("side_tilt", tw.EXERCISES["side_tilt"].signal)
    for rep in counter.process(update.angles, update.activity):
        print(
            f"{rep.peak_s:6.1f} s  {rep.side:<5} {rep.peak_deg:3.0f} deg{'  (partial)' if rep.is_partial else ''}"
        )
    tw.plots.angles(update.angles, mount=tw.Mount.HEAD, title="Side tilts").savefig(sys.argv[2])


if __name__ == "__main__":
    main()

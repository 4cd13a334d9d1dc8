"""The numbers of `tiltwise bench firmware`, in short: the goals that must hold on every machine."""

import math

from tiltwise_lab.bench.firmware import cost, hostile_writes, radio_streaming, sensor_modes, work


def last(rows):
    return list(rows)[-1][1]


def test_a_bad_hour_loses_nothing_inside_the_ring_and_tells_of_the_rest():
    row = last(radio_streaming.loss_rows(hours=0.4, disconnects=9, reboots=1, seed=3))
    print(row)
    assert row.inside == 0
    assert row.beyond > 100  # some absences were longer than the ring, or this shows nothing
    assert row.unaccounted == 0
    assert row.unflagged_holes == 0
    assert row.reboots == 1
    assert row.samples > 0.8 * row.hours * 3600 * 50


def test_fusion_allocates_less_than_its_goal_and_far_less_than_madgwick():
    rows = {row.name: row for _, row in cost.fusion_rows(None, n=300)}
    ours, plain = rows["tiltwise firmware"], rows["Madgwick, beta 0.033"]
    print(ours)
    assert ours.n_bytes <= 500
    assert ours.n_bytes < 0.3 * plain.n_bytes
    assert math.isnan(ours.rmse_deg)  # no recordings were named
    assert ours.time_ratio > 0


def test_work_of_the_firmware_is_told_in_turns_of_a_loop():
    """A sample runs through some hundred bytecodes and a turn of the loop through ten."""
    sample, look, first, fourth = (row.turns for _, row in work.work_rows(runs=1))
    print(sample, look, first, fourth)
    assert sample > 20
    assert look > 20
    assert first > 10 * sample  # 24 blocks of SHA-256 and what is made around them
    assert fourth > 1.1 * first  # 12 blocks more


def test_frugal_modes_of_the_sensor_cost_hundredths_of_a_degree():
    best, stream, save = (row for _, row in sensor_modes.mode_rows(range(21, 23)))
    print(best, stream, save)
    assert 0.0005 < best.rmse_deg < stream.rmse_deg < save.rmse_deg < 0.05
    assert save.worst_deg < 0.2


def test_plain_madgwick_finds_the_tilt_of_a_still_sensor():
    """The filter that ours is measured against works: 30 deg of tilt within 0.5 deg after 60 s."""
    madgwick = cost._load_shim("madgwick").Madgwick(100.0)
    up = -math.sin(math.radians(30)), 0.0, math.cos(math.radians(30))
    for _ in range(6000):
        madgwick.update(0.0, 0.0, 0.0, *up)
    w, x, y, z = madgwick.q
    found = 2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z
    cosine = sum(a * b for a, b in zip(up, found, strict=True))
    assert math.degrees(math.acos(min(cosine, 1.0))) < 0.5


def test_compiled_firmware_has_the_same_size_everywhere():
    """There is no native code in it; 150 kB is a fifth of the smallest flash we name."""
    sizes = {row.arch: row.n_bytes for _, row in cost.size_rows()}
    assert set(sizes) == set(cost.ARCHES)
    assert len(set(sizes.values())) == 1
    assert max(sizes.values()) < 150_000


def test_firmware_takes_less_heap_than_it_is_said_to():
    """From ROM it takes 89 kB with MicroPython itself, below the goal of decision 0017.

    Each bound is the measured value and about 1 %: a module or class more shows, a constant more does not.
    """
    rows = {row.moment: row.heap_bytes for _, row in cost.heap_rows(hours=0.0)}
    for moment, n_bytes in rows.items():
        print(f"{moment:60} {n_bytes}")
    assert rows["all modules, ROM"] < 0.67 * rows["all modules"]
    assert rows["MicroPython alone"] + rows["  the firmware in it, ROM"] < 90_000
    assert rows["  the firmware in it, ROM"] < 81_400  # measured 80 416
    assert 45_000 < rows["  the firmware in it, frozen into the image"] < 60_000  # measured 58 384
    assert rows["  the firmware in it"] < 139_400  # measured 138 352
    assert rows["  the firmware in it, without its rings"] < 124_400  # measured 123 440


def test_hostile_writes_cost_no_sample_and_no_memory_and_status_counts_them():
    """As `tiltwise bench firmware` does a million times: noise, half, damaged, replayed and forged commands."""
    row = last(hostile_writes.hostile_rows(3000, seed=2))
    print(row)
    assert row.writes == 3000
    assert row.connections > 25  # who proves nothing is sent away after 3 s at the latest
    assert abs(row.samples - row.samples_expected) <= 12  # two polls
    # The last peers may have left their failed proofs: four addresses are kept, whatever comes.
    assert row.heap_after - row.heap_early < 2048
    assert 900 < row.status.hostile_commands <= 3000
    assert row.status.wrong_proofs > 0
    assert (row.status.bus_faults, row.status.fifo_overflows, row.status.conditions) == (0, 0, 0)
    assert row.is_key_kept

"""What is simulated or replayed has a store of its own and says so: it is never taken for the wearer's days."""

from pathlib import Path

from command import Command
from store.store_frames import T0_S
from tiltwise.store.stored_samples import REPLAYED, SIMULATED
from tiltwise.store.writer import Store


def test_sim_and_replay_leave_the_wearers_own_store_alone(
    tiltwise: Command, home: Path, leant: Path, tmp_path: Path
) -> None:
    result = tiltwise("watch", f"replay:{leant}?speed=0", "--record", tmp_path / "again.tw")
    assert result.code == 0
    assert f"replayed: its days are kept in {home / 'simulated'}" in result.out
    assert not (home / "core.db").exists()
    told = tiltwise("day")
    assert told.code == 1
    assert f"add --data {home / 'simulated'}" in told.err
    assert f"add --data {home / 'simulated'}" in tiltwise("data").err
    assert f"add --data {home / 'simulated'}" in tiltwise("data", "--check").err
    day = tiltwise("day", "--data", home / "simulated", "--out", tmp_path / "day.png")
    assert ", replayed" in day.out
    assert "replayed, not your own days" in tiltwise("data", "--data", home / "simulated").out


def test_the_origin_is_kept_with_each_session_and_told_of_its_days_only(tmp_path: Path) -> None:
    from app.test_data import fill, minute

    fill(tmp_path, [T0_S])
    for k, origin in enumerate((SIMULATED, REPLAYED), start=1):
        with Store(tmp_path, min_free_bytes=0, origin=origin) as store:
            start_s = T0_S + 86400.0 * k
            session = store.begin_session(
                "x", 50 + k, zone="UTC", mount="neck", started_s=start_s, info={"a": 1}
            )
            store.put_aggregates(session, [minute(start_s)])
    with Store.open_readonly(tmp_path) as reader:
        origins = [reader.day(day).origins for day in reader.days()]
    assert origins == [(), ("simulated",), ("replayed",)]

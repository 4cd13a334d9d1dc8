"""The public names: about twenty, all importable, loaded only when asked for."""

import asyncio
import subprocess
import sys

import tiltwise


def test_every_public_name_is_there_and_the_list_is_sorted() -> None:
    for name in tiltwise.__all__:
        assert getattr(tiltwise, name) is not None, name
    assert len(tiltwise.__all__) <= 24
    assert set(dir(tiltwise)) == set(tiltwise.__all__)


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = "import sys, tiltwise; print([m for m in ('numpy', 'scipy', 'matplotlib', 'bleak') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_follow_gives_the_angles_of_a_source() -> None:
    mounting = tiltwise.Mounting(tiltwise.Mount.NECK, (1.0, 0.0, 0.0, 0.0), "nod", 1.0)

    async def run() -> int:
        samples = 0
        async with tiltwise.open_source("sim:upright?minutes=0.5&speed=max") as source:
            async for update in tiltwise.follow(source, profile=tiltwise.TrackerSettings(mounting)):
                samples += len(update.angles.t_s)
        return samples

    assert 50 * 29 < asyncio.run(run()) < 54 * 30  # 52 Hz nominal for 30 s

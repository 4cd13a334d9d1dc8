"""The commands about a board: set one up, calibrate it, find it. cli.py lists them with the others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tiltwise.app import exit_status
from tiltwise.app.cli_options import (
    AddressArgument,
    DataOption,
    FaceOption,
    InFrontOption,
    MountOption,
    PersonOption,
    PictureOption,
    SoundOption,
    TakeoverOption,
    TiltsOption,
    chosen_mount,
    chosen_settings,
)


def setup(
    port: Annotated[str, typer.Option(help="Serial port; not needed when there is one board.")] = "",
    name: Annotated[str | None, typer.Option(help="Name of the sensor, 24 bytes at most.")] = None,
    mount: MountOption = None,
    board: Annotated[
        str | None, typer.Option(help="A file of firmware/boards/, for an unknown board.")
    ] = None,
    micropython: Annotated[
        Path | None,
        typer.Option(help="MicroPython .bin for a blank ESP32, written first.", exists=True, dir_okay=False),
    ] = None,
    imu_file: Annotated[
        Path | None,
        typer.Option(
            help="For a BMI270: Bosch's bmi270.c, or its .bin of 8192 bytes.", exists=True, dir_okay=False
        ),
    ] = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="A new key even if the old one works.")] = False,
    selftest: Annotated[
        bool,
        typer.Option("--selftest", help="Test each part of a board that was set up; --port sim: tries it."),
    ] = False,
    report: Annotated[Path, typer.Option(help="Where --selftest leaves its report.", dir_okay=False)] = Path(
        "tiltwise-selftest.md"
    ),
    image: Annotated[
        Path | None,
        typer.Option(
            help="Write into this folder what an image with the firmware in it is built from.",
            file_okay=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the steps, touch nothing.")] = False,
) -> None:
    """New board over USB: firmware, key, name; the same command continues after any interruption."""
    from tiltwise.app.setup_steps import run_image, run_selftest, run_setup
    from tiltwise.setup.wizard import Options

    if image is not None:
        run_image(image)
        return
    if selftest:
        run_selftest(port, report)
        return
    place = chosen_mount(mount)
    options = Options(
        port=port,
        name=name,
        board=board,
        mount=None if place is None else place.value,
        micropython=micropython,
        imu_file=imu_file,
        new_key=new_key,
    )
    run_setup(options, is_dry=dry_run)


def calibrate(
    address: AddressArgument = "sim:calibration",
    mount: MountOption = None,
    tilts: TiltsOption = False,
    in_front: InFrontOption = False,
    person: PersonOption = None,
    out: PictureOption = None,
    sound: SoundOption = True,
    anew: Annotated[bool, typer.Option("--anew", help="Store it even if it sits quite differently.")] = False,
    takeover: TakeoverOption = False,
    face: FaceOption = None,
    data: DataOption = None,
) -> None:
    """Sit tall, nod three times: how the sensor sits on this person, stored for the next days."""
    from tiltwise import console
    from tiltwise.app.calibrate import CalibrateOptions, run_calibrate
    from tiltwise.config.calibration_profiles import DEFAULT_PERSON
    from tiltwise.config.settings import parse_face, parse_mount

    wear = chosen_settings().wear
    with exit_status.wrong_use():
        outward = "" if face is None else parse_face(face)
    options = CalibrateOptions(
        address=address,
        mount=chosen_mount(mount),
        with_tilts=tilts,
        is_in_front=in_front,
        person=person or DEFAULT_PERSON,
        out=out,
        has_sound=sound,
        is_anew=anew,
        takeover=takeover,
        data=data,
        default_mount=parse_mount(wear.mount),
        face=outward,
        default_face=wear.face,
    )
    run_calibrate(options, console.out)


def scan(
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="How long to listen for radio.")] = 5.0,
) -> None:
    """Boards on USB and on the air, and the simulated wearers."""
    import asyncio

    from tiltwise import console
    from tiltwise.app.tables import scan_report
    from tiltwise.link import ble, serial

    with console.progress_bar("listening"):
        try:
            on_air, trouble = asyncio.run(ble.discover(seconds)), ""
        except ble.BluetoothError as error:
            on_air, trouble = [], str(error)
    console.out.print(scan_report(serial.ports(), on_air, trouble), highlight=False)

"""The commands about a board: set one up, calibrate it, find it. cli.py lists them with the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tiltwise.app import exit_status
from tiltwise.app.cli_options import (
    AddressArgument,
    DataOption,
    FaceOption,
    InFrontOption,
    JsonOption,
    MountOption,
    PersonOption,
    PictureOption,
    SoundOption,
    TakeoverOption,
    TiltsOption,
    chosen_mount,
    chosen_settings,
)
from tiltwise.config import paths
from tiltwise.errors import AppError


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

    settings = chosen_settings()
    wear = settings.wear
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
        settings=settings,
    )
    run_calibrate(options, console.out)


def board(
    address: Annotated[str, typer.Argument(help="ble:, ble:NAME or serial:PORT")] = "ble:",
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; repeatable.")
    ] = None,
    neutral: Annotated[bool, typer.Option("--neutral", help="Take the wearer's neutral posture.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Start the board anew.")] = False,
    takeover: TakeoverOption = False,
    as_json: JsonOption = False,
) -> None:
    """Health, parts and settings of a board; what `watch` has not fetched yet stays on it."""
    from tiltwise import console
    from tiltwise.app.running.board_command import parse_changes, talk_to_board
    from tiltwise.app.running.board_view import board_json, board_table

    talk = talk_to_board(
        address, parse_changes(changes or []), takes_neutral=neutral, restarts=restart, takeover=takeover,
        console=console.err if as_json else console.out,
    )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(board_json(talk), indent=1))
    else:
        console.out.print(board_table(talk), highlight=False)


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


def doctor(data: DataOption = None) -> None:
    """What works on this computer, and what to do about the rest."""
    from tiltwise import console
    from tiltwise.app.doctor import findings
    from tiltwise.app.tables import finding_line

    broken = 0
    for finding in findings(paths.settings_file(), data or paths.data_folder()):
        console.out.print(finding_line(finding), highlight=False)
        broken += finding.is_needed and not finding.is_ok
    if broken:
        raise AppError(f"{broken} of the things that tiltwise needs do not work here; see above")


keys = typer.Typer(help="Which computers a board lets in.", no_args_is_help=False, rich_markup_mode=None)
NameArgument = Annotated[str, typer.Argument(help="Name of the other computer, 12 bytes at most.")]


@keys.callback(invoke_without_command=True)
def _keys(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        from tiltwise import console
        from tiltwise.app.keys import show_own

        show_own(console.out)


@keys.command("list")
def keys_list(address: AddressArgument = "ble:", takeover: TakeoverOption = False) -> None:
    """The computers that a board has a key of."""
    from tiltwise import console
    from tiltwise.app.keys import show_hosts
    from tiltwise.config.address import parse_address

    show_hosts(parse_address(address), console.out, take_over=takeover)


@keys.command("invite")
def keys_invite(
    name: NameArgument, address: AddressArgument = "ble:", takeover: TakeoverOption = False
) -> None:
    """Let another computer use the board too; prints what that one is to accept."""
    from tiltwise import console
    from tiltwise.app.keys import invite
    from tiltwise.config.address import parse_address

    invite(name, parse_address(address), console.out, take_over=takeover)


@keys.command("accept")
def keys_accept(
    code: Annotated[str, typer.Argument(help="What `tiltwise keys invite` printed.")],
    name: Annotated[str, typer.Option(help="Name of the sensor on this computer.")] = "tiltwise",
) -> None:
    """Use a board that another computer has let this one into."""
    from tiltwise import console
    from tiltwise.app.keys import accept

    accept(code, name, console.out)


@keys.command("revoke")
def keys_revoke(
    name: NameArgument, address: AddressArgument = "ble:", takeover: TakeoverOption = False
) -> None:
    """Lock another computer out, a lost one for instance."""
    from tiltwise import console
    from tiltwise.app.keys import revoke
    from tiltwise.config.address import parse_address

    revoke(name, parse_address(address), console.out, take_over=takeover)

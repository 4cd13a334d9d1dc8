"""`tiltwise cohort FOLDER`: the figures of groups of people, from exported minutes or day digests."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiltwise.app.cli_options import JsonOption

if TYPE_CHECKING:
    from rich.table import Table

    from tiltwise.offline.cohort.cohort_figures import GroupFigures


def cohort(
    folder: Annotated[Path, typer.Argument(help="Folder of exports of many people, one folder each.")],
    groups: Annotated[
        Path | None, typer.Option(help="Table (.csv) of person,group; without it all are one group.")
    ] = None,
    floor: Annotated[int, typer.Option(min=2, max=1000, help="Groups of fewer people are not shown.")] = 5,
    combine: Annotated[
        Path | None, typer.Option(help="Folder for one digest a group, to combine with those of others.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Sum minutes on a dask cluster, as tcp://HOST:8786, which sees the folder.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Figures of many people's days, without anyone's own."""
    from tiltwise import console
    from tiltwise.errors import AppError, UsageError
    from tiltwise.offline.cohort.cohort_cluster import person_days_on
    from tiltwise.offline.cohort.cohort_days import groups_of, has_minutes, person_days
    from tiltwise.offline.cohort.cohort_figures import LEAST_UPRIGHT_S, figures_of_days, figures_of_digests
    from tiltwise.offline.cohort.day_digest import read_digest

    short_days = 0
    paths = sorted(folder.rglob("digest-*.json"))
    if not paths and not has_minutes(folder):
        raise AppError(
            f"{folder}: nothing to read, expected exports below it: `tiltwise export FOLDER/NAME --as digest`, or "
            "--as parquet"
        )
    if paths:
        if cluster is not None:
            raise UsageError(
                "--cluster sums exported minutes; these are digests, which need none: leave it out"
            )
        digests = [read_digest(path) for path in paths]
        people = {each.person for each in digests if each.person}
        found, hidden = figures_of_digests(digests, groups_of(groups, people), floor)
        shown = [figures for figures, _ in found]
        if combine is not None:
            _write([whole for _, whole in found], combine)
    else:
        if combine is not None:
            raise AppError("--combine needs day digests: `tiltwise export FOLDER/NAME --as digest`")
        days = person_days(folder) if cluster is None else person_days_on(cluster, folder)
        short_days = sum(day.upright_s < LEAST_UPRIGHT_S for day in days)
        shown, hidden = figures_of_days(days, groups_of(groups, {day.person for day in days}), floor)
    if as_json:
        groups_said = [asdict(each) for each in shown]
        counts = {"hidden_groups": hidden, "floor": floor, "short_days": short_days}
        typer.echo(json.dumps({"groups": groups_said, **counts}))
        return
    console.out.print(_table(shown) if shown else "no group to show", highlight=False)
    if hidden:
        line = f"groups of fewer than {floor} people, which are not shown: {hidden}"
        console.out.print(line, highlight=False)
    if short_days:
        line = f"days with less than {LEAST_UPRIGHT_S / 3600:.0f} h upright, which are left out: {short_days}"
        console.out.print(line, highlight=False)


def _write(wholes: list[object], folder: Path) -> None:
    """Write a digest a group, whole or not at all."""
    from tiltwise.config.atomic_file import whole_file
    from tiltwise.offline.cohort.day_digest import Digest, digest_bytes
    from tiltwise.text import safe_name

    folder.mkdir(parents=True, exist_ok=True)
    for whole in wholes:
        assert isinstance(whole, Digest)
        with whole_file(folder / f"digest-{safe_name(whole.day)}-{whole.mount}.json") as file:
            file.write(digest_bytes(whole))


def _table(shown: list[GroupFigures]) -> Table:
    from rich.table import Table

    table = Table(
        box=None, pad_edge=False, title="percent of upright time at 20 deg or more", title_justify="left"
    )
    columns = (
        "group",
        "mount",
        "people",
        "days",
        "worn",
        "mean",
        "SD people",
        "SD days",
        "days > 70 %",
        "P10/50/90",
    )
    for name in columns:
        table.add_column(name, justify="left" if name in ("group", "mount") else "right")
    for each in shown:
        table.add_row(
            each.group, each.mount, str(each.people), str(each.days), f"{each.worn_h:.0f} h",
            *(_number(value, "") for value in (each.mean_percent, each.between_sd, each.within_sd)),
            _number(each.days_over_percent, " %"),
            "/".join(_number(value, "") for value in each.percentiles_deg),
        )  # fmt: skip
    return table


def _number(value: float, unit: str) -> str:
    return f"{value:.0f}{unit}" if value == value else "-"

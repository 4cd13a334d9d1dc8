"""`python -m tiltwise_lab.mutation [WHAT...]`: change the core a little and say which changes no test notices."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tiltwise.errors import AppError
from tiltwise_lab.mutation.mutant_runner import (
    ModuleResult,
    Workshop,
    drawn_modules,
    preload,
    project_folder,
    sampled_modules,
)

CORE = ("common", "decode", "motion", "detect", "exercise", "store", "firmware")
GOAL = 0.9


def main(arguments: list[str] | None = None) -> int:
    """Run a sample of mutants and print the share noticed per module, and each that was not."""
    parser = argparse.ArgumentParser(prog="python -m tiltwise_lab.mutation", description=__doc__)
    parser.add_argument(
        "what", nargs="*", default=CORE, help="folders of host/tiltwise, `firmware`, or files"
    )
    parser.add_argument("--seed", type=int, default=1, help="which mutants are drawn")
    parser.add_argument("--per-module", type=int, default=5, help="mutants of each module, at most")
    parser.add_argument("--modules", type=int, help="modules of each folder, at most, drawn by the seed")
    options = parser.parse_args(arguments)
    if not hasattr(sys, "getwindowsversion"):
        preload()
    else:
        print("needs fork: run it on Linux or macOS", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="tiltwise-mutants-") as folder:
            results = _run(options, Path(folder))
    except AppError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"seed {options.seed}: {_noticed(results)} (goal {GOAL:.0%})")
    return 0


def _run(options: argparse.Namespace, folder: Path) -> list[ModuleResult]:
    project = project_folder()
    workshop = Workshop(project, folder)
    results = []
    for what in options.what:
        of_folder = []
        for module in drawn_modules(sampled_modules(project, [what]), options.modules, options.seed):
            rng = Random(f"{options.seed} {module.as_posix()}")
            of_folder.append(workshop.run(module, options.per_module, rng))
            _print(of_folder[-1])
        print(f"{what}: {_noticed(of_folder)}", flush=True)
        results += of_folder
    return results


def _noticed(results: Sequence[ModuleResult]) -> str:
    tried, killed = sum(r.tried for r in results), sum(r.killed for r in results)
    return f"{killed} of {tried} noticed, {100 * killed / max(tried, 1):.0f} %"


def _print(result: ModuleResult) -> None:
    if not result.has_tests:
        print(f"{result.module}: no test file imports it ({result.possible} possible)", flush=True)
        return
    print(
        f"{result.module}: {result.killed} of {result.tried} noticed ({result.possible} possible)", flush=True
    )
    for mutant in result.survivors:
        print(f"    line {mutant.line}: {mutant.before}  ->  {mutant.after}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Simulated power cuts: records what each fsync made durable, and rebuilds the files as a cut would leave them.

A library of 50 lines of C, built with the system's compiler and preloaded into a separate process, copies a file at
each fsync and adds a line to the notes that the process itself writes too, so that their order is known. After a cut
between two fsyncs each file is what its last fsync made durable; of the file about to be synced, any half of the
512-byte sectors written since is there too. Files that were never synced are gone. As on journalled file systems, an
fsync makes creations, renamings and removals before it durable; those after the last fsync may have happened or not.
Linux only.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SECTOR = 512
_C = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static int number;
static void keep(int fd) {
  const char *into = getenv("TILTWISE_SYNCED"), *notes = getenv("TILTWISE_NOTES");
  char name[64], path[PATH_MAX], copy[PATH_MAX], line[PATH_MAX + 64];
  struct stat about;
  if (!into || !notes || fstat(fd, &about)) return;
  if (S_ISDIR(about.st_mode)) {
    int log = open(notes, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log < 0 || write(log, "named\n", 6) != 6) abort();
    close(log);
    return;
  }
  if (!S_ISREG(about.st_mode)) return;
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(name, path, sizeof path - 1);
  if (n < 0) return;
  path[n] = 0;
  snprintf(copy, sizeof copy, "%s/%d", into, ++number);
  int out = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600), log = open(notes, O_WRONLY | O_CREAT | O_APPEND, 0600);
  int in = open(path, O_RDONLY);
  static char block[1 << 16];
  while (in >= 0 && (n = read(in, block, sizeof block)) > 0) if (write(out, block, n) != n) abort();
  int length = snprintf(line, sizeof line, "synced %d %s\n", number, path);
  if (out < 0 || in < 0 || log < 0 || write(log, line, length) != length) abort();
  close(in); close(out); close(log);
}
int unlink(const char *path) {
  int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
  const char *notes = getenv("TILTWISE_NOTES");
  char line[PATH_MAX + 64];
  int result = real(path), log = notes ? open(notes, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  int length = snprintf(line, sizeof line, "removed %s\n", path);
  if (!result && log >= 0 && write(log, line, length) != length) abort();
  if (log >= 0) close(log);
  return result;
}
int rename(const char *old, const char *new) {
  int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  const char *notes = getenv("TILTWISE_NOTES");
  char line[2 * PATH_MAX + 64];
  int result = real(old, new), log = notes ? open(notes, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  int length = snprintf(line, sizeof line, "renamed %s\t%s\n", old, new);
  if (!result && log >= 0 && write(log, line, length) != length) abort();
  if (log >= 0) close(log);
  return result;
}
int fsync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
  int result = real(fd);
  if (!result) keep(fd);
  return result;
}
int fdatasync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
  int result = real(fd);
  if (!result) keep(fd);
  return result;
}
"""


@dataclass(frozen=True, slots=True)
class FileSync:
    """One fsync: the file it was about, the copy of what became durable, and what came before it.

    The path is empty where a folder was synced, which makes the names in it durable.
    """

    path: Path
    copy: Path
    notes_before: tuple[str, ...]
    names_before: tuple[
        tuple[Path, Path | None], ...
    ]  # renamed, or removed (None), since the fsync before this one


def unavailable_reason() -> str:
    """Return why power cuts cannot be simulated here, an empty text when they can."""
    if not sys.platform.startswith("linux"):
        return "needs Linux (LD_PRELOAD)"
    return "" if _compiler() else "needs a C compiler (cc) in PATH"


def _compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build(folder: Path) -> Path:
    """Compile the library; RuntimeError with what the compiler said."""
    compiler = _compiler()
    assert compiler is not None
    source, library = folder / "keep_synced.c", folder / "keep_synced.so"
    source.write_text(_C, encoding="ascii")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the library that watches fsync could not be built: {done.stderr.strip()[-300:]}")
    return library


def run_watched(command: Sequence[str], library: Path, folder: Path) -> list[FileSync]:
    """Run a process to its end and return its fsyncs in order; it writes its notes to `folder`/notes.

    The notes behind the last fsync are in a last entry that has no copy of its own: its path is empty.
    """
    into, notes = folder / "synced", folder / "notes"
    into.mkdir(parents=True)
    environment = os.environ | {
        "LD_PRELOAD": str(library), "TILTWISE_SYNCED": str(into), "TILTWISE_NOTES": str(notes),
    }  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[-1]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    found: list[FileSync] = []
    notes_so_far: list[str] = []
    names: list[tuple[Path, Path | None]] = []
    for line in notes.read_text(encoding="utf-8").splitlines():
        if line.startswith("synced "):
            _, number, path = line.split(" ", 2)
            found.append(FileSync(Path(path), into / number, tuple(notes_so_far), tuple(names)))
            names.clear()
        elif line == "named":
            found.append(FileSync(Path(), Path(), tuple(notes_so_far), tuple(names)))
            names.clear()
        elif line.startswith("removed "):
            names.append((Path(line.removeprefix("removed ")), None))
        elif line.startswith("renamed "):
            old, new = line.removeprefix("renamed ").split("\t")
            names.append((Path(old), Path(new)))
        else:
            notes_so_far.append(line)
    return [*found, FileSync(Path(), Path(), tuple(notes_so_far), tuple(names))]


def after_cut(syncs: Sequence[FileSync], at: int, source: Path, target: Path, rng: random.Random) -> None:
    """Make `target` what `source` is after a cut between fsyncs at - 1 and at (0 <= at < len(syncs))."""
    target.mkdir()
    durable: dict[Path, bytes] = {}
    for sync in syncs[:at]:
        for old, new in sync.names_before:
            _rename(durable, old, new)
        if sync.path != Path():
            durable[sync.path] = sync.copy.read_bytes()
    pending = syncs[at]
    for old, new in pending.names_before:
        if rng.random() >= 0.5:  # what follows in the folder has not happened either
            break
        _rename(durable, old, new)
    if pending.path != Path():
        torn = _torn(durable.get(pending.path, b""), pending.copy.read_bytes(), rng)
        if torn or pending.path in durable:
            durable[pending.path] = torn
    for path, data in durable.items():
        if path.is_relative_to(source):
            (target / path.relative_to(source)).write_bytes(data)


def _rename(durable: dict[Path, bytes], old: Path, new: Path | None) -> None:
    data = durable.pop(old, None)
    if new is not None and data is not None:
        durable[new] = data


def _torn(before: bytes, after: bytes, rng: random.Random) -> bytes:
    """Return `before` with any half of the sectors that differ as in `after`; what grew may hold holes of zeros."""
    result = bytearray(before.ljust(len(after), b"\0")) if rng.random() < 0.5 else bytearray(before)
    for start in range(0, len(after), _SECTOR):
        sector = after[start : start + _SECTOR]
        if before[start : start + _SECTOR] != sector and rng.random() < 0.5:
            result.extend(bytes(max(0, start + len(sector) - len(result))))
            result[start : start + len(sector)] = sector
    return bytes(result)

"""A library that lets the n-th file call of a process fail, or kills the process in it; preloaded, Linux only.

Counted are write, pwrite, ftruncate, fsync, fdatasync, rename, unlink and rmdir on what lies under one folder. A
killed write has written half of its bytes; a full disk refuses that write and all later ones.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from enum import IntEnum
from pathlib import Path

_C = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
enum { COUNT, KILL, EIO_ONCE, FULL, SHORT };
static long calls, at;
static int how;
enum { MOST = 1 << 16 };
static char wrote[MOST]; /* whether the n-th call was a write */
static char under[PATH_MAX];
void tiltwise_arm(long n, int what, const char *folder) {
  calls = 0; at = n; how = what;
  snprintf(under, sizeof under, "%s", folder);
}
long tiltwise_calls(void) { return calls; }
int tiltwise_wrote(long n) { return n < MOST && wrote[n]; }
static int is_path_under(const char *path) { return under[0] && !strncmp(path, under, strlen(under)); }
static int is_under(int fd) {
  char name[64], path[PATH_MAX];
  if (!under[0]) return 0;
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(name, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return is_path_under(path);
}
static int due(int is_write) {
  if (++calls < MOST) wrote[calls] = is_write;
  if (how == FULL) return calls >= at && is_write ? FULL : COUNT;
  if (calls != at) return COUNT;
  if (how == SHORT && !is_write) return COUNT;
  return how;
}
static void die(void) { kill(getpid(), SIGKILL); for (;;) pause(); }
#define WRITE(name, offset_type) \
  ssize_t name(int fd, const void *data, size_t n, offset_type to) { \
    ssize_t (*real)(int, const void *, size_t, offset_type) = dlsym(RTLD_NEXT, #name); \
    if (is_under(fd)) switch (due(1)) { \
      case KILL: if (real(fd, data, n / 2, to) < 0) abort(); die(); \
      case EIO_ONCE: errno = EIO; return -1; \
      case FULL: errno = ENOSPC; return -1; \
      case SHORT: return real(fd, data, n > 1 ? n / 2 : n, to); \
    } \
    return real(fd, data, n, to); \
  }
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)
ssize_t write(int fd, const void *data, size_t n) {
  ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  if (is_under(fd)) switch (due(1)) {
    case KILL: if (real(fd, data, n / 2) < 0) abort(); die();
    case EIO_ONCE: errno = EIO; return -1;
    case FULL: errno = ENOSPC; return -1;
    case SHORT: return real(fd, data, n > 1 ? n / 2 : n);
  }
  return real(fd, data, n);
}
#define ON_FILE(name, parameters, arguments, is_mine, refused) \
  int name parameters { \
    int (*real) parameters = dlsym(RTLD_NEXT, #name); \
    if (is_mine) switch (due(0)) { \
      case KILL: die(); \
      case EIO_ONCE: errno = EIO; return refused; \
    } \
    return real arguments; \
  }
ON_FILE(fsync, (int fd), (fd), is_under(fd), -1)
ON_FILE(fdatasync, (int fd), (fd), is_under(fd), -1)
ON_FILE(ftruncate, (int fd, off_t n), (fd, n), is_under(fd), -1)
ON_FILE(ftruncate64, (int fd, off64_t n), (fd, n), is_under(fd), -1)
ON_FILE(rename, (const char *a, const char *b), (a, b), is_path_under(a), -1)
ON_FILE(unlink, (const char *a), (a), is_path_under(a), -1)
ON_FILE(rmdir, (const char *a), (a), is_path_under(a), -1)
"""


class Fault(IntEnum):
    """What happens at the n-th call; the numbers are those of the library."""

    COUNT = 0
    KILL = 1
    EIO = 2
    FULL = 3
    SHORT = 4


def unavailable_reason() -> str:
    """Return why calls cannot be made to fail here, an empty text when they can."""
    if not sys.platform.startswith("linux"):
        return "needs Linux (LD_PRELOAD)"
    return "" if shutil.which("cc") else "needs a C compiler (cc) in PATH"


def build(folder: Path) -> Path:
    """Compile the library; RuntimeError with what the compiler said."""
    source, library = folder / "failing_calls.c", folder / "failing_calls.so"
    source.write_text(_C, encoding="ascii")
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the library of failing calls could not be built: {done.stderr.strip()[-300:]}")
    return library


class FailingCalls:
    """The library as it is loaded into this process, which must have been started with it."""

    def __init__(self) -> None:
        own = ctypes.CDLL(None)
        self._arm, self._calls, self._wrote = own.tiltwise_arm, own.tiltwise_calls, own.tiltwise_wrote
        self._calls.restype = ctypes.c_long

    def arm(self, n: int, fault: Fault, folder: Path) -> None:
        """Let the n-th call from now on under a folder fail."""
        self._arm(ctypes.c_long(n), ctypes.c_int(fault), str(folder).encode())

    @property
    def calls(self) -> int:
        """Calls under the folder since `arm`."""
        return int(self._calls())

    def writes(self) -> list[int]:
        """Return which of the calls since `arm` were writes, counted from 1."""
        return [n for n in range(1, self.calls + 1) if self._wrote(ctypes.c_long(n))]

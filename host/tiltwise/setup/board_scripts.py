"""The small MicroPython programs that setup runs on a board through mpremote.

Each prints its answer as one line of JSON behind MARK, so that what boot.py prints is not taken for it; `A` holds
its arguments. MicroPython's subset; they leave nothing in memory, for mpremote restarts the interpreter before
each.
"""

from __future__ import annotations

import json
from typing import Any

MARK = "tiltwise:"

_START = "import json\nA = json.loads({arguments!r})\ndef tell(x):\n print({mark!r} + json.dumps(x))\n"

# What the board is. Every fact is asked for by itself: a port that lacks one still tells the others.
IDENTIFY = """
import sys, os, gc
gc.collect()
i = sys.implementation
d = {"name": i[0], "version": list(i[1])[:3], "platform": sys.platform, "mpy": getattr(i, "_mpy", 0)}
d["machine"] = str(i[2]) if len(i) > 2 else ""
d["heap"] = gc.mem_free() if hasattr(gc, "mem_free") else -1
d["has"] = ["random"] if hasattr(os, "urandom") else []
for m in ("machine", "bluetooth", "cryptolib", "hashlib", "asyncio"):
 try:
  __import__(m)
  d["has"].append(m)
 except ImportError:
  pass
try:
 import machine, binascii
 d["unique_id"] = binascii.hexlify(machine.unique_id()).decode()
except Exception:
 d["unique_id"] = ""
# Firmware in the image or in a ROM partition has no file to replace; a module `built` says what it is.
d["built"] = ""
try:
 import firmware
 os.stat(firmware.__file__)
 if firmware.__file__.startswith("/rom"):
  d["built"] = "unknown"
except OSError:
 d["built"] = "unknown"
except (ImportError, AttributeError):
 pass
if d["built"]:
 try:
  from firmware.built import SHA256
  d["built"] = SHA256
 except ImportError:
  pass
tell(d)
"""

# Which files of ours lie there, with their hashes; what would hide them; how much room is left.
INVENTORY = """
import os, hashlib, binascii
buf = bytearray(512)
view = memoryview(buf)
def look(path):
 try:
  return os.stat(path)[0]
 except OSError:
  return 0
def digest(path):
 h = hashlib.sha256()
 size = 0
 with open(path, "rb") as f:
  while True:
   n = f.readinto(buf)
   if not n:
    return size, binascii.hexlify(h.digest()).decode()
   h.update(view[:n])
   size += n
def walk(path):
 if look(path) & 0x4000:
  for entry in os.ilistdir(path):
   walk(path + "/" + entry[0])
 elif look(path):
  tell([path, digest(path)])
for root in A["roots"]:
 walk(root)
d = {"hiding": [p for p in A["hiding"] if look(p)], "free": -1, "block": 4096}
try:
 s = os.statvfs(os.getcwd())
 d["free"] = s[1] * s[3]
 d["block"] = s[0]
except (OSError, AttributeError):
 pass
tell(d)
"""

# No main.py: nothing runs after the next restart. Somebody else's program is kept under another name.
STOP = """
import os
d = {"stopped": False, "kept": ""}
try:
 with open("main.py") as f:
  text = f.read()
except OSError:
 text = None
if text is not None:
 if A["ours"] in text:
  os.remove("main.py")
 else:
  names = os.listdir()
  k = 0
  name = "main_before_tiltwise.py"
  while name in names:
   k += 1
   name = "main_before_tiltwise_%d.py" % k
  os.rename("main.py", name)
  d["kept"] = name
 if hasattr(os, "sync"):
  os.sync()
 d["stopped"] = True
tell(d)
"""

# Make folders, delete files that are no longer ours, and folders that became empty.
PREPARE = """
import os
for path in A["remove"]:
 os.remove(path)
for path in A["folders"]:
 try:
  os.mkdir(path)
 except OSError:
  os.stat(path)
def prune(path):
 for entry in list(os.ilistdir(path)):
  if entry[1] == 0x4000:
   prune(path + "/" + entry[0])
 if path not in A["folders"] and not list(os.ilistdir(path)):
  os.rmdir(path)
for path in A["roots"]:
 try:
  os.stat(path)
 except OSError:
  continue
 prune(path)
tell(True)
"""

# main.py takes its place at once or not at all: half a main.py would look like somebody else's.
INSTALL = """
import os, hashlib, binascii
with open(A["new"], "rb") as f:
 digest = binascii.hexlify(hashlib.sha256(f.read()).digest()).decode()
if digest == A["sha256"]:
 os.rename(A["new"], A["place"])
 if hasattr(os, "sync"):
  os.sync()
tell(digest == A["sha256"])
"""

# Do the modules load, and is there a profile for this board? A wrong bytecode version or a missing built-in module
# shows here. With a name in `board`, that profile is chosen for good.
LOAD = """
import sys, gc
sys.path.insert(0, "lib")
name = "profile"
try:
 if A["board"]:
  from firmware.storage.atomic_files import Files
  files = Files()
  if files.read("profile") != A["board"].encode():
   files.replace("profile", A["board"].encode())
 for name in A["modules"]:
  __import__(name)
 name = "profile"
 from firmware.device.board_pins import pins
 pins()
 gc.collect()
 tell(gc.mem_free() if hasattr(gc, "mem_free") else -1)
except Exception as e:
 tell([name, type(e).__name__, str(e)])
"""

# Which IMUs answer on the pins of the board, told by the drivers themselves; those named in `start` are started.
IMUS = """
import sys, time
sys.path.insert(0, "lib")
from firmware.device.board_pins import open_bus, pins
from firmware.drivers import UnknownPartError, find
p = pins()
bus = open_bus(p)
for address in p.ADDRESSES:
 problem = ""
 try:
  part = find(bus, address, time, *A["options"])
  name = part.name
 except UnknownPartError as e:
  name = ""
  problem = str(e.args[-1])
 except OSError:
  continue
 if name in A["start"]:
  try:
   part.configure()
  except OSError as e:
   problem = str(e.args[-1])
 tell([address, name, problem])
tell("end")
"""


def program(body: str, **arguments: object) -> str:
    """Return the text of a program with its arguments."""
    return _START.format(arguments=json.dumps(arguments), mark=MARK) + body


def answers(output: str) -> list[Any]:
    """Return what the program told, in order; lines of others are left out, cut ones too."""
    found: list[Any] = []
    for line in output.splitlines():
        if line.startswith(MARK):
            try:
                found.append(json.loads(line.removeprefix(MARK)))
            except ValueError:
                continue  # cut off by an unplugged cable: the exit code tells
    return found

# What an image of MicroPython holds beside itself, for FROZEN_MANIFEST (Zephyr: CONFIG_MICROPY_FROZEN_MANIFEST): the
# firmware, frozen. Give it the copy that `tiltwise setup --image FOLDER` writes: there constants are numbers and the
# host's half is left out, which is 30 kB of heap. main.py stays a file, so that setup can stop and replace it.
import os


def _files(package, but):
    found = []
    for place, _, names in os.walk(package):
        found += [
            os.path.relpath(os.path.join(place, name), package) for name in names if name.endswith(".py")
        ]
    return sorted(name for name in found if not name.startswith(but))


os.chdir("..")  # include() set it to this folder
_FIRMWARE = _files("firmware", ("main.py", "manifest.py", "tiltwise"))
_COMMON = _files(os.path.join("host", "tiltwise", "common"), ("frame.py",))
os.chdir("firmware")

include("$(PORT_DIR)/boards/manifest.py")
include("$(MPY_DIR)/extmod/asyncio")
package("firmware", _FIRMWARE, base_path="..", opt=3)
package("tiltwise", ["__init__.py"], opt=3)
package(
    "tiltwise",
    [os.path.join("common", name) for name in _COMMON],
    base_path=os.path.join("..", "host"),
    opt=3,
)

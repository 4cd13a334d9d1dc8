"""A Linux guest with the distribution's own kernel, bluetoothd and bleak, whose adapter is a controller on the air.

The guest's root is this machine's root, read-only; what it writes to /run/out comes to the folder `out` of its
work folder. Its HCI goes over a virtio port, through a socket, to the controller in this process; pump.py is the
other end. Emulated (TCG), because KVM is not to be had everywhere.
"""

import asyncio
import gzip
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from bumble.transport.common import PacketParser

from bluez.hci_log import HciLog
from tiltwise_lab.radio.virtual_radio import RadioController

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MEMORY_MB = 768
QEMU = "qemu-system-x86_64"
CPU = "max,-la57"  # five levels of page tables make an emulated guest three times slower
# In this order: the kernel's key agreement tests itself when it is loaded, and needs its helpers then. Only pairing,
# which the protocol does without, depends on it: a kernel in which one of them cannot be loaded still serves.
MODULES = (
    "virtio_pci", "virtio_console", "virtio_rng", "9pnet_virtio", "9p", "overlay", "hmac", "sha256_generic",
    "sha512_generic", "ctr", "jitterentropy_rng", "drbg", "ecdh_generic", "bluetooth", "hci_vhci", "cmac", "ccm",
    "aes_generic", "ecb", "algif_hash", "algif_skcipher", "af_alg",
)  # fmt: skip
PUBLIC_ADDRESS, RANDOM_ADDRESS = "00:1A:7D:DA:71:01", "F0:F1:F2:F3:F4:F6"


class GuestUnavailableError(RuntimeError):
    """A guest can not be started here; the text says why."""


def kernel_folder():
    """Return the folder with boot/ and lib/modules/ of a kernel; raise GuestUnavailableError."""
    if platform.machine() not in ("x86_64", "AMD64") or sys.platform != "linux":
        raise GuestUnavailableError("the guest is an x86-64 Linux that shares this machine's programs")
    for program in (QEMU, "busybox", "depmod", "modprobe", "dbus-daemon"):
        if shutil.which(program) is None and not Path("/usr/sbin", program).exists():
            raise GuestUnavailableError(f"{program} is not installed: run make test-bluez as root")
    if not Path("/usr/libexec/bluetooth/bluetoothd").exists():
        raise GuestUnavailableError("bluez is not installed: run make test-bluez as root")
    folder = Path(os.environ.get("TILTWISE_BLUEZ_KERNEL") or ROOT / "build" / "bluez" / "kernel")
    if not list(folder.glob("boot/vmlinuz-*")):
        raise GuestUnavailableError(f"no kernel in {folder}: run make test-bluez as root")
    return folder


def archive(files):
    """Return a cpio archive (newc) of {path: (mode, content)}, as the kernel takes it for its first root."""
    out = bytearray()
    for k, (path, (mode, data)) in enumerate([*files.items(), ("TRAILER!!!", (0, b""))]):
        name = path.encode() + b"\0"
        fields = (k + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def initrd(kernel, guest_script):
    """Return the first root: busybox, the modules in their order, init.sh."""
    release = next((kernel / "lib" / "modules").iterdir()).name
    tools = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    subprocess.run(["depmod", "-b", kernel, release], check=True, env=tools)
    ordered = []
    for module in MODULES:
        shown = subprocess.run(
            ["modprobe", "-d", kernel, "-S", release, "--show-depends", module],
            capture_output=True,
            text=True,
            env=tools,
            check=False,  # a module that this kernel has built in
        )
        paths = (line.split()[1] for line in shown.stdout.splitlines() if line.startswith("insmod"))
        ordered += [path for path in paths if path not in ordered]
    names = [f"{k:02d}-{Path(path).name}" for k, path in enumerate(ordered)]
    init = (HERE / "init.sh").read_text().replace("@GUEST@", str(guest_script))
    files = {
        "bin": (0o40755, b""),
        "bin/busybox": (0o100755, Path(shutil.which("busybox")).read_bytes()),
        "init": (0o100755, init.encode()),
        "modules": (0o100644, "".join(f"/{name}\n" for name in names).encode()),
    }
    files |= {name: (0o100644, Path(path).read_bytes()) for name, path in zip(names, ordered, strict=True)}
    return gzip.compress(archive(files), 1)


class Tap:
    """Shows packets on their way to a sink."""

    def __init__(self, show, sink):
        self._show, self._sink = show, sink

    def on_packet(self, packet):
        self._show(packet)
        self._sink.on_packet(packet)


class SocketHci:
    """HCI packets over a socket that qemu connects to; what is sent before waits. `log` sees them all."""

    def __init__(self, path, log):
        self._path = path
        self._log = log
        self._parser = PacketParser()
        self._writer = None
        self._early = []

    async def listen(self):
        self._server = await asyncio.start_unix_server(self._serve, self._path)

    async def _serve(self, reader, writer):
        self._writer = writer
        for packet in self._early:
            writer.write(packet)
        self._early.clear()
        while data := await reader.read(65536):
            self._parser.feed_data(data)
        writer.close()

    def set_packet_sink(self, sink):
        self._parser.set_packet_sink(Tap(self._log.from_guest, sink))

    def on_packet(self, packet):
        self._log.to_guest(packet)
        if self._writer is None:
            self._early.append(packet)
        else:
            self._writer.write(packet)

    def close(self):
        if self._writer is not None:
            self._writer.close()
        self._server.close()


class Guest:
    """One run of a command in a guest on this air; `lines` is its console so far, `hci` what its adapter did."""

    def __init__(self, link, work, command):
        self._link, self._work = link, Path(work)
        self._kernel = kernel_folder()
        self._command = command
        self._process = None
        self._said = asyncio.Event()
        self.hci = HciLog()
        self.out = self._work / "out"
        self.lines = []
        self.status = None  # of the command

    async def run(self, timeout_s):
        """Run to the end and return the command's status; TimeoutError with what the console said last."""
        self.out.mkdir()
        script = self._work / "guest.sh"
        text = (HERE / "guest.sh").read_text()
        for mark, value in (
            ("@PYTHON@", sys.executable),
            ("@HERE@", str(HERE)),
            ("@ROOT@", str(ROOT)),
            ("@COMMAND@", self._command),
        ):
            text = text.replace(mark, value)
        script.write_text(text)
        image = self._work / "initrd.gz"
        image.write_bytes(await asyncio.to_thread(initrd, self._kernel, script))
        hci = SocketHci(str(self._work / "hci.sock"), self.hci)
        await hci.listen()
        controller = RadioController(
            "guest", self._link, RANDOM_ADDRESS, source=hci, sink=hci, public_address=PUBLIC_ADDRESS
        )
        try:
            async with asyncio.timeout(timeout_s):
                await self._boot(image)
        except TimeoutError:
            said = "\n".join(self.lines[-20:])
            raise TimeoutError(f"the guest did not end in {timeout_s:g} s; it said last:\n{said}") from None
        finally:
            controller.vanish()
            hci.close()
        return self.status

    async def _boot(self, image):
        kernel = next((self._kernel / "boot").glob("vmlinuz-*"))
        self._process = process = await asyncio.create_subprocess_exec(
            QEMU, "-nodefaults", "-no-reboot", "-accel", "tcg", "-cpu", CPU, "-m", str(MEMORY_MB), "-smp", "1",
            "-display", "none", "-serial", "stdio", "-kernel", kernel, "-initrd", image,
            "-append", "console=ttyS0 quiet panic=-1 loglevel=3",
            "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
            "-virtfs", f"local,path={self.out},mount_tag=out,security_model=none",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=hci,path={self._work / 'hci.sock'}",
            "-device", "virtserialport,chardev=hci,name=hci", "-device", "virtio-rng-pci",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            async for raw in process.stdout:
                self._heard(raw.decode(errors="replace").strip())
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _heard(self, line):
        print(line, flush=True)
        self.lines.append(line)
        if line.startswith("GUEST status "):
            self.status = int(line.split()[-1])
        self._said.set()

    async def until(self, begin, seconds):
        """Wait for a line on the console that begins so, and return it."""
        async with asyncio.timeout(seconds):
            while True:
                for line in self.lines:
                    if line.startswith(begin):
                        return line
                self._said.clear()
                await self._said.wait()

    def tell(self, line):
        """Type a line on the guest's console."""
        self._process.stdin.write(line.encode() + b"\n")

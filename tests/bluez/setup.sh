#!/bin/sh
# Fetch what the guest needs: qemu, busybox, bluez from Debian's packages, and a kernel, unpacked and not installed.
# Without root or apt nothing is done; the test then says what is missing and skips.
set -eu
cd "$(dirname "$0")/../.."
folder=build/bluez
say() { printf 'tiltwise: %s\n' "$1" >&2; }

if [ -n "$(ls $folder/kernel/boot/vmlinuz-* 2>/dev/null)" ] && command -v qemu-system-x86_64 >/dev/null; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "the BlueZ guest needs root and apt-get once, to install qemu, bluez and a kernel"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends qemu-system-x86 busybox-static kmod bluez dbus
kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
mkdir -p "$folder/download"
(cd "$folder/download" && apt-get -o APT::Sandbox::User=root download "$kernel")
mkdir -p "$folder/kernel"
dpkg -x "$folder/download/$kernel"_*.deb "$folder/kernel"
rm -r "$folder/download"
say "kernel: $folder/kernel"

#!/bin/sh
# Fetch what the guest needs: qemu, busybox, bluez from Debian's packages, and a kernel, unpacked and not installed.
# Without root, apt or network it says so and leaves it at that; the test then skips and says what is missing.
set -eu
cd "$(dirname "$0")/../.."
folder=build/bluez
PATH=$PATH:/usr/sbin:/sbin
say() { printf 'tiltwise: %s\n' "$1" >&2; }

has_programs() {
    for program in qemu-system-x86_64 busybox depmod modprobe dbus-daemon /usr/libexec/bluetooth/bluetoothd; do
        command -v "$program" >/dev/null || return 1
    done
}

has_kernel() { [ -n "$(ls "${TILTWISE_BLUEZ_KERNEL:-$folder/kernel}"/boot/vmlinuz-* 2>/dev/null)" ]; }

install_programs() {
    apt-get update -q && apt-get install -q -y --no-install-recommends qemu-system-x86 busybox-static kmod bluez dbus
}

fetch_kernel() {
    kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    rm -rf "$folder/download" "$folder/unpacked"
    mkdir -p "$folder/download"
    (cd "$folder/download" && apt-get -o APT::Sandbox::User=root download "${kernel:-linux-image-amd64}") &&
        dpkg -x "$folder/download"/linux-image-*.deb "$folder/unpacked" &&
        rm -rf "$folder/kernel" && mv "$folder/unpacked" "$folder/kernel"
}

if has_programs && has_kernel; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "the BlueZ guest needs root and apt-get once, to install qemu and bluez and to fetch a kernel"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
if ! install_programs || { ! has_kernel && ! fetch_kernel; }; then
    say "the packages for the BlueZ guest could not be had (apt's own words stand above): check the network"
    exit 0
fi
rm -rf "$folder/download"
say "the BlueZ guest has what it needs"

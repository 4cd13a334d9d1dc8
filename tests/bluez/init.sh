#!/bin/busybox sh
# First process of the guest: this machine's files, read-only over 9p with a layer of memory above, the folder
# that it may write to at /run/out, then GUEST.
B=/bin/busybox
$B mkdir -p /proc /sys /dev /below /above /root2
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
$B mount -t devtmpfs dev /dev
for module in $($B cat /modules); do $B insmod "$module" || echo "GUEST cannot load $module"; done
$B mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /below || $B poweroff -f
$B mount -t tmpfs -o size=4g memory /above  # as much as it says: the store stops when a disk is nearly full
$B mkdir /above/upper /above/work
$B mount -t overlay over -o lowerdir=/below,upperdir=/above/upper,workdir=/above/work /root2 || $B poweroff -f
for folder in proc sys dev; do $B mount --move /$folder /root2/$folder; done
$B mount -t tmpfs run /root2/run
$B mkdir -p /root2/run/dbus /root2/run/out /root2/dev/shm
$B mount -t 9p -o trans=virtio,version=9p2000.L out /root2/run/out || $B poweroff -f
$B mount -t tmpfs shm /root2/dev/shm
echo "GUEST up after $($B cut -d' ' -f1 /root2/proc/uptime) s"
$B chroot /root2 /bin/sh "@GUEST@"
echo "GUEST status $?"
$B poweroff -f

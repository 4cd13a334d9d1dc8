# Runs in the guest: bus, adapter, bluetoothd, then the program that is tested.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
hostname guest
mkdir -p /var/lib/bluetooth /run/dbus
rm -rf /var/lib/bluetooth/*
dbus-daemon --system --fork
"@PYTHON@" "@HERE@/pump.py" &
/usr/libexec/bluetooth/bluetoothd -n >/tmp/bluetoothd.log 2>&1 &
cd "@ROOT@" && @COMMAND@
status=$?
tail -n 5 /tmp/bluetoothd.log
exit $status

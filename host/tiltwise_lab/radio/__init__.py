"""A virtual radio: the firmware's and the host's own Bluetooth code meet on simulated air."""

"""The commands that ask a running `watch`: status, snooze, recalibrate."""

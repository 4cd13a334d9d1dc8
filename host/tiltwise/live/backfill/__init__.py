"""Which frames are still missing, asked for again, and their way into the day when they come late."""

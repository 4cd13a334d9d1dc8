"""A body, a sensor and a board made of numbers; the firmware that runs on them is the real one."""

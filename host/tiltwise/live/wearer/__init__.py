"""Samples in, what they mean for the wearer out: calibration, tracking, placement of the sensor, alerts."""

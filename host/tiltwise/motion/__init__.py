"""Samples in, neck angles out: orientation, calibration, angles. Pure."""

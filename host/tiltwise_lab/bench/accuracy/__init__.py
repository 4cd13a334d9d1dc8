"""Recordings and simulated wearers in, errors of angles, calibration, counts and speed out."""

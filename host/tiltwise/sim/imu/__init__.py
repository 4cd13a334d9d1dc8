"""True motion in, register bytes of an IMU out."""

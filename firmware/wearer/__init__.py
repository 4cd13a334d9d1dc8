"""Orientation in, what the wearer feels out: worn or not, neutral, double tap, motor, coaching without a host."""

"""Orientation and mounting in, flexion, lateral tilt, rotation and inclination in degrees out."""

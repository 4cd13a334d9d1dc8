"""Neck angles in, activity and posture episodes out. Pure."""

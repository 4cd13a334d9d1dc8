"""Neck angles in, counted repetitions and guided exercises out; the catalogue of exercises. Pure."""

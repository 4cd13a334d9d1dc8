"""Frames, minutes and events in, days out again: the database and its repair."""

"""Stored days become files of other programs, and files of other programs, or our own, become stored days."""

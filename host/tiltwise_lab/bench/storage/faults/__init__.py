"""Stores with faults at every file call and damage anywhere in, what was lost and what was not told out."""

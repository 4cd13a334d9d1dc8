"""Kills, power cuts, damaged files and long runs in, what the store lost out."""

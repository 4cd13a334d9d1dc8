"""A new board on USB in, a board with firmware, key and name out."""

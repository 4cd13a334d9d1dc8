"""Rows in, database files out: their layout, packing, lock, replacing and repair, each safe at every instant."""

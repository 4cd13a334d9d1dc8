"""Benches of the repetition counter, on sets from generators of their own, and on people at desks."""

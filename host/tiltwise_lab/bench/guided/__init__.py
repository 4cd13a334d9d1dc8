"""Benches of the guided coach: sets and rounds from generators of their own in, errors of counts and edges out."""

"""Angles of a wearer who is asked for an exercise in; what to ask next, repetitions as they happen and rounds out."""

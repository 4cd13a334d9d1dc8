"""A link with faults in, what was lost, reported and late out."""

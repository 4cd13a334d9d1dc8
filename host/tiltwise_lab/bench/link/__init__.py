"""A link with faults in, what was lost, told and late out."""

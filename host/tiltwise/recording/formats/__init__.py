"""Files of other programs, recognised by their content, to columns of time, acceleration and angular rate."""

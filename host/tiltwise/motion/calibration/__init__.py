"""A few seconds of sitting still and nodding in, the mounting of the sensor on the body out."""

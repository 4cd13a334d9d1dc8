"""What the wearer set and what belongs to a sensor: settings, calibrations, keys, addresses, paths."""

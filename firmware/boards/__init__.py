"""One small file a board: pins, bus, what is fitted."""

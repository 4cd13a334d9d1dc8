"""One driver a file, all with the same interface."""

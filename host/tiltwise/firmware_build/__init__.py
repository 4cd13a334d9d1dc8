"""The firmware's sources in, small compiled files for a board out."""

"""The version of tiltwise, for the package, recordings and `--version`."""

__version__ = "0.1.0"

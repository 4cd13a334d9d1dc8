"""tiltwise: an open neck-posture wearable."""

__version__ = "0.1.0"

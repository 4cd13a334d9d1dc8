"""The benches behind `tiltwise bench`, by what they measure."""

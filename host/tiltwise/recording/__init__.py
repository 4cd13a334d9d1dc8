"""Files in, samples or frames out: our recordings, and IMU files of other programs."""

"""FIFO samples of the IMU in, finished frames and one-minute summaries out."""

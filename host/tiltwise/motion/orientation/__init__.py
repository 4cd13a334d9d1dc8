"""Gyroscope and accelerometer samples in, the sensor's orientation to the earth out."""

"""Seeed Studio XIAO ESP32S3 (reference board): 8 MB PSRAM; the IMU breakout hangs on D4 (SDA) and D5 (SCL)."""

MODEL = b"xiao-esp32s3"
I2C = 0
SDA = 5
SCL = 6
ADDRESSES = (0x6A, 0x6B)
MOST_FRAMES = 20000  # 3.6 MB of the PSRAM: an hour at 52 Hz
MINUTES = 720

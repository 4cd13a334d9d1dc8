"""The board's parts around the sensor: pins, power, battery, button, light, watchdog and their upkeep."""

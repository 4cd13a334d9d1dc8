"""The day in numbers and pictures."""

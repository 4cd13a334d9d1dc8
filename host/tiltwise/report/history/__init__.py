"""Stored minutes and days become the figures, sentences and pictures of a day, a week, a month or a year."""

"""The commands round the workday: why an alert came or did not, the settings file, the background service."""

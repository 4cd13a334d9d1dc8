"""Settings, keys and one-minute summaries to flash and back, whole after any power cut."""

"""Files in, results out: analyze, count, rebuild."""

"""The sensor's hardware as programs and tables: figures, parts lists, wiring, cases and the power model."""

"""Acknowledged frames in, what is missing of them out: receipts beside the database, compared at each start."""

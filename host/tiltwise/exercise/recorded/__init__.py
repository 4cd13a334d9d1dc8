"""A whole recording of one declared exercise in, its repetitions out. It looks ahead; pure."""

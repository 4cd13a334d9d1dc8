"""A story in, the true motion of head, neck and upper back out."""

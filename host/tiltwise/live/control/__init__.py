"""Other programs of the same person ask a running `watch`, and it answers: one JSON object a line, each way."""

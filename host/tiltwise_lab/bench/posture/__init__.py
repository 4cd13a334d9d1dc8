"""Generated workdays -> what the posture rules of ours and of others do on them."""

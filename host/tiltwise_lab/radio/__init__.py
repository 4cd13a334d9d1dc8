"""Bluetooth calls of the real firmware and the real host in, their packets over a virtual radio out."""

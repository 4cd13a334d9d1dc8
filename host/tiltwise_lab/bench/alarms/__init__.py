"""Desk sessions with known angles, and whether alerts and activity follow them."""

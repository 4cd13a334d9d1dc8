"""What a person touches: commands, the live session, alerts, settings, the store."""

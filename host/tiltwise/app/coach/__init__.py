"""The commands of the exercise coach: a catalogue and a live session in; a screen to follow from two metres out."""

"""Pure decisions over angles: activity, sustained posture, repetitions, coaching."""

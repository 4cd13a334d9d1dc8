"""A seeded wearer in, the bytes of a board out, without hardware."""

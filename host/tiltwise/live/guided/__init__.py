"""A live session with a coach in it: chunks in; instructions, what was counted, and commands for the board out."""

"""One live session: chunks of bytes in; angles, alerts, stored days and commands to the board out."""

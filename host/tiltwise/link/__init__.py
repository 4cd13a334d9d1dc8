"""One connection to a board, by radio or cable: transports, handshake, keep-alive, clock."""

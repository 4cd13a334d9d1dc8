"""On the board only: the package around common/, the code that board and host share."""

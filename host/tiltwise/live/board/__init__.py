"""A talk with a board about itself: questions and settings out, what it says of its health in."""

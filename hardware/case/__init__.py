"""Cases and holders in build123d: parts to print, the parts that go inside, checks and pictures. Needs hardware/.venv."""

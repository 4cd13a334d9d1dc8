"""Cases and holders in build123d: what to print, what goes inside, checks, pictures. Needs hardware/.venv."""

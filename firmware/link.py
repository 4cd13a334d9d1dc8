"""What the firmware needs of a way to the host: one `send` for frames, one `reply`, one `receive`.

Before it: session.py. After it: radio, cable or simulator; each is a class with these methods, in its own file.
"""


class Link:
    """A way to the host that is not there: frames stay in the ring. Real links override what they can do."""

    is_connected = False

    def poll(self):
        """Do what the link has to do by itself; called in every step."""

    def receive(self):
        """Return the next command as bytes, or None."""

    def send(self, buffer, n):  # noqa: ARG002
        """Send the first n bytes of a frame; False means "not now": the frame stays in the ring."""
        return False

    def reply(self, data):  # noqa: ARG002
        """Send the reply to a command; a lost reply is asked for again by the host."""
        return False

"""The interface of a link to the host: `send` for frames, `reply` for answers, `receive` for commands."""


class Link:
    """A link that is not connected: frames stay in the ring. Real links override what they can do."""

    peer = None  # "ble", "usb"; a cable is trusted to set the key, and to be there
    is_connected = False
    connections = 0  # so far: another number means another host
    address = None  # of the peer, bytes, where there is such a thing
    damaged = 0  # invalid packets
    is_prompt_open = True  # whether a Return and a Ctrl-C lead to MicroPython's prompt, which reads the key
    log = None  # log(event code, value), set by the session manager
    mtu_payload = 244  # bytes that go out at once
    window = 0  # frames that may be on the way without a word from the host; 0: the link itself bounds them

    def poll(self):
        """Do what the link has to do by itself; called in every step."""

    def receive(self):
        """Return the next command as bytes, or None; None too while a reply waits to go out."""

    def on_mtu(self, mtu):
        """Take the size of packets that the peer agreed on, where there is such a thing."""

    def waited_us(self):
        """Return how long ago the last bytes came from the peer."""
        return 0

    def send(self, buffer, n):  # noqa: ARG002
        """Send the first n bytes of a frame; False means "not now": the frame stays in the ring."""
        return False

    def reply(self, data):  # noqa: ARG002
        """Send the reply to a command; a lost reply is asked for again by the host."""
        return False

    def is_idle(self):
        """Tell whether everything that was taken has gone out."""
        return True

    def reset(self):
        """End a connection on which nothing moves, where the link can."""

    def disconnect(self):
        """Send the peer away, where the link can."""

    def publish(self, info):
        """Show a HELLO_START to whoever looks, where the link can."""

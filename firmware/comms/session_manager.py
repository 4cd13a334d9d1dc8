"""What all hosts share: the key, who is in session, how often somebody was refused, and what commands may use.

One host at a time is in session; another gets BUSY unless it proves the key and asks to take over. Who fails to
prove it waits, twice as long each time.
"""

import struct

from micropython import const

from tiltwise.common import wire

from .. import config
from . import block_cipher
from .host_session import HostSession

_STRANGERS = const(4)  # addresses remembered for having failed
_LONGEST_WAIT_S = const(60)


class CommandContext:
    """What commands may use. What a board has not got stays None, and its command answers UNSUPPORTED."""

    keystore = None  # load() -> key or None, save(key)
    settings = None  # KEYS, get(key), set(key, value)
    haptics = None  # play(pattern, strength) -> bool
    on_start = None  # called with frame type and samples per frame when a stream begins
    tare = None  # called for TARE; False: not now
    reboot = None  # called for REBOOT; lets the answer go out before it acts
    now = None  # device time in wire.TICK_S
    random = None  # random(n) -> n bytes that nobody can guess
    log = None  # log(event code, value)
    device_id = bytes(8)
    model = b""
    version = (0, 0, 0)
    features = 0  # wire.FEATURE_*, without ENCRYPTION
    imus = 1


class SessionManager:
    """All hosts of one board."""

    def __init__(self, links, outbox, clock, tools, aes=block_cipher.aes):
        self.outbox = outbox
        self.clock = clock
        self.tools = tools
        self.aes = aes
        self.key = tools.keystore.load() if tools.keystore is not None else None
        self.holder = None  # the session that is open
        size = wire.frame_size(wire.ORIENT, wire.MAX_SAMPLES)
        self.scratch = memoryview(bytearray(size))  # for the holder's encrypted frames
        self._strangers = []  # [address, wait s, ticks_ms of the failure]
        self.retries = 0  # frames that a link refused
        self.bad_commands = 0  # damaged or forged
        self.replays = 0
        self.wrong_proofs = 0
        self.dropped = 0  # peers sent away because they proved nothing in time
        self.refused = 0  # hosts that proved the key while another was in session
        self.stalls = 0  # as the links told: connections that took nothing, and restarts of the radio
        self.radio_restarts = 0
        self._told = 0
        self._told_proofs = 0
        self._tell_at = clock.ticks_ms()
        self.sessions = [HostSession(link, self) for link in links]
        for link in links:
            link.log = self._log_of_link

    @property
    def is_streaming(self):
        """Tell whether a host takes live frames."""
        for session in self.sessions:  # noqa: SIM110 - a generator is an object, and this is asked often
            if session.delivery.stream is not None:
                return True
        return False

    @property
    def is_waiting(self):
        """Tell whether a host takes live frames and has used up its credits: it acknowledges nothing."""
        for session in self.sessions:  # noqa: SIM110
            if session.delivery.is_waiting:
                return True
        return False

    @property
    def hostile(self):
        """Return how many commands were damaged, forged or replayed since boot."""
        count = self.bad_commands + self.replays
        for session in self.sessions:
            count += session.link.damaged
        return count

    def step(self):
        """Serve all links; return True when there is more to send at once."""
        has_more = False
        for session in self.sessions:
            if session.step():
                has_more = True
        now = self.clock.ticks_ms()
        if self.clock.ticks_diff(now, self._tell_at) >= 0:
            self._tell_at = self.clock.ticks_add(now, config.STATUS_MS)
            self._tell(now)
        return has_more

    def _tell(self, now):
        """Tell of hostile peers, seldom enough that a flood of them does not fill the ring."""
        hostile = self.hostile
        if hostile != self._told:
            self._told = hostile
            self.log(wire.EVENT_HOSTILE, hostile)
        if self.wrong_proofs != self._told_proofs:
            self._told_proofs = self.wrong_proofs
            self.log(wire.EVENT_AUTH_FAILED, self.wrong_proofs)
        for stranger in list(self._strangers):
            if self.clock.ticks_diff(now, stranger[2]) > 10 * _LONGEST_WAIT_S * 1000:
                self._strangers.remove(stranger)

    def log(self, code, value):
        """Report an event."""
        if self.tools.log is not None:
            self.tools.log(code, value)

    def _log_of_link(self, code, value):
        """Report what a link tells of itself, and keep it for STATUS."""
        if code == wire.EVENT_LINK_STALL:
            self.stalls = value
        elif code == wire.EVENT_RADIO_RESTART:
            self.radio_restarts = value
        self.log(code, value)

    # ---- who may ----

    def features(self):
        """Return all feature bits."""
        return self.tools.features | (0 if self.aes is None else wire.FEATURE_ENCRYPTION)

    def state(self):
        """Return wire.STATE_*."""
        if self.key is None:
            return wire.STATE_NEEDS_SETUP
        return wire.STATE_LOCKED if self.holder is None else wire.STATE_OPEN

    def hello(self):
        """Return what anybody may know of this board."""
        outbox, tools = self.outbox, self.tools
        return struct.pack(
            wire.HELLO_BODY,
            wire.VERSION,
            wire.MINOR,
            wire.LEAST_HOST_MINOR,
            self.state(),
            self.features(),
            tools.version[0],
            tools.version[1],
            tools.version[2],
            tools.imus,
            outbox.boot,
            outbox.oldest(),
            max(outbox.next_seq - 1, 0),
            tools.model,
        )

    def open(self, session):
        """Seat a host that proved the key, in place of the one before."""
        if self.holder is not None and self.holder is not session:
            self.holder.close(wire.CLOSED_TAKEN_OVER)
        self.holder = session
        self.forgive(session.link.address)
        self.log(wire.EVENT_HOST_OPEN, session.link.connections)
        self.publish()

    def leave(self, session, reason):
        """A session ended."""
        if self.holder is session:
            self.holder = None
            self.log(wire.EVENT_HOST_CLOSED, reason)
            self.publish()

    def publish(self):
        """Show the state on all links."""
        info = self.hello()
        for session in self.sessions:
            session.link.publish(info)

    def set_key(self, key):
        """Keep a new key and end all sessions; OSError from the flash changes nothing."""
        self.tools.keystore.save(key)
        self.key = key
        self._strangers.clear()
        for session in self.sessions:
            session.close(wire.CLOSED_NEW_KEY)
        self.publish()

    # ---- who failed ----

    def wait_s(self, address):
        """Return how long a peer has to wait before it may try again, 0: not at all."""
        for stranger in self._strangers:
            if stranger[0] == address:
                past = self.clock.ticks_diff(self.clock.ticks_ms(), stranger[2])
                return max(0, stranger[1] - past // 1000) if past >= 0 else 0
        return 0

    def refuse(self, address):
        """Note that a peer failed to prove the key; the wait doubles each time, up to a minute."""
        self.wrong_proofs += 1
        now = self.clock.ticks_ms()
        for stranger in self._strangers:
            if stranger[0] == address:
                stranger[1] = min(2 * stranger[1], _LONGEST_WAIT_S)
                stranger[2] = now
                return
        if len(self._strangers) == _STRANGERS:
            self._strangers.pop(0)
        self._strangers.append([address, 1, now])

    def forgive(self, address):
        """Forget that a peer failed."""
        for stranger in list(self._strangers):
            if stranger[0] == address:
                self._strangers.remove(stranger)

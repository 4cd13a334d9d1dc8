"""State shared by all host sessions: keys, active session, places on the radio, and what commands may use.

One session at a time is active; another host gets BUSY unless it proves a key and asks to take over. A key of 256
bits needs no brake on guesses, which could be used against the owner: who proves the key gets in at once. When all
places are taken the oldest peer that has proved nothing goes, in 3 s or half as long again as hosts have needed since
boot. When two have gone so within a minute, others than known hosts get less: a tenth of a second who wasted a place
or anybody else once a host is known, half before; but all of it now and then, for it may be the owner.
"""

import gc
import struct

from micropython import const

from tiltwise.common import auth, wire

from .. import config
from .host_session import HostSession

_MOST_KNOWN = const(4)  # addresses that proved the key since boot
_LEAST_MS = const(1000)  # for a proof, while no place is free; a slow system needs 2.5 s to find the services
_MOST_MS = const(3000)
_WASTER_MS = const(100)
_SELDOM = const(15)  # one time in 16 a waster gets all of it, for anybody can claim an owner's address
_OFTEN = const(3)  # and one time in four a new address does
_PRESSED = const(2)  # peers sent away within a minute of each other: from then on time gets short
_MOST_WASTERS = const(12)  # addresses
_STRANGERS_MS = const(60000)  # after a stranger was sent away, others are about


class CommandContext:
    """What commands may use. What a board has not got is None, and its command answers UNSUPPORTED."""

    def __init__(
        self,
        *,
        keystore=None,
        settings=None,
        haptics=None,
        on_start=None,
        tare=None,
        silence=None,
        reboot=None,
        self_test=None,
        now=None,
        random=None,
        is_pressed=None,
        log=None,
        device_id=bytes(8),
        model=b"",
        version=(0, 0, 0),
        features=0,
        imus=1,
    ):
        self.keystore = keystore  # load() -> [(name, key)], save(keys), changes
        self.settings = settings  # KEYS, get(key), set(key, value)
        self.haptics = haptics  # play(pattern, strength) -> bool
        self.on_start = on_start  # called with frame type and samples per frame when a stream begins
        self.silence = silence  # silence(snooze s, quiet hours begin in s, last s)
        self.tare = tare  # called for TARE; False: not now
        self.reboot = reboot  # called for REBOOT; lets the answer go out before it acts
        self.self_test = self_test  # self_test(part) -> bytes, None without it; OSError, ValueError
        self.now = now  # device time in wire.TICK_S
        self.random = random  # random(n) -> n bytes that nobody can guess
        self.is_pressed = is_pressed  # is_pressed() tells whether the button is held; None: there is none
        self.log = log  # log(event code, value)
        self.device_id, self.model, self.version = device_id, model, version
        self.features = features  # wire.FEATURE_*
        self.imus = imus


class SessionManager:
    """All host sessions of one board; `by_link` has one for each link."""

    def __init__(self, links, frames, clock, context):
        self.frames = frames
        self.clock = clock
        self.context = context
        # (name, key) of each host
        self.keys = [] if context.keystore is None else context.keystore.load()
        self.active_session = None  # the one whose host proved the key
        size = wire.frame_size(wire.ORIENT, wire.MAX_SAMPLES) + wire.SEALED_GROWS
        self.scratch = memoryview(bytearray(size))  # for the sealed frames of the active session
        self._known = []  # addresses that proved the key
        self._needed_ms = 0  # by the slowest of them, with a margin; 0: not known
        self._wasters = []  # (address, times), newest last
        self._dropped_at = None  # when a peer was last sent away
        self._drops = 0  # peers sent away since there was peace for a minute
        self.no_memory = 0  # sessions that ended because no memory was left
        self.retries = 0  # frames that a link refused
        self.bad_commands = 0  # damaged or forged
        self.replays = 0
        self.wrong_proofs = 0
        self.dropped = 0  # peers sent away because they proved nothing in time
        self.refused = 0  # hosts that proved the key while another was in session
        self.stalls = 0  # connections that took nothing, as the links report
        self.radio_restarts = 0
        self._reported_hostile = 0
        self._reported_proofs = 0
        self._report_at = clock.ticks_ms()
        self.by_link = [HostSession(link, self) for link in links]
        # Who charges the board must not read its keys: with a button, the prompt wants it held at boot.
        is_pressed = context.is_pressed
        is_prompt_open = not self.keys or is_pressed is None or bool(is_pressed())
        for link in links:
            link.log = self._log_of_link
            link.is_prompt_open = is_prompt_open
        self.publish()

    @property
    def is_streaming(self):
        """Tell whether a host takes live frames."""
        for session in self.by_link:  # noqa: SIM110 - a generator is an object, and this is asked often
            if session.delivery.stream is not None:
                return True
        return False

    @property
    def is_connected(self):
        """Tell whether a peer is at the other end of any link, authenticated or not."""
        return any(session.link.is_connected for session in self.by_link)

    @property
    def is_waiting(self):
        """Tell whether a host takes live frames and has used up its credits: it acknowledges nothing."""
        for session in self.by_link:  # noqa: SIM110
            if session.delivery.is_waiting or session.is_silent:
                return True
        return False

    @property
    def hostile(self):
        """Return how many commands were damaged, forged or replayed since boot."""
        count = self.bad_commands + self.replays
        for session in self.by_link:
            count += session.link.damaged
        return count

    def step(self):
        """Serve all links; return True when there is more to send at once."""
        has_more = False
        for session in self.by_link:
            try:
                if session.step():
                    has_more = True
            except MemoryError:
                self._give_up(session)
        now = self.clock.ticks_ms()
        self._make_room(now)
        if self.clock.ticks_diff(now, self._report_at) >= 0:
            self._report_at = self.clock.ticks_add(now, config.STATUS_MS)
            self._report()
            if not self._are_strangers_about(now):
                self._dropped_at, self._drops = None, 0  # ticks wrap
        return has_more

    def _give_up(self, session):
        """End a session that has no memory to go on: the board samples on, and the host may come again."""
        self.no_memory += 1
        session.close(wire.CLOSED_LOST)
        session.link.disconnect()
        gc.collect()

    def _make_room(self, now):
        """Send away a peer that has had its time and proved nothing, when all places on the radio are taken."""
        places = 0
        longest_ms = -1
        oldest = None
        for session in self.by_link:
            if session.link.peer == "ble":
                if session.is_leaving or not session.link.is_connected:
                    return
                places += 1
                age_ms = session.unproved_ms(now)
                if age_ms >= _WASTER_MS:
                    over_ms = age_ms - self._proof_ms(session.link.address)
                    if over_ms > longest_ms:
                        longest_ms = over_ms
                        oldest = session
        if oldest is not None and (places > 1 or self._are_strangers_about(now)):
            oldest.drop(now)

    def _proof_ms(self, address):
        """Return how long this peer may take for a proof while no place is free."""
        full_ms = self._needed_ms or _MOST_MS
        if self._drops < _PRESSED or address in self._known:
            return full_ms
        wasted = self._times_wasted(address)
        turn = wasted or self._drops
        if wasted or self._known:
            return _WASTER_MS if turn & _SELDOM else full_ms
        return full_ms >> 1 if turn & _OFTEN else full_ms

    def _times_wasted(self, address):
        return sum([times for who, times in self._wasters if who == address])

    def _are_strangers_about(self, now):
        at = self._dropped_at
        return at is not None and self.clock.ticks_diff(now, at) < _STRANGERS_MS

    def note_dropped(self, now, address):
        """Note that a peer is sent away because it proved nothing in time."""
        self.dropped += 1
        self._dropped_at = now
        self._drops += 1
        times = self._times_wasted(address)
        others = [waster for waster in self._wasters if waster[0] != address]
        self._wasters = others[1 - _MOST_WASTERS :] + [(address, times + 1)]

    def _report(self):
        """Report hostile peers, rarely enough that a flood of them does not fill the ring."""
        hostile = self.hostile
        if hostile != self._reported_hostile:
            self._reported_hostile = hostile
            self.log(wire.EVENT_HOSTILE, hostile)
        if self.wrong_proofs != self._reported_proofs:
            self._reported_proofs = self.wrong_proofs
            self.log(wire.EVENT_AUTH_FAILED, self.wrong_proofs)

    def log(self, code, value):
        """Report an event."""
        if self.context.log is not None:
            self.context.log(code, value)

    def _log_of_link(self, code, value):
        """Pass on an event of a link, and keep its count for STATUS."""
        if code == wire.EVENT_LINK_STALL:
            self.stalls = value
        elif code == wire.EVENT_RADIO_RESTART:
            self.radio_restarts = value
        self.log(code, value)

    # ---- what peers may know, and who is active ----

    def features(self):
        """Return all feature bits."""
        return self.context.features

    def state(self):
        """Return wire.STATE_*."""
        if not self.keys:
            return wire.STATE_NEEDS_SETUP
        return wire.STATE_LOCKED if self.active_session is None else wire.STATE_OPEN

    def hello_start(self):
        """Return the HELLO_START: what any peer may know of this board. It tells no board from another."""
        return struct.pack(wire.HELLO_START, wire.PROTOCOL, wire.MINOR, wire.LEAST_HOST_MINOR, self.state())

    def hello(self):
        """Return the HELLO_BODY: what a peer may know that proved a key or holds the cable."""
        frames, context = self.frames, self.context
        return struct.pack(
            wire.HELLO_BODY,
            wire.PROTOCOL,
            wire.MINOR,
            wire.LEAST_HOST_MINOR,
            self.state(),
            self.features(),
            context.version[0],
            context.version[1],
            context.version[2],
            context.imus,
            frames.boot,
            frames.oldest(),
            max(frames.next_seq - 1, 0),
            context.model,
        )

    def open(self, session):
        """Make an authenticated host the active one, closing the previous session."""
        if self.active_session is not None and self.active_session is not session:
            self.active_session.close(wire.CLOSED_TAKEN_OVER)
        self.active_session = session
        session.link.is_prompt_open = True  # who proved a key may read it
        address = session.link.address
        needed_ms = session.age_ms() * 3 // 2
        self._needed_ms = min(max(needed_ms, self._needed_ms, _LEAST_MS), _MOST_MS)
        if address is not None and address not in self._known:
            self._known = self._known[1 - _MOST_KNOWN :] + [address]
        self.log(wire.EVENT_HOST_OPEN, session.link.connections)
        self.publish()

    def release(self, session, reason):
        """Take note that a session has ended."""
        if self.active_session is session:
            self.active_session = None
            self.log(wire.EVENT_HOST_CLOSED, reason)
            self.publish()

    def publish(self):
        """Show the HELLO_START on all links."""
        info = self.hello_start()
        for session in self.by_link:
            session.link.publish(info)

    # ---- keys ----

    def set_only_key(self, name, key):
        """Let this key take the place of all and end all sessions; OSError from the flash changes nothing."""
        self._save([(name, key)], is_change=True)
        self._known = []
        for session in self.by_link:
            session.close(wire.CLOSED_NEW_KEY)
        self.publish()

    def replace_key(self, place, name, key):
        """Give the host at this place another key and end its session; OSError as above."""
        keys = list(self.keys)
        keys[place] = (name, key)
        self._save(keys, is_change=True)
        self.active_session.close(wire.CLOSED_NEW_KEY)

    def add_key(self, name, key):
        """Take the key of one more host; False when there is no place."""
        if any(key == held for _, held in self.keys):
            return True  # said again
        if len(self.keys) >= auth.MOST_KEYS:
            return False
        self._save(list(self.keys) + [(name, key)], is_change=True)
        return True

    def revoke_key(self, place, name):
        """Forget the key of another host; False when there is none of this name at this place."""
        keys = list(self.keys)
        if place >= len(keys) or keys[place][0] != name or place == self.active_session.place:
            return False
        del keys[place]
        self._save(keys, is_change=True)
        if place < self.active_session.place:
            self.active_session.place -= 1
        return True

    def ratchet(self, check):
        """Let the next key take the place of the active host's, if both sides mean the same; False if they do not."""
        place = self.active_session.place
        name, key = self.keys[place]
        if check == auth.key_check(key):
            return True  # done already, and the answer was lost
        following = auth.next_key(key)
        if check != auth.key_check(following):
            return False
        keys = list(self.keys)
        keys[place] = (name, following)
        self._save(keys, is_change=False)
        return True

    def _save(self, keys, is_change):
        self.context.keystore.save(keys, is_change)
        self.keys = keys

"""One link's session with a host: authentication, commands in, answers and sealed frames out.

An unauthenticated peer may ask what the board is (HELLO) and prove a key (AUTH1, AUTH2); over a cable it may also
set one (PROVISION). A peer on the radio that has proved nothing after 5 s is disconnected, sooner when it takes the
last place (session_manager.py); who proves the key gets in at once, whoever failed before. A board without a key
serves whoever holds its cable, with checksums in place of tags. Commands are checked in the order of cost: length,
checksum, opcode, and only then hashes.
"""

import struct

from micropython import const

from tiltwise.common import auth, wire
from tiltwise.common.channel import Channel, ReplayError

from .command_handlers import Commands
from .send_queue import SendQueue

PROOF_MS = 5000  # for a peer on the radio to prove the key
_COMMANDS_PER_STEP = const(8)  # a flood of commands does not keep the sampler waiting
_MOST_TRIES = const(4)  # of AUTH1 in one connection: each costs hashes
_MOST_ANSWERS = const(24)  # to a peer that has proved nothing: where the radio refuses nothing, they queue
_TOLD_MS = const(2000)  # a host says something every second
_SILENT_MS = const(10000)  # with all frames on the way and no word from the host: nothing moves on this link
_LINGER_MS = const(100)  # from the last answer to the cut: what the radio still holds would be lost
_LEAVE_MS = const(1000)  # for the last answer to go out at all


class HostSession:
    """The session of one link."""

    def __init__(self, link, manager):
        self.link = link
        self._manager = manager
        self._context = manager.context
        self._frames = manager.frames
        self._clock = manager.clock
        self.delivery = SendQueue(manager.frames, self._transmit, link.window)
        self._commands = Commands(self, manager)
        self._connection = link.connections
        self._since = self._connected_at = self._heard_at = self._moved_at = self._leave_at = (
            self._clock.ticks_ms()
        )
        self._reset()

    def _reset(self):
        """Forget the peer."""
        self.channel = None  # common.channel.Channel while open
        self.place = -1  # of the key that opened it
        self._opened_at = 0
        self._handshake = None
        self._request = b""  # of the last AUTH1, and its answer, for a host that repeats it
        self._answer = b""
        self._proof = b""  # that opened the session
        self._tries = 0
        self._answers = 0  # before a proof
        self._heard_id = -1  # of the last command
        self.is_leaving = False
        self._counter = 0  # of replies without a session
        self._sealed_seq = -1
        self._sealed_flags = 0
        self._sealed = None
        self._sealed_size = 0
        self.delivery.stop()

    @property
    def is_free(self):
        """Tell whether this peer is served without a proof: the cable of a board that has no key yet."""
        return not self._manager.keys and self.link.peer == "usb"

    @property
    def is_open(self):
        """Tell whether this peer may have data."""
        return self.channel is not None or self.is_free

    def seconds(self):
        """Return how long ago the session was opened and its host was last heard, in seconds."""
        clock = self._clock
        now = clock.ticks_ms()
        opened = max(clock.ticks_diff(now, self._opened_at), 0) // 1000
        return min(opened, 65535), min(max(clock.ticks_diff(now, self._heard_at), 0) // 1000, 65535)

    def close(self, reason):
        """End the session; the peer may prove the key anew."""
        if self.channel is not None:
            self._manager.release(self, reason)
        self._reset()
        self._since = self._clock.ticks_ms()

    # ---- every step ----

    def step(self):
        """Take the commands that came, then send some frames; return True when there is more to send."""
        link = self.link
        link.poll()
        if link.connections != self._connection or not link.is_connected:
            if self.is_open or self._connection != link.connections:
                self.close(wire.CLOSED_LOST)
            if link.is_connected and link.connections != self._connection:
                self._connected_at = self._since
                link.publish(self._manager.hello_start())
            self._connection = link.connections
        if not link.is_connected or self._is_cutting():
            return False
        for _ in range(_COMMANDS_PER_STEP):
            data = link.receive()
            if data is None:
                break
            self._command(data)
        if not self.is_open or self.is_leaving or not link.is_idle():
            return False
        if self.delivery.is_full:
            self._reset_if_stuck()
            return False
        if self.delivery.is_done and self.delivery.request_id is not None:
            return self._send_get_done()
        return self.delivery.step()

    @property
    def is_silent(self):
        """Tell whether frames wait because the host has said nothing for a while."""
        silent_ms = self._clock.ticks_diff(self._clock.ticks_ms(), self._moved_at)
        return self.delivery.is_full and silent_ms >= _TOLD_MS

    def _reset_if_stuck(self):
        """End a connection whose frames are all on the way while its host says nothing."""
        if self._clock.ticks_diff(self._clock.ticks_ms(), self._moved_at) >= _SILENT_MS:
            self.link.reset()

    def _is_cutting(self):
        """Cut the link of a peer that failed or proved nothing in time; True while it is on its way out."""
        clock, link = self._clock, self.link
        now = clock.ticks_ms()
        if self.unproved_ms(now) >= PROOF_MS:
            self.drop(now)
        left_ms = clock.ticks_diff(self._leave_at, now)
        if self.is_leaving and (left_ms <= 0 or (link.is_idle() and left_ms <= _LEAVE_MS - _LINGER_MS)):
            self.is_leaving = False
            self._since = now
            link.disconnect()
            return True
        return self.is_leaving

    def unproved_ms(self, now):
        """Return how long the peer on the radio has been there without a proof; -1 when it has none to give."""
        if self.is_leaving or self.is_open or self.link.peer != "ble":
            return -1
        return self._clock.ticks_diff(now, self._since)

    def age_ms(self):
        """Return how long this peer has been there."""
        return self._clock.ticks_diff(self._clock.ticks_ms(), self._connected_at)

    def drop(self, now):
        """Send away a peer that proved nothing in time."""
        self._manager.note_dropped(now, self.link.address)
        self.cut(now)

    def cut(self, now):
        """Cut the link as soon as the answer has gone out; a cable cannot be cut, and a proved host is not."""
        if self.link.peer == "ble" and self.channel is None:
            self.is_leaving = True
            wait_ms = _LEAVE_MS if self._answers else 0  # an answer has to go out first
            self._leave_at = self._clock.ticks_add(now, wait_ms)

    def _transmit(self, frame, size, backfill):
        """Seal a frame and send it; one that was refused is not sealed again."""
        seq = frame[4] | frame[5] << 8 | frame[6] << 16 | (frame[7] & 0x3F) << 24
        flags = frame[1] & ~wire.FLAG_BACKFILL & 0xFF | backfill
        # What comes from flash is read anew each time, so only live frames stay sealed.
        if backfill or seq != self._sealed_seq or flags != self._sealed_flags:
            frame[1] = flags
            if self.channel is None:
                self._sealed = frame
                self._sealed_size = wire.seal(frame, size)
            else:
                self._sealed = self._manager.scratch
                self._sealed_size = self.channel.seal(frame, size, self._sealed)
        if not self.link.send(self._sealed, self._sealed_size):
            self._sealed_seq, self._sealed_flags = seq, flags
            self._manager.retries += 1
            return False
        self._sealed_seq = -1
        return True

    # ---- commands ----

    def _command(self, data):
        """Open a command, do it, answer."""
        try:
            if self.channel is None or not data or data[0] != wire.SEALED_COMMAND:
                request_id, opcode, _, payload = wire.open_command(data)
                is_proved = self.is_free
            else:
                request_id, opcode, payload = self.channel.open(data)
                is_proved = True
        except ReplayError:
            self._manager.replays += 1
            return
        except wire.WireError:
            self._manager.bad_commands += 1  # a host that is meant repeats its command
            return
        if is_proved:
            self._heard_at = self._clock.ticks_ms()
            # An id heard before says that its answer did not arrive, and so perhaps no frame did.
            if self._heard_id < 0 or 0 < (request_id - self._heard_id) & 0xFF < 128:
                self._heard_id = request_id
                self._moved_at = self._heard_at
                self.delivery.in_flight = 0
        elif self.channel is None and self.link.peer == "ble":
            self._answers += 1
            if self._answers > _MOST_ANSWERS:
                if not self.is_leaving:
                    self.drop(self._clock.ticks_ms())
                return
        channel = self.channel if is_proved else None
        self._reply(
            channel, request_id, opcode, self._commands.answer(request_id, opcode, payload, is_proved)
        )

    def _reply(self, channel, request_id, opcode, answer):
        """Send an answer; False when the link did not take it."""
        if channel is not None:
            return self.link.reply(channel.pack(request_id, opcode | wire.REPLY, answer))
        self._counter += 1
        return self.link.reply(wire.pack_command(request_id, opcode | wire.REPLY, self._counter, answer))

    def _send_get_done(self):
        """Report the end of a GET in a reply that the host did not ask for; True when it went out."""
        delivery = self.delivery
        answer = bytes([wire.STATUS_OK]) + delivery.done_body()
        if not self._reply(self.channel, delivery.request_id, wire.OP_GET_DONE, answer):
            return False
        delivery.request_id = None
        return True

    # ---- proof ----

    def auth1(self, payload):
        """Answer the host's nonce with ours and our proof; return (status, rest)."""
        manager = self._manager
        if not manager.keys:
            return wire.STATUS_FAILED, b""
        if payload == self._request:
            return wire.STATUS_OK, self._answer
        self._tries += 1
        if self._tries > _MOST_TRIES and self.link.peer == "ble":
            self.cut(self._clock.ticks_ms())
            return wire.STATUS_FAILED, b""
        handshake = auth.BoardHandshake([key for _, key in manager.keys], self._context.device_id)
        random = self._context.random
        answer = handshake.answer(
            payload, random(auth.NONCE_SIZE), random(auth.MOST_KEYS * auth.BOARD_PROOF_SIZE)
        )
        if answer is None:
            return wire.STATUS_BAD_ARGUMENT, b""
        self._handshake = handshake
        self._request, self._answer = payload, answer
        return wire.STATUS_OK, answer

    def auth2(self, payload):
        """Check the host's proof and open the session; return (status, rest)."""
        manager = self._manager
        if self.channel is not None and auth.equal(payload, self._proof):
            return wire.STATUS_OK, b""
        handshake = self._handshake
        if handshake is None:
            return wire.STATUS_LOCKED, b""
        if not handshake.accepts(payload):
            self._handshake = None
            self._request = b""
            manager.wrong_proofs += 1
            self.cut(self._clock.ticks_ms())
            return wire.STATUS_FAILED, b""
        active = manager.active_session
        if active is not None and active is not self and not handshake.wishes & wire.WISH_TAKE_OVER:
            manager.refused += 1
            return wire.STATUS_BUSY, struct.pack("<HH", *active.seconds())
        self._open(handshake, payload)
        return wire.STATUS_OK, b""

    def _open(self, handshake, proof):
        request, answer = self._request, self._answer
        self.close(wire.CLOSED_BY_HOST)
        self._request, self._answer, self._proof = request, answer, proof
        self.channel = Channel(handshake.shared, False)
        self.place = handshake.place
        self._opened_at = self._heard_at = self._moved_at = self._clock.ticks_ms()
        self._manager.open(self)

"""The command handlers: payload of a command in, status and payload of the answer out.

All commands are idempotent: repeating one changes nothing.
"""

import struct

from micropython import const

from tiltwise.common import auth, values, wire

from .. import config

# Bytes of payload; None: the handler looks itself.
_SIZES = {
    wire.OP_HELLO: 0,
    wire.OP_AUTH1: struct.calcsize(wire.AUTH1_BODY),
    wire.OP_AUTH2: struct.calcsize(wire.AUTH2_BODY),
    wire.OP_PING: 8,
    wire.OP_START: 2,
    wire.OP_STOP: 0,
    wire.OP_ACK: 8,
    wire.OP_GET: 10,
    wire.OP_BOOTS: 0,
    wire.OP_GETCFG: 1,
    wire.OP_SETCFG: None,
    wire.OP_MOTOR: 2,
    wire.OP_TARE: 0,
    wire.OP_REBOOT: 0,
    wire.OP_PROVISION: None,
    wire.OP_RATCHET: 8,
    wire.OP_KEYS: 0,
    wire.OP_ADD_KEY: None,
    wire.OP_REVOKE: 1 + wire.KEY_NAME_SIZE,
    wire.OP_SILENCE: 12,
    wire.OP_MTU: 2,
    wire.OP_SELFTEST: 1,
}
_FOR_ALL = (wire.OP_HELLO, wire.OP_AUTH1, wire.OP_AUTH2, wire.OP_PROVISION)
_MOST_BOOTS = const(20)  # in one answer


class Commands:
    """The commands of one session."""

    def __init__(self, session, manager):
        self._manager = manager
        self._context = manager.context
        self._frames = manager.frames
        self._link = session.link
        self._queue = session.delivery
        self._session = session

    def answer(self, request_id, opcode, payload, is_proved):
        """Do a command and return the answer, status first."""
        if opcode not in _SIZES:
            return bytes([wire.STATUS_UNSUPPORTED if is_proved else wire.STATUS_LOCKED])
        if not is_proved and opcode not in _FOR_ALL:
            return bytes([wire.STATUS_LOCKED])
        size = _SIZES[opcode]
        if size is not None and len(payload) != size:
            return bytes([wire.STATUS_BAD_ARGUMENT])
        if opcode == wire.OP_AUTH1:
            status, rest = self._session.auth1(payload)
        elif opcode == wire.OP_AUTH2:
            status, rest = self._session.auth2(payload)
        elif opcode == wire.OP_GET:
            status, rest = self._get(request_id, payload)
        elif opcode == wire.OP_HELLO:
            status, rest = self._hello(is_proved)
        elif opcode == wire.OP_PROVISION:
            status, rest = self._provision(payload, is_proved)
        else:
            status, rest = self._HANDLERS[opcode](self, payload)
        return bytes([status]) + rest

    def _hello(self, is_proved):
        # Who holds the cable may know which board it is; on the radio only who proved a key.
        if is_proved or self._link.peer == "usb":
            return wire.STATUS_OK, self._manager.hello() + self._context.device_id
        return wire.STATUS_OK, self._manager.hello_start()

    def _ping(self, payload):
        now = self._context.now
        if now is None:
            return wire.STATUS_UNSUPPORTED, b""
        waited = self._link.waited_us() // 100
        sent = now()
        return wire.STATUS_OK, payload + struct.pack(
            "<II", max(sent - waited, 0) & 0xFFFFFFFF, sent & 0xFFFFFFFF
        )

    # ---- frames ----

    def _start(self, payload):
        frame_type, samples = payload[0], payload[1]
        if frame_type not in wire.SAMPLE_SIZES or not 1 <= samples <= config.SAMPLES_PER_FRAME:
            return wire.STATUS_BAD_ARGUMENT, b""
        on_start = self._context.on_start
        if self._queue.start((frame_type, samples)) and on_start is not None:
            on_start(frame_type, samples)
        return wire.STATUS_OK, b""

    def _stop(self, _payload):
        self._queue.stop()
        return wire.STATUS_OK, b""

    def _ack(self, payload):
        boot, seq, credits = struct.unpack("<HIH", payload)
        frames = self._frames
        if seq == wire.NOTHING_STORED:
            self._queue.grant_credits(credits)
            return wire.STATUS_OK, b""
        if boot != frames.boot:
            return wire.STATUS_OK if frames.free_earlier(boot, seq) else wire.STATUS_BAD_ARGUMENT, b""
        if seq >= frames.next_seq:
            return wire.STATUS_BAD_ARGUMENT, b""
        frames.free_to(seq)
        self._queue.acknowledge(seq, credits)
        return wire.STATUS_OK, b""

    def _get(self, request_id, payload):
        boot, first, last = struct.unpack("<HII", payload)
        frames = self._frames
        if first > last or not self._queue.get(request_id, boot, first, last):
            return wire.STATUS_BAD_ARGUMENT, b""
        if boot != frames.boot:
            for held in frames.earlier_boots():
                if held[0] == boot:
                    return wire.STATUS_OK, struct.pack("<II", held[1], held[2])
            return wire.STATUS_OK, struct.pack("<II", 1, 0)  # nothing of it: GET_DONE follows at once
        return wire.STATUS_OK, struct.pack("<II", frames.oldest(), max(frames.next_seq - 1, 0))

    def _boots(self, _payload):
        frames = self._frames
        parts = [struct.pack("<HII", frames.boot, frames.oldest(), max(frames.next_seq - 1, 0))]
        for boot, first, last in frames.earlier_boots()[: _MOST_BOOTS - 1]:
            parts.append(struct.pack("<HII", boot, first, last))
        return wire.STATUS_OK, b"".join(parts)

    # ---- the board ----

    def _getcfg(self, payload):
        settings = self._context.settings
        if settings is None:
            return wire.STATUS_UNSUPPORTED, b""
        if payload[0] >= len(settings.KEYS):
            return wire.STATUS_BAD_ARGUMENT, b""
        return wire.STATUS_OK, values.pack_value(settings.get(settings.KEYS[payload[0]]))

    def _setcfg(self, payload):
        settings = self._context.settings
        if settings is None:
            return wire.STATUS_UNSUPPORTED, b""
        if len(payload) < 2 or payload[0] >= len(settings.KEYS):
            return wire.STATUS_BAD_ARGUMENT, b""
        try:
            settings.set(settings.KEYS[payload[0]], values.unpack_value(payload[1:]))
        except ValueError:  # and WireError, which is one
            return wire.STATUS_BAD_ARGUMENT, b""
        except OSError:
            return wire.STATUS_FAILED, b""
        return wire.STATUS_OK, b""

    def _motor(self, payload):
        haptics = self._context.haptics
        if haptics is None:
            return wire.STATUS_UNSUPPORTED, b""
        return wire.STATUS_OK if haptics.play(payload[0], payload[1]) else wire.STATUS_FAILED, b""

    def _tare(self, _payload):
        if self._context.tare is None:
            return wire.STATUS_UNSUPPORTED, b""
        return wire.STATUS_FAILED if self._context.tare() is False else wire.STATUS_OK, b""

    def _silence(self, payload):
        if self._context.silence is None:
            return wire.STATUS_UNSUPPORTED, b""
        return wire.STATUS_OK, struct.pack("<I", self._context.silence(*struct.unpack("<IiI", payload)))

    def _mtu(self, payload):
        if not self._context.features & wire.FEATURE_ASKS_MTU:
            return wire.STATUS_UNSUPPORTED, b""  # the radio knows better
        self._link.on_mtu(payload[0] | payload[1] << 8)
        return wire.STATUS_OK, b""

    def _selftest(self, payload):
        if self._context.self_test is None:
            return wire.STATUS_UNSUPPORTED, b""
        try:
            found = self._context.self_test(payload[0])
        except ValueError:
            return wire.STATUS_BAD_ARGUMENT, b""
        except OSError:
            return wire.STATUS_FAILED, b""
        return (wire.STATUS_UNSUPPORTED, b"") if found is None else (wire.STATUS_OK, found)

    def _reboot(self, _payload):
        if self._context.reboot is None:
            return wire.STATUS_UNSUPPORTED, b""
        self._context.reboot()
        return wire.STATUS_OK, b""

    # ---- keys ----

    def _provision(self, payload, is_proved):
        """Set the key of this host; only over the cable.

        The port that charges the board is no proof of a right to it: a board that has keys wants one of them proved,
        or its button held, and then forgets the others and what it keeps for the owner before. A board without a
        button forgets too.
        """
        manager = self._manager
        if self._link.peer != "usb" or self._context.keystore is None:
            return wire.STATUS_UNSUPPORTED, b""
        named = _named_key(payload)
        if named is None:
            return wire.STATUS_BAD_ARGUMENT, b""
        if any(key == named[1] for _, key in manager.keys):
            return wire.STATUS_OK, self._context.device_id  # said again
        try:
            if self._session.channel is not None and is_proved:
                manager.replace_key(self._session.place, *named)
                return wire.STATUS_OK, self._context.device_id
            is_other = bool(manager.keys)
            is_pressed = self._context.is_pressed
            if is_other and is_pressed is not None and not is_pressed():
                return wire.STATUS_LOCKED, b""
            manager.set_only_key(*named)
        except OSError:
            return wire.STATUS_FAILED, b""
        if is_other:
            self._frames.forget_all()
        return wire.STATUS_OK, self._context.device_id

    def _ratchet(self, payload):
        return self._changed(lambda: self._manager.ratchet(payload))

    def _keys(self, _payload):
        if self._session.channel is None:
            return wire.STATUS_UNSUPPORTED, b""
        parts = [struct.pack("<HB", self._context.keystore.changes, self._session.place)]
        for name, _ in self._manager.keys:
            parts.append(name)
        return wire.STATUS_OK, b"".join(parts)

    def _add_key(self, payload):
        named = _named_key(payload)
        if named is None:
            return wire.STATUS_BAD_ARGUMENT, b""
        return self._changed(lambda: self._manager.add_key(*named))

    def _revoke(self, payload):
        return self._changed(lambda: self._manager.revoke_key(payload[0], payload[1:]))

    def _changed(self, change):
        """Change the keys in a session; FAILED when that cannot be or the flash refuses."""
        if self._session.channel is None:
            return wire.STATUS_UNSUPPORTED, b""
        try:
            return wire.STATUS_OK if change() else wire.STATUS_FAILED, b""
        except OSError:
            return wire.STATUS_FAILED, b""

    _HANDLERS = {
        wire.OP_PING: _ping,
        wire.OP_START: _start,
        wire.OP_STOP: _stop,
        wire.OP_ACK: _ack,
        wire.OP_BOOTS: _boots,
        wire.OP_GETCFG: _getcfg,
        wire.OP_SETCFG: _setcfg,
        wire.OP_MOTOR: _motor,
        wire.OP_TARE: _tare,
        wire.OP_REBOOT: _reboot,
        wire.OP_MTU: _mtu,
        wire.OP_SELFTEST: _selftest,
        wire.OP_SILENCE: _silence,
        wire.OP_RATCHET: _ratchet,
        wire.OP_KEYS: _keys,
        wire.OP_ADD_KEY: _add_key,
        wire.OP_REVOKE: _revoke,
    }


def _named_key(payload):
    """Return (name, key) of a payload of key and name, None when it is none."""
    key, name = payload[: auth.KEY_SIZE], payload[auth.KEY_SIZE :]
    if len(key) != auth.KEY_SIZE or key == bytes(auth.KEY_SIZE) or len(name) > wire.KEY_NAME_SIZE:
        return None
    return name + bytes(wire.KEY_NAME_SIZE - len(name)), key

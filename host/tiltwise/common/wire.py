"""The bytes between board and host: frames (board -> host), commands (host -> board), checksums.

This is the definition; docs/protocol.md is checked against it. It runs on the board and on the host, so it uses
only what MicroPython has too. Packing writes into buffers made once; frames are read by frame.py.

A frame is `header (18) + payload + tag (8)`, little endian:

    off size field
      0    1 version << 4 | type
      1    1 flags (FLAG_*)
      2    2 boot id, +1 at each boot
      4    4 frame sequence number since boot
      8    4 i0: index of the first sample since boot
     12    4 t0: device time of sample i0 in 100 us, wraps after 119 h
     16    1 sensor << 4 | n: which IMU, and how many samples (0..15)
     17    1 rate code (index into RATES_HZ; 0 = the rate is told by INFO)
     18    . payload by type
    end    8 tag: HMAC-SHA256[:8] when FLAG_AUTHENTICATED, else CRC-32 and four zero bytes
"""

import binascii
import struct

from tiltwise.common import const

VERSION = 1  # of frames, in each of them; recordings and stores keep frames, so this one stays
PROTOCOL = 2  # how a board and a host talk; 2: a key for each host, everything in a session is encrypted
# What was added to frames of version 1. A later minor appends fields to bodies and takes nothing away: a reader
# takes the fields that it knows, and what an older board did not say reads as 0, "not told".
MINOR = 1  # 1: STATUS tells conditions and what strangers did
LEAST_HOST_MINOR = 1  # of hosts that this board serves: those before took one length of body only
HEADER_SIZE = 18
TAG_SIZE = 8
MAX_SAMPLES = 15
MAX_FRAME = 239  # bytes; with SEALED_GROWS what one notification carries at an ATT MTU of 247
SEALED_GROWS = 5  # bytes that a frame is longer in a session (channel.py)

# Frame types, since v1.
ORIENT = 1  # n x (quaternion 4 x int16 / 32767, acceleration 3 x int16)
RAW = 2  # n x (gyroscope 3 x int16, acceleration 3 x int16), the sensor's own counts
EVENT = 3
STATUS = 4
MINUTE = 5
INFO = 6

# Flags, since v1.
FLAG_BACKFILL = 0x01  # sent again on request, not live
FLAG_DISCONTINUITY = 0x02  # samples are missing between the previous frame and this one
FLAG_SENSOR_FAULT = 0x04  # first frame after the sensor failed: do not trust these samples
FLAG_LOSS_BEFORE = 0x08  # the ring overflowed: frames before this one were dropped unacknowledged
FLAG_LOW_BATTERY = 0x10
FLAG_MOTOR_ON = 0x20  # the motor shakes the sensor: orientation holds, acceleration and rate do not
FLAG_ENCRYPTED = 0x40  # of protocol 1: such a frame can only be read where it came
FLAG_AUTHENTICATED = 0x80  # of protocol 1: the tag is an HMAC

# Nominal rates by rate code, since v1. Appending is allowed, renumbering is not.
RATES_HZ = (0.0, 10.0, 12.5, 25.0, 26.0, 50.0, 52.0, 100.0, 104.0, 200.0, 208.0, 60.0, 120.0, 30.0)

# IMU kinds in INFO, since v1.
IMU_UNKNOWN = 0  # a file, or a part this version has no name for
IMU_LSM6DSOX = 1  # and LSM6DSO: they tell the same identity, and what is used here does not differ
# 2 is kept for the LSM6DSO, should anybody tell it apart
IMU_LSM6DSR = 3
IMU_LSM6DS3TRC = 4
IMU_BMI270 = 5
IMU_ICM42688P = 6
IMU_MPU6050 = 7
IMU_LSM6DSV16X = 8
IMU_ICM45686 = 9

# Conditions in STATUS, since minor 1; the first ones are those of the sensor in the frame's header.
CONDITION_SENSOR_LOST = 0x0001  # it answered since boot and does not now
CONDITION_SENSOR_MISSING = 0x0002  # it has not answered since boot, and did before or is set as fitted
CONDITION_SENSOR_STUCK = 0x0004  # it gave the same sample again and again, and is being started anew
CONDITION_SATURATED = 0x0008  # samples at the end of the range since the STATUS before
CONDITION_POOR_SENSOR = 0x0010  # the part works, and is a poor choice or not what it says
CONDITION_SETTINGS_BAD = 0x0020  # at boot the settings file was damaged or from another version
CONDITION_KEY_BAD = 0x0040  # at boot a copy of the key was damaged; mended if the other was whole
CONDITION_FLASH_BAD = 0x0080  # boot number or minutes cannot be kept: the flash refuses
CONDITION_SAFE_MODE = 0x0100  # it crashed too often: no sensors and no radio until mended by cable
CONDITION_HOST_SILENT = 0x0200  # a host in session acknowledges nothing: nothing more goes out to it

# Event codes, since v1; each with its value.
EVENT_BOOT = 1  # reset cause
EVENT_BUS_FAULT = 2  # faults since boot
EVENT_BUS_OK = 3  # milliseconds without the sensor
EVENT_FIFO_OVERFLOW = 4  # samples lost
EVENT_SATURATED = 5  # samples at the end of the range in the last second
EVENT_SETTINGS_BAD = 6  # 1: the settings file was damaged or from another version, defaults took its place
EVENT_SAFE_MODE = 7  # crashes in a row: no sensors and no motor until a run ends well
EVENT_NEUTRAL = 8  # neutral 1: taken, 0: refused (it moved, no sensor), 2: in doubt after walks, 3: no more
EVENT_ALERT = 9  # inclination in degrees: the board alone found it held too long
EVENT_CORRECTED = 10  # peak inclination in degrees: the posture was corrected after such an alert
EVENT_WORN = 11  # 1: worn, 0: not worn, as far as the board can tell
EVENT_POWER = 12  # 0: awake, 1: dozing, 2: going to sleep deeply
EVENT_BATTERY_LOW = 13  # percent
EVENT_CHARGING = 14  # 1: charging, 0: not any more
EVENT_BUTTON = 15  # 1: short, 2: double, 3: long
EVENT_FLASH_FAULT = 16  # entries of the flash log that failed since boot; 0: its files fail
EVENT_STUCK = 24  # samples in a row that were all the same; the sensor is started anew
EVENT_POOR_SENSOR = 25  # its identity register: the part works, and is a poor choice or not what it says

# Events of the links, since v1; numbered from 32 so that both lists can grow.
EVENT_HOST_OPEN = 32  # a host proved the key; connections of its link so far
EVENT_HOST_CLOSED = 33  # reason (CLOSED_*)
EVENT_AUTH_FAILED = 34  # wrong proofs since boot
EVENT_HOSTILE = 35  # commands since boot that were damaged, forged or replayed
EVENT_LINK_STALL = 36  # connections since boot that took no frame for 2 s
EVENT_RADIO_RESTART = 37  # restarts of the radio since boot
CLOSED_LOST = 0  # the connection ended, or the cable fell silent
CLOSED_TAKEN_OVER = 1
CLOSED_NEW_KEY = 2
CLOSED_BY_HOST = 3  # the same link began a new session

# Command opcodes, since v1. A reply has opcode | REPLY and begins with a status (STATUS_*).
OP_HELLO = 1  # - ; HELLO_BODY, then the 8-byte device id if the session is open or the link a cable
OP_AUTH1 = 2  # nonce 16, wishes u8 (WISH_*); nonce 16, 4 x proof 8
OP_AUTH2 = 3  # place of the key u8, proof 16; -
OP_PING = 4  # 8 bytes of the host's; these, time of receipt u32, time of sending u32 (TICK_S, as t0)
OP_START = 5  # frame type u8, samples per frame u8; -
OP_STOP = 6  # - ; -
OP_ACK = 7  # boot u16, last sequence number stored for good u32, credits u16; -
OP_GET = 8  # boot u16, from u32, to u32 (inclusive); oldest u32, newest u32 held; later a GET_DONE
OP_BOOTS = 9  # - ; n x (boot u16, oldest u32, newest u32), the present boot first
OP_GETCFG = 10  # key u8; value as by pack_value
OP_SETCFG = 11  # key u8, value as by pack_value; -
OP_MOTOR = 12  # pattern u8 (MOTOR_*), strength u8 (1 to 5, 0: as set); -
OP_TARE = 13  # - ; -
OP_REBOOT = 14  # - ; -, then the board restarts
# 15 was FORGET, which no host sent
OP_PROVISION = 16  # key 32, name; device id 8. Only over the cable
OP_GET_DONE = 17  # only a reply, with the id of the GET: GET_DONE_BODY, n x (first u32, last u32) not held
OP_SILENCE = 18  # snooze s u32, quiet hours: begin in s i32, last s u32, each day again; snooze left s u32
OP_MTU = 19  # ATT MTU of this connection u16; -. For boards with FEATURE_ASKS_MTU, after the proof
OP_RATCHET = 20  # check of the next key 8; -, then the session's key is that one
OP_KEYS = 21  # - ; changes u16, own place u8, n x name 12
OP_ADD_KEY = 22  # key 32, name; -
OP_REVOKE = 23  # place u8, name 12; -. Not the own one
OP_SELFTEST = 24  # part u8 (SELFTEST_*); what it found, UNSUPPORTED without it, FAILED when it is broken
SELFTEST_BUS = 0  # n x address u8 that answers
SELFTEST_IMU = 1  # accelerometer u8, gyroscope u8: 0 failed, 1 fine, 2 not known; takes two seconds
SELFTEST_FLASH = 2  # free kB u32, 0xFFFFFFFF not known
SELFTEST_RADIO = 3  # is up u8, restarts u16
SELFTEST_BUTTON = 4  # is pressed u8
SELFTEST_IDENTITY = 5  # text: what no driver knows, empty if there is no such part
SNOOZE_STAYS = 0xFFFFFFFF  # in SILENCE: the snooze of the board stays as it is
REPLY = 0x80
STATUS_OK = 0
STATUS_UNSUPPORTED = 1
STATUS_BAD_ARGUMENT = 2
STATUS_LOCKED = 3  # prove the key first
STATUS_BUSY = 4  # another host is open; seconds since it opened u16, seconds since it was last heard u16
STATUS_FAILED = 5  # could not be done now
WISH_TAKE_OVER = 0x02  # close the session of another host

# Patterns of the motor in MOTOR, since v1; how long they shake is in firmware/wearer/haptics.py.
MOTOR_STOP = 0  # nothing, at once
MOTOR_ALERT = 1  # a posture was held too long
MOTOR_CORRECTED = 2  # a tick: that is it
MOTOR_STEP = 3  # go on with the next thing
MOTOR_DONE = 4
MOTOR_ERROR = 5  # refused
MOTOR_NOTED = 6  # nothing: the host alerted in another way, so the board alone gives no second alert

# What the board can do, u32 in INFO and HELLO, since v1.
FEATURE_MOTOR = 0x02
FEATURE_BATTERY = 0x04
FEATURE_SECOND_IMU = 0x08
FEATURE_FLASH_MINUTES = 0x10
FEATURE_ASKS_MTU = (
    0x20  # its radio does not learn the size of packets: 20 bytes at a time until a host tells (MTU)
)
# State in INFO and HELLO, since v1.
STATE_NEEDS_SETUP = 0  # no key: only the cable works
STATE_LOCKED = 1
STATE_OPEN = 2  # a host is in session
MAX_COMMAND = 236  # the longest command or reply, tag included, since v1

# The radio, since v1: numbers of uuid128.
UUID_SERVICE = 0x0001
UUID_INFO = 0x0002  # read: HELLO_START
UUID_CTRL = 0x0003  # write, notify: commands and replies, each in COBS between zero bytes, cut anywhere
UUID_DATA = 0x0004  # notify: a frame, or a fragment (fragments.py)

HEADER = "<BBHIIIBB"
SAMPLE_SIZES = {ORIENT: 14, RAW: 12}
EVENT_BODY = "<BxHi"  # code, reserved, value
STATUS_BODY = "<IHBBhHHIHHHHI3hHI8H"
# In the order of STATUS_BODY. Battery 0 mV and 255 % are unknown, temperature 0.01 degC, bias 1e-5 rad/s; from
# conditions on since minor 1. Counts since boot end at 65535; docs/protocol.md says what each one counts.
STATUS_FIELDS = (
    "uptime_s", "battery_mv", "battery_percent", "reset_cause", "temperature_cdeg", "ring_used_frames",
    "ring_size_frames", "free_heap_bytes", "bus_faults", "fifo_overflows", "saturated_samples", "send_retries",
    "lost_frames", "gyr_bias_x", "gyr_bias_y", "gyr_bias_z", "conditions", "least_free_heap_bytes", "stuck_restarts",
    "wrong_proofs", "hostile_commands", "unproved_peers", "refused_hosts", "link_stalls", "radio_restarts",
    "flash_faults",
)  # fmt: skip
# samples seen, seconds moving, seconds worn (255 unknown), alerts given by the board alone, reserved,
# mean "up" in sensor axes of each ten seconds, 6 x (3 x int8 / 127)
MINUTE_BODY = "<HBBBx18b"
# minor version, least host minor, IMU kind, number of IMUs, features, firmware major minor patch, state,
# IMU rate Hz, ORIENT rate Hz, gyroscope rad/s per count, acceleration m/s2 per count in RAW and in ORIENT,
# gyroscope range deg/s, accelerometer range g, ring oldest and newest sequence number, boot id, model
INFO_BODY = "<BBBBIBBBBfffffHHIII16s"
BODIES = {EVENT: EVENT_BODY, STATUS: STATUS_BODY, MINUTE: MINUTE_BODY, INFO: INFO_BODY}
LEAST_BODY_SIZES = {EVENT: 8, STATUS: 36, MINUTE: 24, INFO: 64}  # bytes at minor 0
COMMAND_HEADER = "<BBI"  # request id, opcode, counter
NOTHING_STORED = 0xFFFFFFFF  # in ACK, since v1: frees nothing, and the credits count from the next live frame
LEAST_REQUEST_ID = 0x20  # hosts choose 0x20 to 0xFF: a reply never begins like a frame (is_frame)
# major version, minor, least host minor, state, features, firmware major minor patch, number of IMUs, boot,
# ring oldest and newest sequence number, model
HELLO_BODY = "<BBBBIBBBBIII16s"
GET_DONE_BODY = "<HIIB"  # boot, from, up to where the list is complete, n ranges
HELLO_START = "<BBBB"  # of HELLO_BODY: all that a stranger on the radio is told
AUTH1_BODY = "<16sB"
AUTH1_REPLY_BODY = "<16s32s"
AUTH2_BODY = "<B16s"
KEY_NAME_SIZE = 12  # bytes of the name of a host, UTF-8, cut where it is longer
SEALED_FRAME = 0x1F  # first byte, in a session (channel.py); also says "frame", by its upper half
SEALED_COMMAND = 0x02
QUATERNION_SCALE = 32767
ORIENT_ACC_M_S2_PER_COUNT = 9.80665 / 8192  # +-4 g in int16, 1.2 mm/s2: a tenth of the noise
TICK_S = 1e-4  # unit of t0
_SMALL = const(0x3FFFFFFF)  # largest integer that a 32-bit MicroPython holds without an object


class WireError(ValueError):
    """These bytes are not a frame or command that this version reads."""


def frame_size(frame_type, n=0):
    """Return all bytes of a frame of this type with n samples, as this minor makes it."""
    size = SAMPLE_SIZES.get(frame_type)
    return HEADER_SIZE + TAG_SIZE + (struct.calcsize(BODIES[frame_type]) if size is None else size * n)


def pack_header_into(buffer, frame_type, flags, boot, seq, i0, t0, n, sensor, rate_code):
    """Write the 18 header bytes at the start of the buffer; the counters wrap here."""
    kind = VERSION << 4 | frame_type
    count = sensor << 4 | n
    boot &= 0xFFFF
    # Above 2**30 the board's integers are objects, which cost memory: not touched without need.
    if seq > _SMALL:
        seq &= 0xFFFFFFFF
    if i0 > _SMALL:
        i0 &= 0xFFFFFFFF
    if t0 > _SMALL:
        t0 &= 0xFFFFFFFF
    struct.pack_into(HEADER, buffer, 0, kind, flags, boot, seq, i0, t0, count, rate_code)


def pack_orient_into(buffer, k, q0, q1, q2, q3, a0, a1, a2):
    """Write ORIENT sample k: quaternion (w, x, y, z) and acceleration, all int16 counts."""
    struct.pack_into("<7h", buffer, HEADER_SIZE + 14 * k, q0, q1, q2, q3, a0, a1, a2)


def pack_raw_into(buffer, k, g0, g1, g2, a0, a1, a2):
    """Write RAW sample k: gyroscope and acceleration, all int16 counts."""
    struct.pack_into("<6h", buffer, HEADER_SIZE + 12 * k, g0, g1, g2, a0, a1, a2)


def pack_body_into(buffer, frame_type, *values):
    """Write the payload of an EVENT, STATUS, MINUTE or INFO frame."""
    struct.pack_into(BODIES[frame_type], buffer, HEADER_SIZE, *values)


# fmt: off
def pack_status_into(
    buffer, *, uptime_s, battery_mv, battery_percent, reset_cause, temperature_cdeg, ring_used_frames,
    ring_size_frames, free_heap_bytes, bus_faults, fifo_overflows, saturated_samples, send_retries, lost_frames,
    gyr_bias_x, gyr_bias_y, gyr_bias_z, conditions, least_free_heap_bytes, stuck_restarts, wrong_proofs,
    hostile_commands, unproved_peers, refused_hosts, link_stalls, radio_restarts, flash_faults,
):
    """Write the payload of a STATUS frame, by the names of STATUS_FIELDS; a tuple or dict would cost memory."""
    struct.pack_into(
        STATUS_BODY, buffer, HEADER_SIZE, uptime_s, battery_mv, battery_percent, reset_cause, temperature_cdeg,
        ring_used_frames, ring_size_frames, free_heap_bytes, bus_faults, fifo_overflows, saturated_samples,
        send_retries, lost_frames, gyr_bias_x, gyr_bias_y, gyr_bias_z, conditions, least_free_heap_bytes,
        stuck_restarts, wrong_proofs, hostile_commands, unproved_peers, refused_hosts, link_stalls, radio_restarts,
        flash_faults,
    )
# fmt: on


def set_flags(buffer, flags):
    """Add flags to a packed frame; seal it again afterwards."""
    buffer[1] |= flags


def seal(buffer, size, tagger=None):
    """Write the tag over the first `size - 8` bytes and return `size`.

    `tagger` is an auth.Tagger, which sets FLAG_AUTHENTICATED; without it the tag is a CRC-32.
    """
    end = size - TAG_SIZE
    if tagger is None:
        buffer[1] &= ~FLAG_AUTHENTICATED & 0xFF
        # A slice of a slot of the ring is a view; it and the checksum itself are all the memory that this takes.
        struct.pack_into("<II", buffer, end, binascii.crc32(buffer[:end]), 0)
    else:
        buffer[1] |= FLAG_AUTHENTICATED
        tagger.tag_into(buffer, end)
    return size


def check_tag(data, tagger, authenticated):
    """Raise WireError unless the last eight bytes belong to the rest."""
    end = len(data) - TAG_SIZE
    view = memoryview(data)
    if authenticated:
        if tagger is None:
            raise WireError("frame carries an authentication tag and no key was given: run tiltwise setup")
        if not tagger.check(view[:end], view[end:]):
            raise WireError("authentication tag does not match: wrong key, or not our board")
        return
    crc, zero = struct.unpack_from("<II", data, end)
    if zero or crc != binascii.crc32(view[:end]):
        raise WireError("checksum does not match: the frame was damaged on the way")


def is_frame(data):
    """Tell a frame from a reply where both come the same way, as over the cable."""
    return data[0] >> 4 == VERSION


def pack_command(request_id, opcode, counter, payload=b"", tagger=None):
    """Return the bytes of a command or a reply: request id, opcode, counter, payload, tag."""
    data = bytearray(struct.calcsize(COMMAND_HEADER) + len(payload) + TAG_SIZE)
    struct.pack_into(COMMAND_HEADER, data, 0, request_id, opcode, counter)
    end = len(data) - TAG_SIZE
    data[struct.calcsize(COMMAND_HEADER) : end] = payload
    if tagger is None:
        struct.pack_into("<II", data, end, binascii.crc32(memoryview(data)[:end]), 0)
    else:
        data[end:] = tagger.tag(memoryview(data)[:end])
    return bytes(data)


def open_command(data, tagger=None):
    """Return (request_id, opcode, counter, payload) of a command whose tag is right; raise WireError."""
    head = struct.calcsize(COMMAND_HEADER)
    if len(data) < head + TAG_SIZE:
        raise WireError("command of %d bytes, the shortest has %d" % (len(data), head + TAG_SIZE))
    check_tag(data, tagger, tagger is not None)
    request_id, opcode, counter = struct.unpack_from(COMMAND_HEADER, data, 0)
    return request_id, opcode, counter, bytes(memoryview(data)[head : len(data) - TAG_SIZE])


def uuid128(short):
    """Return the 128-bit UUID of a short number; the byte before it is the protocol's major version."""
    return "7d3c%04x-a1e5-4c%02x-9b62-5e1f08d4c7aa" % (short, PROTOCOL)

"""Frames for tests, packed with common/wire.py as the board packs them."""

from tiltwise.common import wire

RATE_50 = wire.RATES_HZ.index(50.0)
GYR_SCALE = 0.0012217305  # 2000 deg/s range of an LSM6DSOX: 70 mdps per count
ACC_SCALE = 0.0011971008  # +-4 g: 0.122 mg per count


def seal(frame, tagger=None):
    wire.seal(frame, len(frame), tagger)
    return bytes(frame)


def info_frame(seq=0, boot=7, sensor=0, t0=0, rate_hz=50.0, gyr=GYR_SCALE, acc=ACC_SCALE, tagger=None):
    frame = bytearray(wire.frame_size(wire.INFO))
    wire.pack_header_into(frame, wire.INFO, 0, boot, seq, 0, t0, 0, sensor, 0)
    wire.pack_body_into(
        frame, wire.INFO, 1, 0, wire.IMU_LSM6DSOX, 1, 0, 1, 2, 3, 0, rate_hz, rate_hz,
        gyr, acc, wire.ORIENT_ACC_M_S2_PER_COUNT, 2000, 4, 0, 9, boot, b"esp32s3",
    )  # fmt: skip
    return seal(frame, tagger)


def raw_frame(seq, i0, t0, counts, boot=7, sensor=0, flags=0, rate_code=RATE_50, tagger=None):
    """RAW frame of counts, a list of six numbers per sample."""
    import struct

    frame = bytearray(wire.frame_size(wire.RAW, len(counts)))
    wire.pack_header_into(frame, wire.RAW, flags, boot, seq, i0, t0, len(counts), sensor, rate_code)
    for k, sample in enumerate(counts):
        struct.pack_into("<6h", frame, wire.HEADER_SIZE + 12 * k, *sample)
    return seal(frame, tagger)


def orient_frame(seq, i0, t0, samples, boot=7, sensor=0, flags=0, rate_code=RATE_50):
    """ORIENT frame of samples, a list of seven counts each."""
    frame = bytearray(wire.frame_size(wire.ORIENT, len(samples)))
    wire.pack_header_into(frame, wire.ORIENT, flags, boot, seq, i0, t0, len(samples), sensor, rate_code)
    for k, sample in enumerate(samples):
        wire.pack_orient_into(frame, k, *sample)
    return seal(frame)


def body_frame(kind, seq, t0, *values, boot=7, i0=0, flags=0):
    frame = bytearray(wire.frame_size(kind))
    wire.pack_header_into(frame, kind, flags, boot, seq, i0, t0, 0, 0, 0)
    wire.pack_body_into(frame, kind, *values)
    return seal(frame)


def status_frame(seq, t0, boot=7, battery_percent=80, conditions=0, counts=(6, 7, 8, 9, 10, 11, 12, 13)):
    values = (3600, 3900, battery_percent, 1, 2512, 4, 100, 60000, 1, 2, 3, 4, 5, 100, -200, 300)
    values += (conditions, 50000, *counts)
    return body_frame(wire.STATUS, seq, t0, *values, boot=boot)


def stream(n_frames, boot=7, first_seq=0, t0=0, n=10, sensor=0, sample_ticks=200):
    """INFO, then RAW frames whose counts tell their sample index, with a STATUS every tenth frame."""
    frames = [info_frame(first_seq % (1 << 32), boot, sensor, t0 % (1 << 32))]
    index, seq = 0, first_seq + 1
    for k in range(n_frames):
        ticks = (t0 + index * sample_ticks) % (1 << 32)
        if k % 10 == 9:
            frames.append(status_frame(seq % (1 << 32), ticks, boot))
            seq += 1
        counts = [[(index + j) % 30000, 1, 2, 3, 4, 8192] for j in range(n)]
        frames.append(raw_frame(seq % (1 << 32), index % (1 << 32), ticks, counts, boot, sensor))
        index, seq = index + n, seq + 1
    return frames

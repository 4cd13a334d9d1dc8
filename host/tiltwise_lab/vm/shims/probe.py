"""Measures inside the VM, where no collection can run in between: bytes of heap and time of single calls.

`gc.mem_alloc` counts to the 16 bytes of a heap block; what a call leaves in there, garbage or not, it allocated.
"""

import gc
import math
import struct
from array import array

import _bench
import micropython

from tiltwise.common import wire
from tiltwise.common.auth import BoardHandshake, Handshake, Tagger
from tiltwise.common.channel import Channel

_COUNTS = (310, -120, 45, 520, -90, 8100)


def allocated(run, times):
    """Return the bytes that one call allocates, the mean over some calls."""
    run()  # the first call may grow something
    before = gc.mem_alloc()
    for _ in range(times):
        run()
    return (gc.mem_alloc() - before) / times


def is_free(run, times):
    """Tell whether calls get by without any memory: under heap_lock any allocation raises MemoryError."""
    run()
    micropython.heap_lock()
    try:
        for _ in range(times):
            run()
    except MemoryError:
        return False
    finally:
        micropython.heap_unlock()
    return True


def _drain(driver, burst):
    """Return a function that lets 50 ms pass and reads what came, as the sampler does."""
    counts = array("h", [0] * (6 * (burst + 1)))
    sleep_us = _bench.sleep_us

    def run():
        sleep_us(50000)
        n = driver.waiting()
        while n > 0:
            driver.read_fifo(counts, n if n < burst else burst)
            n -= burst

    return run


def parts(app):
    """Return the runs to measure: name -> (function, samples or frames in one call, what is counted)."""
    found = _sample_parts(app.samplers[0])
    found.update(_frame_parts(app))
    return found


def _sample_parts(sampler):
    framer, fusion = sampler.path.framer, sampler.path.fusion
    counts = array("h", _COUNTS)
    gx, gy, gz, ax, ay, az = _COUNTS

    def fuse():
        fusion.update(gx, gy, gz, ax, ay, az)

    def orient():
        framer.add_orient(0, 0, fusion.fixed, ax, ay, az)

    def raw():
        framer.add_raw(0, 0, counts, 0)

    return {
        "driver": (_drain(sampler.driver, sampler.driver.burst), 0.05 * sampler.driver.rate_hz, "sample"),
        "timebase": (sampler.fifo.timebase.next, 1, "sample"),
        "fusion": (fuse, 1, "sample"),
        "framing RAW": (raw, 1, "sample"),
        "framing ORIENT": (orient, 1, "sample"),
    }


def _frame_parts(app):
    sampler = app.samplers[0]
    ring = app.frames.main
    session = app.sessions.by_link[0]
    state = [ring.lend_buffer(), 0]
    frame_type = sampler.path.framer.frame_type
    size = wire.frame_size(frame_type, 10)
    frame = memoryview(bytearray(size))  # as in the ring
    wire.pack_header_into(frame, frame_type, 0, 1, 5, 50, 1000, 10, 0, 6)
    tagger = Tagger(bytes(32))

    def put():
        state[0] = ring.put(state[0], size, state[1])
        state[1] += 1

    def seal():
        wire.seal(frame, size)

    def tag():
        wire.seal(frame, size, tagger)

    channel = _channel()
    sealed = app.sessions.scratch

    def encrypt():
        channel.seal(frame, size, sealed)

    def send():
        session.link.send(frame, size)

    def status():
        app.report.status(sampler, 0, True)

    return {
        "ring": (put, 1, "frame"),
        "checksum": (seal, 1, "frame"),
        "tag": (tag, 1, "frame"),
        "encryption and tag": (encrypt, 1, "frame"),
        "link": (send, 1, "frame"),
        "STATUS": (status, 1, "frame"),
    }


def memory(app, times=50):
    """Return name -> (bytes for each sample or frame, free under heap_lock, what is counted)."""
    found = {}
    for name, (run, n, unit) in parts(app).items():
        is_locked_fine = is_free(run, times)
        found[name] = (0.0 if is_locked_fine else allocated(run, times) / n, is_locked_fine, unit)
    return found


def wall_us(update, rows):
    """Return the microseconds of one update, the best of three runs."""
    best = 1e9
    for _ in range(3):
        started = _bench.wall_us()
        for row in rows:
            update(row[0], row[1], row[2], row[3], row[4], row[5])
        best = min(best, _bench.wall_us() - started)
    return best / len(rows)


def in_operation(app, seconds, is_sealed):
    """Return the bytes for each sample, and for each frame, of the whole firmware at work, link and reports included.

    is_sealed: frames are encrypted and tagged as in a session; else they have checksums.
    """
    sampler, session = app.samplers[0], app.sessions.by_link[0]
    step, sleep_us = app.step, _bench.sleep_us
    session.delivery.grant_credits(1000)
    session.channel = _channel() if is_sealed else None
    step()
    samples, frames = sampler.samples, app.frames.next_seq
    before = gc.mem_alloc()
    for _ in range(seconds * 50):
        sleep_us(20000)
        step()
    n_bytes = gc.mem_alloc() - before
    session.channel = None
    return n_bytes / (sampler.samples - samples), n_bytes / (app.frames.next_seq - frames)


def _channel():
    """Return a board's end of a session."""
    return Channel(Handshake(bytes(32), bytes(8), 0, bytes(16), bytes(16)), False)


def turns(app, runs=200):
    """Return what the firmware's work is worth in turns of a counting loop with a call in it.

    A sample: from the bytes of the FIFO to the frame. A look: one step of the loop with nothing due. Opening a
    session of a board that knows one host, and four. Short pieces and the best of many runs: other programs on the
    machine only ever add.
    """
    pieces = (_count, _samples(app.samplers[0]), app.step, _opening(1), _opening(4))
    times = (400, 1, 4, 1, 1)
    best = [1e9] * len(pieces)
    for _ in range(runs):
        for k in range(len(pieces)):
            run, n = pieces[k], times[k]
            started = _bench.wall_us()
            if k:
                for _ in range(n):
                    run()
            else:
                run(n)
            best[k] = min(best[k], (_bench.wall_us() - started) / n)
    return [best[1] / _SAMPLES / best[0]] + [each / best[0] for each in best[2:]]


def _opening(n_keys):
    """Return the board's part of opening a session with the last of some hosts."""
    keys = [bytes([k + 1] * 32) for k in range(n_keys)]
    device, nonce, filler = bytes(8), bytes(16), bytes(32)
    request = struct.pack(wire.AUTH1_BODY, nonce, 0)
    proof = bytes([n_keys - 1]) + Handshake(keys[-1], device, 0, nonce, nonce).host_proof()

    def run():
        board = BoardHandshake(keys, device)
        board.answer(request, nonce, filler)
        if not board.accepts(proof):
            raise ValueError("the proof is not accepted")
        Channel(board.shared, False)

    return run


_SAMPLES = 40  # two corrections of the fusion, two frames of ten orientations


def _count(n):
    """Turn n times: what the speed of boards is published for."""
    look = abs
    count = 0
    while look(count) < n:
        count += 1


def _samples(sampler):
    """Return a function that takes some samples of a nod, with bytes that are already read."""
    driver, path, next_time = sampler.driver, sampler.path, sampler.fifo.timebase.next
    counts = array("h", [0] * (6 * (driver.burst + 1)))
    driver._read = lambda _register, view: view
    rates = [round(900 * math.cos(k / 6)) for k in range(_SAMPLES)]

    def run():
        for k in range(_SAMPLES):
            driver.read_fifo(counts, 1)
            counts[0], counts[1], counts[2] = 40, rates[k], -25
            counts[3], counts[4], counts[5] = rates[k], 300, 8000
            path.take(counts, 0, next_time())

    return run

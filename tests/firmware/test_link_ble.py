"""The radio link on a fake `bluetooth` module: events, fragments, back-pressure, strangers, hostile writes."""

import random
import struct

import pytest

from radio_bench import CTRL, DATA, INFO, Board
from tiltwise.common import wire
from tiltwise.common.frame import open_frame
from wire_host import DEVICE, KEY, START, ack, get, stuffed


def proved(board, **kwargs):
    host = board.host(**kwargs)
    assert host.prove()[0] == wire.STATUS_OK
    return host


# ---- what is advertised and read ----


def test_advertising_tells_the_service_and_nothing_else():
    board = Board()
    service = bytes.fromhex(wire.uuid128(wire.UUID_SERVICE).replace("-", ""))[::-1]
    assert board.air.advertised == b"\x02\x01\x06\x11\x07" + service
    assert b"test" not in board.air.advertised


def test_address_is_new_at_each_boot_where_the_port_can():
    assert Board().air.settings["addr_mode"] == 1
    assert Board().radio.rotates_address
    assert not Board(knows_address_mode=False).radio.rotates_address


def test_info_says_state_and_version_and_no_device_id():
    board = Board()
    info = board.air.attributes[board.air.handle_of(INFO)]
    host = board.host()
    locked = bytes((wire.PROTOCOL, wire.MINOR, wire.LEAST_HOST_MINOR, wire.STATE_LOCKED))
    assert info.value == locked
    assert host.ask(wire.OP_HELLO) == (wire.STATUS_OK, locked)
    assert host.prove()[0] == wire.STATUS_OK
    assert info.value[3] == wire.STATE_OPEN
    answer = host.ask(wire.OP_HELLO)[1]
    assert answer.startswith(info.value)
    assert answer.endswith(DEVICE)
    assert len(answer) == struct.calcsize(wire.HELLO_BODY) + len(DEVICE)
    board.air.leave(host.connection)
    board.run(20)
    assert info.value == locked


def test_board_without_a_key_says_so_and_serves_nothing():
    board = Board(key=None)
    host = board.host()
    info = board.air.attributes[board.air.handle_of(INFO)]
    assert info.value[3] == wire.STATE_NEEDS_SETUP
    assert host.ask(wire.OP_AUTH1, bytes(17))[0] == wire.STATUS_FAILED
    assert host.ask(wire.OP_START, START)[0] == wire.STATUS_LOCKED


def test_nothing_on_the_air_tells_one_board_from_another():
    """Only our service is there: no battery, no model, no version, which would be the same after a new address."""
    board = Board()
    assert len(board.air.attributes) == 3
    assert len(board.air.attributes[board.air.handle_of(INFO)].value) == 4


def wait(board, seconds):
    """Let seconds pass in steps of half a second, in which nothing but time happens."""
    for _ in range(2 * seconds):
        board.clock.sleep_ms(490)
        board.run()


def test_address_is_new_every_quarter_of_an_hour_unless_a_peer_is_there():
    board = Board()
    starts = board.air.starts
    wait(board, 880)
    assert board.air.starts == starts
    wait(board, 40)
    assert board.air.starts == starts + 1
    host = proved(board)
    for _ in range(100):
        wait(board, 10)
        host.ask(wire.OP_PING, bytes(8))
    assert board.air.starts == starts + 1
    assert board.radio.restarts == 0, "none of this is a fault"


# ---- who may ----


def test_stranger_gets_no_data_and_cannot_do_anything():
    board = Board()
    board.make(50)
    host = board.host()
    for opcode, payload in (
        (wire.OP_START, START),
        (wire.OP_GET, get(0, 49)),
        (wire.OP_ACK, ack(49)),
        (wire.OP_MOTOR, b"\1\5"),
        (wire.OP_GETCFG, b"\0"),
        (wire.OP_REBOOT, b""),
        (0x55, b""),
    ):
        assert host.ask(opcode, payload) == (wire.STATUS_LOCKED, b"")
    board.run(1000)
    assert host.notifications == []
    assert board.frames.oldest() == 0


def test_peer_that_proves_nothing_is_sent_away_after_five_seconds():
    board = Board()
    host = board.host()
    host.ask(wire.OP_HELLO)
    board.run(4800)
    assert board.is_there(host)
    board.run(300)
    assert not board.is_there(host)
    assert board.sessions.dropped == 1


def test_a_peer_that_asks_for_proofs_without_giving_one_is_sent_away():
    """Each costs the board four blocks of SHA-256 for every key that it holds."""
    board = Board()
    host = board.host()
    for k in range(4):
        assert host.ask(wire.OP_AUTH1, bytes([k]) * 17)[0] == wire.STATUS_OK
    assert host.ask(wire.OP_AUTH1, bytes([9]) * 17) == (wire.STATUS_FAILED, b"")
    board.run(150)
    assert not board.is_there(host)


def test_key_cannot_be_set_over_the_radio():
    board = Board()
    host = proved(board)
    assert host.ask(wire.OP_PROVISION, bytes(range(32)))[0] == wire.STATUS_UNSUPPORTED
    stranger = board.host()
    assert stranger.ask(wire.OP_PROVISION, bytes(range(32)))[0] == wire.STATUS_UNSUPPORTED
    assert board.sessions.keys == [(bytes(wire.KEY_NAME_SIZE), KEY)]


def test_wrong_key_cuts_the_link_and_is_counted():
    board = Board()
    for _ in range(9):
        host = board.host()
        assert host.ask(wire.OP_AUTH1, bytes(17))[0] == wire.STATUS_OK
        assert host.ask(wire.OP_AUTH2, bytes(17)) == (wire.STATUS_FAILED, b"")
        assert board.is_there(host)  # so that the answer gets out
        board.run(150)
        assert not board.is_there(host)
    board.run(5_000)
    assert board.sessions.wrong_proofs == 9
    assert (wire.EVENT_AUTH_FAILED, 9) in board.events


def test_squatters_on_all_places_leave_room_for_the_owner():
    board = Board()
    squatters = [board.host(address=b"squat%d" % k) for k in range(4)]
    board.run(3_300)
    assert not board.is_there(squatters[0])
    proved(board)
    board.run(2_000)
    assert not any(board.is_there(host) for host in squatters[1:])


def test_one_squatter_does_not_keep_the_owner_out_at_all():
    board = Board()
    board.host(address=b"squat!")
    proved(board)


def test_peer_beyond_the_places_is_sent_away():
    board = Board()
    board.air.most_connections = 5
    for k in range(4):
        board.host(address=b"place%d" % k)
    board.air.advertised = b"late"  # the radio was told to stop too late
    fifth = board.air.come()
    board.run()
    assert fifth not in board.air.peers


def test_second_host_gets_busy_with_the_age_and_may_take_over():
    board = Board()
    first = proved(board)
    first.ask(wire.OP_START, START)
    board.run(7_000)
    first.ask(wire.OP_PING, bytes(8))
    board.run(2_000)
    second = board.host(address=b"second")
    status, rest = second.prove()
    assert status == wire.STATUS_BUSY
    opened, heard = struct.unpack("<HH", rest)
    assert opened == pytest.approx(9, abs=1)
    assert heard == pytest.approx(2, abs=1)
    board.make(3)
    board.run(100)
    first.hear()
    assert first.seqs() == [0, 1, 2]
    assert second.prove(wire.WISH_TAKE_OVER)[0] == wire.STATUS_OK
    assert (wire.EVENT_HOST_CLOSED, wire.CLOSED_TAKEN_OVER) in board.events
    assert first.ask(wire.OP_STOP) is None  # its session is gone
    second.ask(wire.OP_START, START)
    board.make(2)
    board.run(100)
    second.hear()
    assert second.seqs() == [3, 4]
    board.run(5_000)
    assert not board.is_there(first)


def test_commands_of_two_peers_are_not_mixed_up():
    board = Board()
    owner, stranger = proved(board), board.host(address=b"second")
    command = stuffed(owner.channel.pack(9, wire.OP_PING, b"12345678"))
    owner._write(command[:9])
    stranger._write(command[3:30])
    owner._write(command[9:])
    board.run()
    assert [answer[:2] for answer in owner.hear()] == [(9, wire.OP_PING | wire.REPLY)]


def test_replayed_commands_are_refused_and_counted():
    board = Board()
    host = proved(board)
    heard = host.send(wire.OP_START, START)
    board.run()
    assert board.started == [(wire.ORIENT, 10)]
    stop = host.send(wire.OP_STOP)
    board.run()
    host.hear()
    for data in (heard, stop, heard):
        board.air.write(host.connection, board.air.handle_of(CTRL), stuffed(data))
        board.run()
    assert host.hear() == []
    assert board.sessions.replays == 3
    assert not board.sessions.is_streaming


def test_session_recorded_once_is_worth_nothing_later():
    board = Board()
    host = board.host()
    writes = []
    write = host._write
    host._write = lambda data: (writes.append(data), write(data))
    host.prove()
    host.ask(wire.OP_START, START)
    board.air.leave(host.connection)
    board.run()
    thief = board.host()
    for data in writes:
        thief._write(data)
        board.run()
    board.make(5)
    board.run(200)
    thief.hear()
    assert thief.notifications == []
    assert board.sessions.active_session is None


# ---- frames ----


@pytest.mark.parametrize("mtu", [23, 185, 247])
def test_frames_arrive_at_every_size_of_packets(mtu):
    board = Board()
    host = proved(board, mtu=mtu)
    host.ask(wire.OP_START, START)
    for k in range(30):
        board.make(1, fill=k)
        board.run(200)
        host.hear()
        host.ask(wire.OP_PING, bytes(8))
    assert host.seqs() == list(range(30))
    size = wire.frame_size(wire.ORIENT, 10)
    per_frame = 1 if size <= mtu - 3 else -(-size // (mtu - 4))
    assert len(host.notifications) == 30 * per_frame
    assert per_frame == {23: 9, 185: 1, 247: 1}[mtu]


@pytest.mark.parametrize("mtu", [23, 247])
@pytest.mark.parametrize("seed", [1, 2])
def test_full_radio_delays_frames_and_loses_none(mtu, seed):
    rng = random.Random(seed)
    board = Board()
    host = proved(board, mtu=mtu)
    host.ask(wire.OP_START, START)
    board.air.room = 12 if mtu == 23 else 2  # notifications that fit
    seqs = []
    for _ in range(600):
        board.drains = rng.choice((0, 0, 1, 2, 12))
        if rng.random() < 0.15:
            board.make(1)
        board.run(10)
        if rng.random() < 0.2:
            host.hear()
            new = host.seqs()
            seqs += new
            if seqs:
                host.send(wire.OP_ACK, ack(seqs[-1]))
    board.drains = 12
    board.run(3_000)
    host.hear()
    seqs += host.seqs()
    assert board.radio.refusals > 20
    assert seqs == list(range(board.frames.next_seq))
    assert board.radio.stalls == 0


def test_peer_that_takes_nothing_is_sent_away_and_the_third_time_the_radio_restarts():
    board = Board()
    for k in range(3):
        host = proved(board)
        host.ask(wire.OP_START, START)
        board.air.room = board.air.queued + 5
        board.make(20)
        board.run(2_500)
        assert not board.is_there(host)
        assert board.radio.stalls == k + 1
        board.air.room, board.air.queued = None, 0
    assert board.radio.restarts == 1
    assert (wire.EVENT_LINK_STALL, 3) in board.events
    assert (wire.EVENT_RADIO_RESTART, 1) in board.events
    assert board.air.starts == 2
    host = proved(board)  # and everything is registered again
    host.ask(wire.OP_START, START)
    assert host.ask(wire.OP_GET, get(0, 59))[0] == wire.STATUS_OK
    for _ in range(20):
        board.run(100)
        host.ask(wire.OP_PING, bytes(8))
    assert host.seqs() == list(range(60))


def test_connections_that_work_between_stalls_do_not_restart_the_radio():
    board = Board()
    for _ in range(5):
        host = proved(board)
        host.ask(wire.OP_START, START)
        for _ in range(320):
            board.make(1)
            board.run(10)
            host.send(wire.OP_ACK, ack(board.frames.next_seq - 1))
        host.hear()
        board.air.room, board.air.queued = 0, 0
        board.make(5)
        board.run(2_500)
        assert not board.is_there(host)
        board.air.room = None
    assert board.radio.stalls == 5
    assert board.radio.restarts == 0


def test_radio_that_does_not_start_again_asks_for_a_reset(monkeypatch):
    board = Board()
    monkeypatch.setattr(board.air, "gatts_register_services", lambda _: (_ for _ in ()).throw(OSError(5)))
    for _ in range(3):
        board.radio.stalled()
    assert not board.radio.wants_reset
    board.run(9_000)  # tried three times
    assert board.radio.wants_reset


@pytest.mark.parametrize("code", [-128, 107, 128])
def test_lost_event_of_the_end_is_made_up_for(code):
    board = Board(not_connected=code)
    host = proved(board)
    host.ask(wire.OP_START, START)
    board.air.leave(host.connection, tells=False)
    board.make(5)
    board.run(1_000)
    assert not board.sessions.is_streaming
    assert board.sessions.active_session is None
    again = proved(board)
    again.ask(wire.OP_START, START)
    again.ask(wire.OP_GET, get(0, 4))
    board.run(200)
    again.hear()
    assert again.seqs() == [0, 1, 2, 3, 4]


def test_connection_that_does_not_end_when_told_is_given_up():
    board = Board()
    host = board.host()
    board.air.refuses_disconnect = True
    board.run(8_000)
    assert all(link.handle < 0 for link in board.radio.links)
    host.send(wire.OP_HELLO)
    board.run()
    assert host.hear() == []


def test_new_peer_in_the_same_place_gets_nothing_of_the_old_one():
    board = Board()
    host = proved(board, mtu=23)
    host.ask(wire.OP_START, START)
    board.air.room, board.air.queued = 4, 0  # a frame is stuck in the middle of its fragments
    board.make(3)
    board.run(50)
    board.run(600)  # advertises again meanwhile
    board.air.leave(host.connection)
    board.air.advertised = b"still"
    connection = board.air.come(b"nobody")  # before the firmware has had a look
    board.air.room = None
    board.run(1_000)
    assert connection == host.connection
    assert [
        packet for handle, packet in board.air.peers[connection].heard if handle == board.air.handle_of(DATA)
    ] == []


def test_nothing_goes_out_before_start_and_after_stop():
    board = Board()
    host = proved(board)
    board.make(5)
    board.run(200)
    host.hear()
    assert host.notifications == []
    host.ask(wire.OP_START, START)
    board.make(2)
    board.run(100)
    assert host.ask(wire.OP_STOP)[0] == wire.STATUS_OK
    host.notifications.clear()
    board.make(5)
    board.run(200)
    host.hear()
    assert host.notifications == []


def test_host_that_never_acknowledges_gets_its_credits_and_no_more():
    board = Board()
    host = proved(board)
    host.ask(wire.OP_START, START)
    for _ in range(100):
        board.make(1)
        board.run(20)
        host.ask(wire.OP_PING, bytes(8))
    assert host.seqs() == list(range(64))
    assert board.frames.oldest() == 0


def test_every_frame_and_answer_carries_a_tag_of_its_session():
    board = Board()
    host = proved(board)
    host.ask(wire.OP_START, START)
    board.make(1)
    board.run(50)
    host.hear()
    frame = host.raw_frames[0]
    assert frame[0] == wire.SEALED_FRAME
    with pytest.raises(wire.WireError):
        open_frame(frame)
    forged = bytearray(frame)
    forged[30] ^= 1
    with pytest.raises(wire.WireError, match="tag does not match"):
        host.channel.open_frame(bytes(forged))


def test_ping_tells_when_the_command_came_not_when_it_was_looked_at():
    board = Board()
    host = proved(board)
    came = board.clock.us
    host.send(wire.OP_PING, b"whatever")
    board.clock.sleep_ms(15)
    board.run(10)
    (answer,) = host.hear()
    assert answer[2][1:9] == b"whatever"
    received, sent = struct.unpack("<II", answer[2][9:])
    assert received == pytest.approx(came / 100, abs=1)
    assert sent == pytest.approx(came / 100 + 250, abs=1)


# ---- hostile ----


def test_half_a_command_does_not_spoil_the_next():
    board = Board()
    host = proved(board)
    for cut in (1, 7, 15):
        half = stuffed(host.channel.pack(1, wire.OP_STOP))[:cut]
        board.air.write(host.connection, board.air.handle_of(CTRL), half)
        board.run()
        assert host.ask(wire.OP_PING, bytes(8))[0] == wire.STATUS_OK


def test_writes_to_other_characteristics_are_nothing():
    board = Board()
    host = proved(board)
    for uuid in (INFO, DATA):
        for size in (1, 20, 300):
            board.air.write(host.connection, board.air.handle_of(uuid), stuffed(bytes(size)))
    assert host.ask(wire.OP_PING, bytes(8))[0] == wire.STATUS_OK
    assert board.sessions.hostile == 0


def test_interrupt_without_memory_costs_one_command(monkeypatch):
    board = Board()
    host = proved(board)

    def fails(_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(board.air, "gatts_read", fails)
        host.send(wire.OP_STOP)
    board.air.gatts_read(board.air.handle_of(CTRL))
    assert board.radio.overruns == 1
    assert host.ask(wire.OP_PING, bytes(8))[0] == wire.STATUS_OK


def test_write_longer_than_the_buffer_is_survived():
    board = Board()
    host = proved(board)
    for size in (256, 257, 600, 5000):
        board.air.write(host.connection, board.air.handle_of(CTRL), b"\7" * size)
        wait(board, 1)  # until the board has looked, the buffer is full
        assert host.ask(wire.OP_PING, bytes(8))[0] == wire.STATUS_OK


def hostile_writes(rng, corpus):
    """Yield writes without end: noise, damaged and replayed commands, bare checksummed commands, long runs."""
    while True:
        way = rng.random()
        if way < 0.35:
            yield rng.randbytes(1 + int(rng.random() * 20))
        elif way < 0.55:
            data = bytearray(corpus[int(rng.random() * len(corpus))])
            data[int(rng.random() * len(data))] ^= 1 << int(rng.random() * 8)
            yield bytes(data)
        elif way < 0.82:
            data = corpus[int(rng.random() * len(corpus))]
            yield data[: int(rng.random() * len(data))]
        elif way < 0.9:
            yield corpus[int(rng.random() * len(corpus))]
        elif way < 0.902:
            yield stuffed(wire.pack_command(1, wire.OP_AUTH1, 1, rng.randbytes(17)))
        elif way < 0.903:
            yield stuffed(wire.pack_command(1, wire.OP_AUTH2, 1, rng.randbytes(17)))
        elif way < 0.99:
            yield b"\0" * (1 + int(rng.random() * 20))
        else:
            yield rng.randbytes(244)


def test_hostile_writes_without_end_change_nothing_and_stop_nothing():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    board = Board()
    owner = proved(board)
    corpus = [
        stuffed(owner.send(opcode, payload))
        for opcode, payload in ((wire.OP_STOP, b""), (wire.OP_GET, get(0, 9)), (wire.OP_ACK, ack(0)))
    ]
    corpus += [stuffed(wire.pack_command(1, opcode, 1, bytes(opcode))) for opcode in range(1, 24)]
    assert owner.ask(wire.OP_START, START)[0] == wire.STATUS_OK
    writes = hostile_writes(rng, corpus)
    ctrl = board.air.handle_of(CTRL)
    air, peers = board.air, board.air.peers
    stranger = -1
    strangers = made = 0
    while made < 200_000:  # the bench makes a million
        if stranger not in peers:
            stranger = board.host(address=b"strang").connection
            strangers += 1
        for who in (stranger, owner.connection) * 10:  # also on the owner's own connection
            if who in peers:
                air.write(who, ctrl, next(writes))
                made += 1
        board.sessions.step()
        if made % 2000 < 20:
            board.run()
            for peer in peers.values():
                peer.heard.clear()
    print(f"{made} writes by {strangers} strangers and on the owner's link, {board.sessions.hostile} refused")
    air.write(owner.connection, ctrl, b"\0")
    board.run(500)
    owner.hear()
    owner.frames.clear()
    assert board.sessions.hostile > 10_000
    assert strangers > 1
    assert board.sessions.keys == [(bytes(wire.KEY_NAME_SIZE), KEY)]
    assert board.sessions.active_session is not None
    assert board.sessions.active_session.link.handle == owner.connection
    board.make(3)
    board.run(100)
    owner.hear()
    assert owner.seqs() == [0, 1, 2]


def test_an_acknowledgement_of_nothing_frees_nothing_and_keeps_the_stream_going():
    board = Board()
    host = board.host()
    host.prove()
    host.ask(wire.OP_START, START)
    seen = 0
    for _ in range(60):
        board.make(5)
        board.run(100)
        host.hear()
        seen += len(host.seqs())
        assert host.ask(wire.OP_ACK, ack(wire.NOTHING_STORED, 64)) == (wire.STATUS_OK, b"")
    assert seen + len(host.seqs()) >= 290
    assert board.frames.oldest() == 0
    assert board.frames.main.used == 300

"""The radio as hard as the real stacks: what killed the firmware on NimBLE and BTstack, or left it unfindable."""

import pytest

from fake_bluetooth import BoardDiedError
from radio_bench import Board
from tiltwise.common import wire
from wire_host import START, ack, get

BTSTACK = {"dies_above": 12_000, "most_connections": 1}  # about what a Pico W has left while it streams


def proved(board, **kwargs):
    host = board.host(**kwargs)
    assert host.prove()[0] == wire.STATUS_OK
    return host


# ---- a stack that never refuses a notification ----


def test_the_stand_in_dies_of_a_queue_that_nobody_bounds():
    board = Board(**BTSTACK)
    host = board.host()
    board.air.is_deaf = True
    for _ in range(60):
        board.air.gatts_notify(host.connection, board.radio.data, bytes(166))
    with pytest.raises(BoardDiedError):
        board.air.gatts_notify(host.connection, board.radio.data, bytes(2000))


def test_get_of_a_day_does_not_fill_the_heap_of_a_stack_that_never_refuses():
    board = Board(frames=1500, **BTSTACK)
    board.make(1500)
    host = proved(board)
    board.air.is_deaf = True  # the radio is slower than the board: here, so much that nothing leaves
    host.send(wire.OP_GET, get(0, 1499))
    board.run(5_000)


def test_get_ends_whole_while_the_host_tells_that_it_listens():
    board = Board(frames=1500, **BTSTACK)
    board.make(1500)
    host = proved(board)
    host.ask(wire.OP_GET, get(0, 1499))
    for _ in range(400):
        if host.ask(wire.OP_PING, bytes(8)) is None:
            break
    assert host.seqs() == list(range(1500))


def test_frames_in_flight_end_with_the_window_and_a_command_opens_it():
    board = Board()
    host = proved(board)
    host.ask(wire.OP_START, START)
    board.make(60)
    board.run(500)
    host.hear()
    assert host.seqs() == list(range(8))
    host.ask(wire.OP_PING, bytes(8))
    board.run(200)
    host.hear()
    assert host.seqs() == list(range(8, 16))


def test_a_command_said_again_opens_nothing():
    """Its answer did not arrive, so nothing says that the frames did."""
    board = Board(**BTSTACK)
    host = proved(board)
    host.ask(wire.OP_START, START)
    board.make(300)
    board.air.is_deaf = True
    host.send(wire.OP_ACK, ack(0))
    for _ in range(30):
        host._request -= 1
        host.send(wire.OP_ACK, ack(0))
        board.run(200)
    assert len(board.air.peers[host.connection].waiting) <= 40


@pytest.mark.parametrize("air", [{}, BTSTACK], ids=["refuses", "never refuses"])
def test_a_link_on_which_nothing_moves_is_reset_and_the_third_time_the_radio(air):
    """A stuck can-send callback (btstack issue 740): nothing arrives, and so no command comes."""
    board = Board(**air)
    for k in range(3):
        host = proved(board)
        host.ask(wire.OP_START, START)
        board.air.is_deaf = True
        board.make(20)
        board.run(10_500)
        assert not board.is_there(host)
        assert board.radio.stalls == k + 1
        board.air.is_deaf = False
    assert board.radio.restarts == 1


def test_a_stranger_gets_few_answers():
    """They would queue as frames do."""
    board = Board(**BTSTACK)
    host = board.host()
    board.air.is_deaf = True
    for _ in range(300):
        host.send(wire.OP_HELLO)
        board.run(10)
        if not board.is_there(host):
            break
    assert not board.is_there(host)


def test_a_session_without_memory_ends_and_the_board_goes_on(monkeypatch):
    board = Board()
    host = proved(board)
    session = board.sessions.active_session
    monkeypatch.setattr(session.delivery, "step", lambda: (_ for _ in ()).throw(MemoryError))
    board.run(500)
    monkeypatch.undo()
    assert not board.is_there(host)
    assert board.sessions.no_memory >= 1
    proved(board)


# ---- a radio that has to be restarted ----


def test_a_host_reset_that_forgets_the_address_is_mended_by_a_restart():
    board = Board()
    proved(board)
    board.air.reset_host(calls=4)
    board.run(9_000)
    assert board.air.advertised is not None
    assert board.radio.restarts == 1
    proved(board)


def test_failing_to_advertise_beside_a_session_restarts_nothing():
    board = Board(most_connections=1)
    proved(board)
    board.run(30_000)
    assert board.radio.restarts == 0


def test_a_radio_that_does_not_start_is_tried_again_and_is_no_crash():
    board = Board(is_started=False)
    assert board.air.starts == 0
    board.run(20_000)
    assert board.air.starts == 1
    proved(board)
    assert not board.radio.wants_reset


def test_a_radio_that_never_starts_leaves_the_board_alone():
    board = Board(is_started=False)
    board.air.fails_to_start = 10_000
    board.run(600_000)
    assert not board.radio.wants_reset
    assert 9_900 < board.air.fails_to_start < 9_995  # rarer and rarer


def test_an_unknown_error_ends_the_connection_that_had_it(monkeypatch):
    board = Board()
    host = proved(board)
    host.ask(wire.OP_START, START)
    notify = board.air.gatts_notify
    monkeypatch.setattr(board.air, "gatts_notify", lambda *_a: (_ for _ in ()).throw(OSError(-99)))
    board.make(3)
    board.run(500)
    monkeypatch.setattr(board.air, "gatts_notify", notify)
    assert not board.is_there(host)
    proved(board)


def test_an_exception_in_the_handler_does_not_switch_it_off(monkeypatch):
    board = Board()
    host = board.host()
    link = board.radio.links[0]
    monkeypatch.setattr(link, "on_write", lambda _data: (_ for _ in ()).throw(MemoryError))
    host.send(wire.OP_HELLO)
    monkeypatch.undo()
    assert host.ask(wire.OP_HELLO)[0] == wire.STATUS_OK
    assert board.radio.faults == 1


@pytest.mark.parametrize("what", ["deaf", "lost event"])
def test_a_connection_that_nobody_told_of_is_made_up_for(what):
    """The handler is gone, or an event is: advertising ended, and the board does not know."""
    board = Board()
    if what == "deaf":
        board.air._irq = None
    board.air.advertised = None
    board.run(10_000)
    assert board.air.advertised is not None
    proved(board)


def test_a_peer_that_comes_while_advertising_blocks_is_served():
    board = Board()
    came = []

    def come():
        board.air.inside_advertise = None
        came.append(board.air.come(b"inside"))  # which ends the advertising

    board.air.inside_advertise = come
    host = proved(board)
    board.run(1_000)
    assert came
    assert host.ask(wire.OP_PING, bytes(8))[0] == wire.STATUS_OK
    assert board.air.advertised is not None, "there are places left"


# ---- strangers ----


def test_who_proves_the_key_gets_in_at_once_whoever_failed_before():
    """Wrong proofs from the owner's own address: anybody can claim it."""
    board = Board()
    for _ in range(20):
        stranger = board.host()
        if stranger.ask(wire.OP_AUTH1, bytes(17))[0] == wire.STATUS_OK:
            stranger.ask(wire.OP_AUTH2, bytes(17))
        board.run(300)
        assert not board.is_there(stranger)
        owner = proved(board)
        board.air.leave(owner.connection)
    assert board.sessions.wrong_proofs == 20


def test_when_places_are_full_the_oldest_unproved_goes():
    board = Board()
    places = len(board.radio.links)
    silent = []
    for k in range(places):
        silent.append(board.host(address=b"squat%d" % k))
        board.run(200)
    board.run(2_700)
    assert not board.is_there(silent[0])
    assert [board.is_there(host) for host in silent[1:]] == [True] * (places - 1)
    proved(board, address=b"owner!")


def test_a_proved_host_is_never_sent_away_for_a_place():
    board = Board()
    owner = proved(board, address=b"owner!")
    for k in range(40):
        board.host(address=b"st%04d" % k)
        board.run(300)
    assert board.is_there(owner)
    assert owner.ask(wire.OP_PING, bytes(8))[0] == wire.STATUS_OK


def held_s(board, address):
    """A silent peer comes; return how long it holds its place."""
    host = board.host(address=address)
    since = board.clock.us
    while board.is_there(host):
        board.run(10)
        assert board.clock.us - since < 6e6
    return (board.clock.us - since) / 1e6


def test_on_one_connection_a_silent_peer_leaves_soon_once_strangers_are_about():
    board = Board(most_connections=1, places=1)
    assert held_s(board, b"one   ") == pytest.approx(5.0, abs=0.1)
    assert held_s(board, b"two   ") == pytest.approx(3.0, abs=0.1)
    assert held_s(board, b"three ") == pytest.approx(1.5, abs=0.1)
    assert held_s(board, b"four  ") == pytest.approx(1.5, abs=0.1)
    owner = board.host(address=b"owner!")
    board.run(2_300)  # a slow system looks for the services
    assert owner.prove()[0] == wire.STATUS_OK
    board.air.leave(owner.connection)
    board = Board(most_connections=1, places=1)
    board.air.leave(proved(board, address=b"owner!").connection)  # this one needs a tenth of a second
    held_s(board, b"one   ")
    assert held_s(board, b"two   ") == pytest.approx(1.0, abs=0.1)
    assert held_s(board, b"three ") == pytest.approx(0.1, abs=0.06)
    owner = board.host(address=b"owner!")
    board.run(700)
    assert owner.prove()[0] == wire.STATUS_OK  # who has proved the key keeps its time


def test_who_wastes_places_gets_little_time_and_an_owner_whose_address_is_claimed_still_gets_in():
    board = Board(most_connections=1, places=1)
    times = [held_s(board, b"claims") for _ in range(20)]
    assert times[2] == pytest.approx(0.1, abs=0.06)
    assert times[16] == pytest.approx(3.0, abs=0.1)
    assert sum(t < 0.5 for t in times) == 17
    tries = 0
    while True:
        owner = board.host(address=b"claims")
        board.run(700)
        tries += 1
        if board.is_there(owner):
            break
    assert tries <= 16
    assert owner.prove()[0] == wire.STATUS_OK
    board.air.leave(owner.connection)
    owner = board.host(address=b"claims")  # from now on always
    board.run(700)
    assert owner.prove()[0] == wire.STATUS_OK
    board.air.leave(owner.connection)
    for k in range(100):
        held_s(board, b"%06d" % k)
    assert len(board.sessions._wasters) == 12

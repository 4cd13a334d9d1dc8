"""`bench alarms`: its truth follows the words of the rule, and an ordinary session is judged right."""

import numpy as np

from tiltwise.types import ImuBlock
from tiltwise_lab.bench.alarms.generated_desk_sessions import RATE_HZ, TASKS, DeskSession, generate_session
from tiltwise_lab.bench.alarms.session_alarms import due_alerts_s, session_row


def told(flexion: np.ndarray, task: str = "reading") -> list[float]:
    n = len(flexion)
    block = ImuBlock(np.arange(n) / RATE_HZ, np.zeros((n, 3)), np.zeros((n, 3)))
    return due_alerts_s(DeskSession(block, flexion, [task] * n))


def bent(*parts: tuple[float, float]) -> np.ndarray:
    return np.concatenate([np.full(round(s * RATE_HZ), deg) for deg, s in parts])


def test_an_alert_is_due_a_minute_after_the_head_came_to_the_limit() -> None:
    assert told(bent((0, 10), (30, 90), (0, 10))) == [70.0]
    assert told(bent((0, 10), (30, 59), (0, 10))) == []
    assert told(bent((0, 10), (30, 90)), "walking") == []


def test_a_short_dip_is_forgiven_and_a_longer_one_is_not() -> None:
    assert told(bent((30, 40), (10, 0.4), (30, 40))) == [60.0]
    assert told(bent((30, 40), (10, 0.6), (30, 70))) == [100.6]


def test_an_alerted_posture_ends_with_three_seconds_of_correction() -> None:
    assert told(bent((30, 90), (10, 2.0), (30, 90))) == [60.0]
    assert told(bent((30, 90), (10, 4.0), (30, 90))) == [60.0, 154.0]


def test_a_session_is_the_same_again_and_has_nothing_but_tasks() -> None:
    made, again = generate_session(3), generate_session(3)
    np.testing.assert_array_equal(made.block.acc_m_s2, again.block.acc_m_s2)
    assert {*made.task} <= {"", *TASKS}


def test_an_ordinary_session_is_alerted_of_in_time() -> None:
    row = session_row(2)
    assert (row.due, row.on_time, row.missed, row.false_alarms) == (2, 2, 0, 0)
    assert row.called_walking["writing"] < 0.01 * row.seconds["writing"] + 1.0

"""Large type fits narrow terminals, speech never piles up, and without a program it is said once."""

import pytest

from tiltwise.app.coach.big_text import big_lines
from tiltwise.app.coach.voice import Voice, speaking_program
from tiltwise.exercise.catalogue import EXERCISES

SHORTS = sorted(
    {
        phase.short.replace("{side}", "right")
        for exercise in EXERCISES.values()
        for phase in exercise.all_phases
    }
)


@pytest.mark.parametrize("columns", [59, 79])
def test_every_instruction_fits_in_large_type(columns):
    for short in SHORTS:
        lines = big_lines(short, columns)
        assert max(map(len, lines)) <= columns, short
        assert 4 <= len(lines) <= 16, short  # large, and room for the bars below


def test_a_low_terminal_gets_the_smaller_font():
    assert len(big_lines("hold", 79, rows=16)) < len(big_lines("hold", 79, rows=24))


def test_what_cannot_be_drawn_is_written():
    assert big_lines("a" * 14, 20) == ("A" * 14,)


class Speaker:
    def __init__(self):
        self.returncode = None

    def poll(self):
        return self.returncode


def test_while_one_sentence_is_spoken_only_the_newest_waits():
    started = []

    def start(command):
        started.append((command[-1], Speaker()))
        return started[-1][1]

    voice = Voice(("espeak-ng",), start)
    for text in ("tilt right", "hold", "back"):
        voice.say(text)
    assert [text for text, _ in started] == ["tilt right"]
    started[0][1].returncode = 0
    voice.tend()
    assert [text for text, _ in started] == ["tilt right", "back"]


def test_a_voice_that_fails_is_dropped_and_said():
    def start(command):
        raise FileNotFoundError(2, "No such file or directory")

    voice = Voice(("espeak-ng",), start)
    voice.say("hold")
    assert voice.trouble == "espeak-ng cannot speak (No such file or directory); instructions are shown"
    voice.say("back")  # silent from now on


def test_the_program_that_speaks_is_found_in_order():
    assert speaking_program(lambda name: name if name.startswith("espeak") else None) == ("espeak-ng",)
    assert speaking_program(lambda _: None) == ()

"""What the firmware loses besides constants: texts that no code on a board reads, and imports that nobody uses."""

from tiltwise.firmware_build.trim_unused import trim


def one(source):
    return trim({"firmware/one.py": source})["firmware/one.py"]


def test_texts_of_counted_errors_go_and_others_stay():
    source = (
        "import wire\ndef f(n):\n    if n:\n"
        "        raise wire.WireError(\n            'frame of %d bytes' % n\n        ) from None\n"
        "    raise ValueError('key of %d bytes' % n)\n"
    )
    assert (
        one(source).split() == source.replace("(\n            'frame of %d bytes' % n\n        )", "").split()
    )


def test_imports_that_nobody_uses_go_and_those_that_another_file_asks_for_stay():
    sources = {
        "firmware/one.py": "import os\nimport sys\nfrom . import led, wire\nfrom .crypt import aes\nprint(led)\n",
        "firmware/two.py": "from . import one\none.aes()\none.sys.exit()\n",
        "firmware/boards/pico.py": "import machine\n",
    }
    trimmed = trim(sources)
    assert trimmed["firmware/one.py"].splitlines() == [
        "pass", "import sys", "from . import led", "from .crypt import aes", "print(led)",
    ]  # fmt: skip
    assert trimmed["firmware/boards/pico.py"] == sources["firmware/boards/pico.py"]


def test_import_inside_a_function_or_a_try_stays():
    source = (
        "try:\n    from cryptolib import aes\nexcept ImportError:\n    aes = None\n"
        "def f():\n    import machine\n"
    )
    assert one(source) == source


def test_file_that_is_no_python_is_left_to_the_compiler():
    assert one("def f(:\n") == "def f(:\n"

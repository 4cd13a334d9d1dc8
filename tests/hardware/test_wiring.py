"""The wiring page names the pins that the reference board's profile drives."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORDS = {
    "SDA": "SDA",
    "SCL": "SCL",
    "MOTION": "INT1",
    "MOTOR": "motor",
    "BUTTON": "button",
    "BATTERY": "220 kOhm",
}


def profile_pins() -> dict[str, int]:
    tree = ast.parse((ROOT / "firmware/boards/xiao_esp32s3.py").read_text(encoding="utf-8"))
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in WORDS
    }


def test_every_pin_of_the_profile_is_on_the_wiring_page() -> None:
    page = (ROOT / "hardware/wiring/README.md").read_text(encoding="utf-8")
    rows = {
        int(gpio): text for gpio, text in re.findall(r"^\| D\d+ \| (\d+) \| (.*) \|$", page, re.MULTILINE)
    }
    pins = profile_pins()
    assert set(pins) == set(WORDS)
    for name, pin in pins.items():
        assert WORDS[name] in rows[pin], f"{name} is GPIO {pin}: {rows.get(pin)}"
    assert len(rows) == len(pins)

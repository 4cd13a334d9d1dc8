"""`python -m tiltwise_lab.pages` writes what docs/ takes from the code; tests/docs says when it is stale."""

from tiltwise_lab.pages import ROOT, generated_pages
from tiltwise_lab.pages.day_picture import DAY, simulated_day, write_day_picture
from tiltwise_lab.pages.watch_picture import WATCH, source_digest, watch_screens, write_watch_picture

for name, text in generated_pages().items():
    (ROOT / name).write_text(text, encoding="utf-8")
    print(f"written: {name}")
write_day_picture(ROOT / DAY, simulated_day())
print(f"written: {DAY}")
write_watch_picture(ROOT / WATCH, watch_screens(), source_digest(ROOT / "host"))
print(f"written: {WATCH}")

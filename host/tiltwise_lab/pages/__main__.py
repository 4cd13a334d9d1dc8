"""`python -m tiltwise_lab.pages` writes what docs/ takes from the code; tests/docs says when it is stale."""

from tiltwise_lab.pages import ROOT, generated_pages

for name, text in generated_pages().items():
    (ROOT / name).write_text(text, encoding="utf-8")
    print(f"written: {name}")

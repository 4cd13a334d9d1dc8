"""The code in, figures and pages of docs/ out: what can be read off the code is not written twice."""

from pathlib import Path

from tiltwise_lab.pages.live_figure import with_live_figure
from tiltwise_lab.pages.state_machines import state_machines_page

ROOT = Path(__file__).resolve().parents[3]
LIVE_SESSION = "docs/live_session.md"
STATE_MACHINES = "docs/state_machines.md"


def generated_pages(root: Path = ROOT) -> dict[str, str]:
    """Return the text of each page that is written from the code, by its path below the checkout."""
    live = (root / LIVE_SESSION).read_text(encoding="utf-8")
    return {LIVE_SESSION: with_live_figure(live, root), STATE_MACHINES: state_machines_page(root)}

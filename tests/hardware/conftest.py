"""Makes `hardware` importable; it is a folder of the checkout, not part of the package."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

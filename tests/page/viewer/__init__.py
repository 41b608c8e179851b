"""What the tests of the report's page drive: a browser without a screen, and reports to be shown."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]

# The parts of the page, and what drives the real programs.
sys.path[:0] = [str(ROOT / "controller/report/page"), str(ROOT / "tests/integration")]

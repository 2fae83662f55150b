"""What all tests share."""

import os

# So that nothing here rests on the clock.
os.environ.setdefault("LOOKBACK_TODAY", "2026-03-01")

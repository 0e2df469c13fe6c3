"""Real answers of real services, which lie beside the checkout and are not part of it."""

import json
import os
from pathlib import Path
from typing import Any

from tests import extra

_BESIDE = Path(__file__).resolve().parents[4] / "shared" / "samples"


def sample(name: str) -> Any:
    """Return a sample's JSON; skips the test where there are no samples.

    They are looked for in PORTOLAN_SAMPLES, else in `../shared/samples` beside the checkout.
    """
    folder = Path(os.environ.get("PORTOLAN_SAMPLES") or _BESIDE)
    path = folder / name
    if not path.exists():
        extra.skip("no samples: set PORTOLAN_SAMPLES to their folder")
    return json.loads(path.read_text(encoding="utf-8"))

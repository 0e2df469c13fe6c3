"""CloudEvents 1.0 in binary mode: attributes as `ce-` headers, the body is the data alone.

Source: cloudevents/spec, cloudevents/bindings/http-protocol-binding.md section 3.1.
"""

from __future__ import annotations

from urllib.parse import quote

import orjson

from webhooks.models import Event
from webhooks.outbound.formats import structured

# Section 3.1.3.2: printable ASCII stays, without space, quote and per cent.
_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


def write(event: Event, public_url: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of an event; links and `ce-source` begin with `public_url`."""
    headers = {
        f"ce-{name}": quote(value, safe=_PLAIN)
        for name, value in structured.attributes(event, public_url).items()
    }
    headers["Content-Type"] = "application/json"
    return headers, orjson.dumps(structured.data(event, public_url))

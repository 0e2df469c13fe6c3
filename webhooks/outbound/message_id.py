"""What receivers tell repeats by."""

from __future__ import annotations

from webhooks.models import Event


def message_id(event: Event) -> str:
    """`evt_` and 32 hexadecimal digits: the same in each form, at every retry, for everybody."""
    return f"evt_{event.uid.hex}"

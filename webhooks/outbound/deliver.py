"""The outbox brought to its receivers."""


def deliver_due() -> None:
    """Send what is due, batch by batch, until nothing is."""

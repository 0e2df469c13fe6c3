"""From notifications to refreshed rows."""


def handle_waiting() -> None:
    """Handle what is due, batch by batch, until nothing is."""

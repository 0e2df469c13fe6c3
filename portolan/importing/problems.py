"""Why something cannot be imported at all."""


class NotImportable(ValueError):  # noqa: N818  named for what it is
    """The source is not what it should be, or cannot be read; the message is a sentence."""

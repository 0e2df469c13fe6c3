"""Why something cannot be imported at all."""


class NotImportable(ValueError):  # noqa: N818  named for what it is
    """The source is not what it should be, or cannot be read; the message is a sentence."""


class Mistyped(NotImportable):
    """What was typed is the fault: a file that is not there, a name that can be none."""


class NotAnswering(NotImportable):
    """The service cannot be reached, or is none of its kind."""

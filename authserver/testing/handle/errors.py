"""What the handle raises."""


class HarnessError(AssertionError):
    """The control API refused: a mistake in the test, in words that say which."""

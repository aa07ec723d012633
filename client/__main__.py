"""`python -m client`: the native app on the command line. Try `python -m client --help`."""

from client import interrupts


def run() -> None:
    """Most of the time until the first line is spent on imports: Ctrl-C must be quiet by then."""
    interrupts.end_at_once()
    from client.cli import main

    main()


if __name__ == "__main__":
    run()

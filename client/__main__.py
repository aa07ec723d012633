"""`python -m client`: the native app on the command line. Try `python -m client --help`."""

from client.cli import main

if __name__ == "__main__":
    main()

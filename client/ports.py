"""Who holds a port of this machine: read from /proc, so on Linux only, and only about one's own processes."""

from contextlib import suppress
from pathlib import Path

from client.errors import printable


def holder(port: int, proc: Path = Path("/proc")) -> str | None:
    """The command line and number of the process that listens on this port, or None if that cannot be seen."""
    try:
        listening = _inodes(proc / "net/tcp", port)
        for process in proc.glob("[0-9]*"):
            if listening & _sockets(process):
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                return f"{printable(words, 80)} (process {process.name})"
    except OSError:
        pass
    return None


def _inodes(table: Path, port: int) -> set[str]:
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}


def _sockets(process: Path) -> set[str]:
    """The inodes of its open sockets; none where we may not look."""
    found = set()
    with suppress(OSError):
        for link in (process / "fd").iterdir():
            with suppress(OSError):  # closed since it was listed
                found.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found

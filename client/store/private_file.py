"""A private file: 0600 in a directory of 0700, replaced as a whole and never written in place.

Done: RFC 8252 section 8.9 in spirit and security rows CL11 and CL12: what is a symbolic link, somebody else's, or
readable by others is refused with the command that repairs it; new content is written aside, fsynced and renamed, so
that a reader sees the old or the new and never half; then the directory is fsynced, so that the rename survives a power
cut. What a killed process left aside goes with the next replacement.
"""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from client.errors import StoreError

MAX_FILE = 1024 * 1024


def read(path: Path) -> bytes | None:
    """The content, or None where there is no file. Content beyond MAX_FILE is cut off."""
    try:
        # O_NOFOLLOW: not through a symbolic link. O_NONBLOCK: a FIFO in its place must not hang us.
        descriptor = os.open(path, os.O_RDONLY | _flags("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))
    except FileNotFoundError:
        return None
    except OSError as problem:
        if path.is_symlink():
            raise StoreError(
                f"{path} is a symbolic link, and tokens are not read through links.",
                f"Look where it points, then remove it: rm {path}",
            ) from problem
        raise StoreError(f"{path} cannot be read: {problem.strerror}.") from problem
    try:
        _check_file(os.fstat(descriptor), path)
        return os.read(descriptor, MAX_FILE)
    finally:
        os.close(descriptor)


def replace(path: Path, content: bytes) -> None:
    """For whoever holds the lock: others' unfinished writes for this path are taken for litter."""
    if len(content) > MAX_FILE:
        raise StoreError(
            f"{path} would become larger than {MAX_FILE:,} bytes, so nothing was saved.",
            "Log somebody out first: python -m client accounts shows who is there.",
        )
    prepare_directory(path.parent)
    try:
        for litter in path.parent.glob(f"{path.stem}.*.tmp"):
            litter.unlink(missing_ok=True)
        temporary = path.with_suffix(f".{secrets.token_hex(8)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _flags("O_NOFOLLOW", "O_CLOEXEC"), 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:  # Ctrl-C included: leave no half-written secrets behind
            with suppress(OSError):
                temporary.unlink()
            raise
    except OSError as problem:
        raise StoreError(f"The tokens could not be saved in {path.parent}: {problem.strerror}.") from problem
    _make_durable(path.parent)


def remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        raise StoreError(f"{path} could not be deleted: {problem.strerror}.", f"rm {path}") from problem
    _make_durable(path.parent)


def prepare_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.stat()
    except OSError as problem:
        raise StoreError(
            f"The token directory {directory} cannot be used: {problem.strerror}.",
            "Choose another with CLIENT_TOKEN_DIR, or use CLIENT_TOKEN_STORE=memory.",
        ) from problem
    _check_owner(found, directory)
    if _open_to_others(found):
        raise StoreError(
            f"Others on this machine can look into {directory}.",
            f"Close it: chmod 700 {directory} (or choose another with CLIENT_TOKEN_DIR)",
        )


def _make_durable(directory: Path) -> None:
    """Some systems and file systems cannot; the change itself has happened already."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | _flags("O_DIRECTORY", "O_CLOEXEC"))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _check_file(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(f"{path} is not a regular file.", f"Remove it: rm {path}")
    _check_owner(found, path)
    if _open_to_others(found):
        raise StoreError(
            f"Others on this machine can read {path}, so its tokens may be known.",
            f"Close it and start afresh: chmod 600 {path} && python -m client logout",
        )


def _check_owner(found: os.stat_result, path: Path) -> None:
    if os.name == "posix" and found.st_uid != os.geteuid():
        raise StoreError(f"{path} belongs to another user.", "Choose another place with CLIENT_TOKEN_DIR.")


def _open_to_others(found: os.stat_result) -> bool:
    return os.name == "posix" and bool(found.st_mode & 0o077)


def _flags(*names: str) -> int:
    """Flags that not every system has (Windows)."""
    return sum(getattr(os, name, 0) for name in names)

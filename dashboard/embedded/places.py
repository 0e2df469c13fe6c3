"""Where the embedded services keep their data and their sockets."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from dashboard.embedded import privileges
from dashboard.embedded.service import EmbeddedError

PROJECT = Path(__file__).resolve().parent.parent.parent

# sockaddr_un holds 108 bytes on Linux, 104 elsewhere, with a closing zero.
LONGEST_SOCKET_PATH = 103
LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")


def data_dir() -> Path:
    """PORTOLAN_DATA_DIR as an absolute path; `.portolan` in the project when it is not set."""
    return Path(os.environ.get("PORTOLAN_DATA_DIR") or PROJECT / ".portolan").resolve()


def socket_dir(home: Path) -> Path:
    """The directory of the services' sockets: in `home`, or in the system's temporary directory
    under a name derived from `home` when that path is too long for a socket."""
    inside = home / "run"
    if len(os.fsencode(inside)) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH:
        return inside
    key = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"portolan-{key}"


def make_private(directory: Path, *, like: Path) -> None:
    """Create `directory` for the services' user alone, or check that it is so.

    `like` decides that user when we are root: privileges.service_user(). Raises EmbeddedError if
    somebody else made the directory first, as anybody may in a shared temporary directory.
    """
    user = privileges.service_user(like)
    try:
        directory.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        pass
    else:
        if user:
            os.chown(directory, user.uid, user.gid)
    found = directory.lstat()
    expected = user.uid if user else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != expected or found.st_mode & 0o077:
        raise EmbeddedError(
            f"{directory} must be a directory of the user with id {expected} that nobody else may"
            " open; remove it, or run Portolan as the user who owns it."
        )

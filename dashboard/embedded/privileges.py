"""Running a service as an ordinary user when we are root, which PostgreSQL refuses to run as."""

import os
import pwd
import shutil
from pathlib import Path
from typing import NamedTuple

from dashboard.embedded.service import EmbeddedError


class User(NamedTuple):
    uid: int
    gid: int


def service_user(home: Path) -> User | None:
    """Whom a service with its data in `home` runs as if not as ourselves: its owner, or nobody."""
    if os.geteuid() != 0:
        return None
    if home.exists() and (found := home.stat()).st_uid != 0:
        return User(found.st_uid, found.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedError(_NO_WAY) from error
    return User(nobody.pw_uid, nobody.pw_gid)


def lowered(command: list[str], *, home: Path) -> list[str]:
    """`command` as it is run for a service: unchanged, or as `service_user(home)` when root.

    Of root's powers it keeps one, opening files: without it a service could not reach its own
    programs and data in a project below a directory like /root that only root may enter. Plain
    containers allow this, where they forbid user namespaces.
    """
    user = service_user(home)
    if user is None:
        return command
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedError(_NO_WAY)
    return [
        setpriv,
        f"--reuid={user.uid}",
        f"--regid={user.gid}",
        "--clear-groups",
        "--no-new-privs",
        "--inh-caps=-all,+dac_override",
        "--ambient-caps=-all,+dac_override",
        # initdb asks with access(2) whether it may run programs, which for all but root leaves
        # powers out of account unless told so.
        "--securebits=+no_setuid_fixup",
        "--",
        *command,
    ]


_NO_WAY = (
    "PostgreSQL does not run as root, and this system lacks the user `nobody` or the program"
    " `setpriv` (package util-linux) to run it as: run Portolan as an ordinary user, or set"
    " DATABASE_URL and REDIS_URL to servers of your own."
)

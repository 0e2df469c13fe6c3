"""`make pictures`: docs/images/command.svg, from what the command prints of a Portolan with trial data.

No test, as its name says to pytest, but run by it: the server, its database and somebody's home are
those of the command's tests. The same data gives the same picture, byte for byte.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from django.utils import timezone
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from access.models import Grant, Team, User
from access.scopes import Scope
from portolan.main import main
from registries.models import Registry
from tests import catalog
from tests.access.tokens import asking
from tests.live.command.conftest import db, server  # noqa: F401  fixtures
from tests.live.shells import ROOT, Home

PICTURE = ROOT / "docs" / "images" / "command.svg"
COLUMNS = 92
BUILT = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
# With the reader's own font: rich's would come from another host.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
)
FILE = """\
version: 1
teams:
- name: shop
  description: The shop and its cart.
grants:
- {principal: "sp:shop-ci", role: pusher, scope: prod/shop/*}
- {principal: "team:shop", role: reader, scope: prod}
"""
COMMANDS = (
    "registries",
    "tags prod/shop/web",
    "can-i push prod/shop/web --as sp:shop-ci",
    "plan portolan.yaml",
)


def test_picture(server: str, tmp_path: Path) -> None:  # noqa: F811  the fixture
    now = timezone.now()
    fill(now)
    _name, secret = asking.token_of(User.objects.create_superuser("anna"), now + timedelta(hours=1))
    home = Home.make(tmp_path)
    assert home.run("login", server, "--token-stdin", "--no-docker", typed=secret).code == 0
    (tmp_path / "portolan.yaml").write_text(FILE, encoding="utf-8")
    PICTURE.write_text(taken(home), encoding="utf-8")


def fill(now: datetime) -> None:
    """Three registries, a repository with images for two platforms, a team and its machine."""
    prod, harbor, hub = (
        catalog.registry(name, url=url, kind=kind, synced_at=now - timedelta(minutes=minutes))
        for name, url, kind, minutes in (
            ("prod", "https://prod.azurecr.io", "acr", 4),
            ("harbor", "https://harbor.example.com", "harbor", 11),
            ("hub", "https://registry-1.docker.io", "dockerhub", 125),
        )
    )
    _fill_shop(prod, now)
    for registry, paths in (
        (prod, ("shop/api", "shop/cart", "data/etl", "tools/ci")),
        (harbor, ("library/base", "mirror/alpine")),
        (hub, ("example/shop",)),
    ):
        for path in paths:
            repository = catalog.repository(registry, path)
            catalog.tag(repository, "1.0", catalog.image(repository, path), at=now)
        catalog.recount(registry)
    Team.objects.create(name="shop")
    asking.machine("shop-ci", "pusher", Scope("prod", "shop/*"))
    # Its number is in the picture, and was another where there were grants before.
    Grant.objects.update(id=17)


def _fill_shop(prod: Registry, now: datetime) -> None:
    web = catalog.repository(prod, "shop/web")
    for number, (tag, hours) in enumerate((("2.4.1", 3), ("2.4.0", 75), ("2.3.9", 241))):
        index = catalog.index(
            web,
            [
                catalog.image(
                    web,
                    f"web {tag}",
                    platform=platform,
                    layers=(
                        *catalog.BASE_LAYERS,
                        (f"web {tag} {platform}", 18_400_231 + number * 91_203, "COPY . /srv"),
                    ),
                    created=BUILT,  # a part of the digest
                )
                for platform in ("linux/amd64", "linux/arm64")
            ],
        )
        for name in (tag, "latest") if number == 0 else (tag,):
            catalog.tag(web, name, index, at=now - timedelta(hours=hours, minutes=1))


def taken(home: Home) -> str:
    """What somebody with a terminal of so many columns sees of COMMANDS, as rich draws it."""
    terminal = Console(
        record=True,
        force_terminal=True,
        color_system="truecolor",
        width=COLUMNS,
        file=io.StringIO(),
        highlight=False,
        markup=False,
        emoji=False,
    )
    with (
        patch.dict(os.environ, home.environment | {"TERM": "xterm-256color"}, clear=True),
        patch("portolan.output.Console", lambda **_: terminal),
        contextlib.chdir(home.path),
    ):
        for command in COMMANDS:
            terminal.print(Text.assemble(("$ ", "bold green"), (f"portolan {command}", "bold")))
            assert main(command.split()) in (0, 2), command
            terminal.print()
    drawn = terminal.export_svg(title="portolan", unique_id="portolan", code_format=FORMAT)
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"

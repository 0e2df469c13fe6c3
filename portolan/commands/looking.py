"""`show` and `diff`: one image, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from portolan import completion
from portolan.addresses import path_of
from portolan.failures import Misused, answered
from portolan.missing import named
from portolan.options import command
from portolan.output import Column
from portolan.references import Reference, find, is_digest
from portolan.session import Session
from portolan.units import count, short_digest, since, size

Ref = Annotated[
    str,
    typer.Argument(
        metavar="REF",
        help="REGISTRY/path, REGISTRY/path:tag, REGISTRY/path@digest, or a digest alone.",
        autocompletion=completion.repository_names,
    ),
]
Image = Annotated[
    str,
    typer.Argument(
        metavar="REF",
        help="REGISTRY/path:tag or REGISTRY/path@digest.",
        autocompletion=completion.repository_names,
    ),
]
OtherImage = Annotated[
    str, typer.Argument(metavar="REF", help="The same, or just a tag or digest.")
]
Platform = Annotated[
    str, typer.Option(metavar="OS/ARCH", help="Of a multi-platform image: which one.")
]


def add_to(app: typer.Typer) -> None:
    command(app)(show)
    command(app, to_the_end=True)(diff)


def show(session: Session, ref: Ref, platform: Platform = "") -> None:
    """Show an image by tag or digest, a repository, or where a digest is."""
    if is_digest(ref):
        _show_digest(session, ref)
        return
    found = find(session.server, ref)
    with named(session.server, found):
        if found.tag or found.digest:
            _show_image(session, found, platform)
        else:
            _show_repository(session, found)


def diff(session: Session, before: Image, after: OtherImage, platform: Platform = "") -> int:
    """Say what changed from one image to another: layers, configuration, environment, labels.

    The exit code is 1 where something did, as of diff.
    """
    first = find(session.server, before)
    second = _second(session, first, after)
    query = {"from": _name(first), "to": _name(second), "platform": platform}
    with answered(), named(session.server, first, second):
        changed = session.server.get(first.below("compare"), **query)
    same = changed["before"]["digest"] == changed["after"]["digest"]
    if session.out.as_json:
        session.out.document(changed)
    elif same:
        session.out.print("They are the same.")
    else:
        _print_changes(session, changed)
    return 0 if same else 1


def _second(session: Session, first: Reference, text: str) -> Reference:
    """The other image: of the same repository, which may be left out."""
    bare = text.removeprefix(":").removeprefix("@")
    if is_digest(bare):
        return Reference(first.registry, first.path, "", bare)
    if "/" not in text:
        return Reference(first.registry, first.path, bare)
    second = find(session.server, text)
    if (second.registry, second.path) != (first.registry, first.path):
        raise Misused("Two images of one repository can be compared, and these are of two.")
    return second


def _name(ref: Reference) -> str:
    """What the comparison calls it."""
    if not (ref.digest or ref.tag):
        raise Misused(f"Say which image of {ref}: …:tag or …@digest.")
    return ref.digest or ref.tag


# Showing -------------------------------------------------------------------------------------------


def _show_repository(session: Session, ref: Reference) -> None:
    found = session.server.get(ref.address)
    session.out.facts(
        found,
        [
            ("Repository", str(ref)),
            ("Tags", count(found["tags"])),
            ("Images", count(found["artifacts"])),
            ("Size", f"{size(found['bytes'])}, every blob counted once"),
            ("Pushed", _moment(found["pushed_at"])),
            ("Pulled", _moment(found["pulled_at"])),
            ("Pulls", found["pull_count"]),
            ("Locks", ", ".join(found["locks"])),
            ("Gone since", _moment(found["missing_since"])),
        ],
    )


def _show_image(session: Session, ref: Reference, platform: str) -> None:
    server, out = session.server, session.out
    tag: Any = server.get(ref.below("tags", ref.tag)) if ref.tag else None
    digest = ref.digest or tag["digest"]
    image = server.get(ref.below("manifests", digest), platform=platform)
    shown = {"registry": ref.registry, "repository": ref.path, "tag": tag, "manifest": image}
    out.facts(shown, _facts_of_image(ref, digest, image))
    if out.as_json:
        return
    for title, columns, rows in (
        ("Platforms", _PLATFORMS, image["platforms"]),
        ("Layers", _LAYERS, image["layers"]),
        ("Attached", _REFERRERS, image["referrers"]),
    ):
        if rows:
            out.heading(title)
            out.rows(columns, rows)


def _facts_of_image(ref: Reference, digest: str, image: Any) -> Iterator[tuple[str, Any]]:
    config = image["config"] or {}
    yield "Image", str(ref)
    yield "Digest", digest
    yield "Kind", image["kind"]
    yield "Platform", image["platform"]
    yield "Size", size(image["size"])
    yield "Tags", ", ".join(image["tags"]) + (" and more" if image["has_more_tags"] else "")
    yield "Created", _moment(image["created"])
    yield "Pushed", _moment(image["pushed_at"])
    yield "Pulled", _moment(image["pulled_at"])
    yield "Locks", ", ".join(image["locks"])
    yield "Gone since", _moment(image["missing_since"])
    yield "Vulnerabilities", ", ".join(f"{n} {what}" for what, n in (image["scan"] or {}).items())
    yield "Entrypoint", config.get("entrypoint")
    yield "Command", config.get("command")
    yield "User", config.get("user")
    yield "Ports", ", ".join(config.get("ports", ()))
    if image["details"] != "complete":
        yield "Known", f"{image['details']}: not all of it has been read"


def _show_digest(session: Session, digest: str) -> None:
    found = session.server.get(path_of("digests", digest))
    out = session.out
    out.facts(found, [("Digest", digest), ("Kind", found["kind"]), ("Size", size(found["size"]))])
    if out.as_json:
        return
    places = [place for one in found["registries"] for place in one["places"]]
    if places:
        out.heading("Where it is")
    out.rows(_PLACES, places, empty="No registry that you see holds it now.")


def _moment(text: str | None) -> str:
    return f"{text} ({since(text)})" if text else ""


_PLATFORMS = (
    Column("Platform", lambda row: row["platform"] or None, style="bold"),
    Column(
        "Digest",
        lambda row: short_digest(row["digest"]),
        style="dim",
        piped=lambda row: row["digest"],
    ),
    Column("Size", lambda row: size(row["size"]), right=True, piped=lambda row: row["size"]),
)
_LAYERS = (
    Column(
        "Digest",
        lambda row: short_digest(row["digest"]),
        style="dim",
        piped=lambda row: row["digest"],
    ),
    Column("Size", lambda row: size(row["size"]), right=True, piped=lambda row: row["size"]),
    Column("Made by", lambda row: row["command"] or None, long=True),
)
_REFERRERS = (
    Column("What", lambda row: row["kind"], style="bold"),
    Column("Type", lambda row: row["artifact_type"] or None, spare=True),
    Column(
        "Digest",
        lambda row: short_digest(row["digest"]),
        style="dim",
        piped=lambda row: row["digest"],
    ),
)
_PLACES = (
    Column("Repository", lambda row: f"{row['registry']}/{row['repository']}", style="bold"),
    Column("Tags", lambda row: ", ".join(row["tags"]) or None, long=True),
    Column(
        "First seen",
        lambda row: since(row["first_seen_at"]),
        spare=True,
        piped=lambda row: row["first_seen_at"],
    ),
)


# Comparing -----------------------------------------------------------------------------------------

_SIGNS = {"added": "+", "removed": "-"}


def _print_changes(session: Session, changed: Any) -> None:
    out = session.out
    for sign, side in (("-", "before"), ("+", "after")):
        one = changed[side]
        platform = f" {one['platform']}" if one["platform"] else ""
        out.changed(sign, f"{one['reference']} {one['digest']}{platform}")
    unread = [
        changed[side]["reference"] for side in ("before", "after") if not changed[side]["is_read"]
    ]
    if unread:
        out.print(
            f"Not read yet, so nobody can tell: {' and '.join(unread)}. Open it on screen first."
        )
        return
    out.print(
        f"{size(changed['added_bytes'])} came, {size(changed['removed_bytes'])} went,"
        f" {size(changed['shared_bytes'])} stayed."
    )
    layers = [one for one in changed["layers"] if one["state"] in _SIGNS]
    if layers:
        out.heading("Layers")
    for one in layers:
        digest = short_digest(one["digest"]) if out.is_terminal else one["digest"]
        about = f"{digest}  {size(one['size'])}  {one['command']}"
        out.changed(_SIGNS[one["state"]], about.rstrip())
    for title, key in (
        ("Configuration", "facts"),
        ("Environment", "environment"),
        ("Labels", "labels"),
    ):
        if changed[key]:
            out.heading(title)
        for one in changed[key]:
            out.changed(*_value(one))


def _value(one: Any) -> tuple[str, str]:
    """A sign and what became of a named value; what looks like a secret is not printed."""
    name, before, after = one["name"], one["before"], one["after"]
    if one["is_secret"]:
        before, after = (None if value is None else "•••" for value in (before, after))
    if before is None:
        return "+", f"{name}={after}"
    if after is None:
        return "-", f"{name}={before}"
    return "~", f"{name}: {before} → {after}"

"""A small harbour with some of everything, for looking at screens and for browser tests."""

from __future__ import annotations

from datetime import datetime, timedelta

from registries.models import Artifact, Manifest, Registry, Repository
from registries.oci import mediatypes
from tests import catalog

PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7")
NAMESPACES = ("base", "platform/auth", "platform/billing", "team-a", "team-a/backend", "team-b")


def fill() -> Registry:
    """The registry "harbour" with images, indexes, a chart, signatures, history and namespaces."""
    registry = catalog.registry("harbour")
    app = catalog.repository(registry, "team-a/backend/shop")
    _releases(app)
    _shared_base(catalog.repository(registry, "base/debian"))
    _chart(catalog.repository(registry, "team-a/charts/shop"))
    _many_tags(catalog.repository(registry, "platform/auth/gateway"))
    for number in range(70):
        namespace = NAMESPACES[number % len(NAMESPACES)]
        service = catalog.repository(registry, f"{namespace}/service-{number:02d}")
        built = catalog.NOON - timedelta(days=number)
        image = catalog.image(service, f"service-{number}", created=built)
        catalog.tag(service, "latest", image, at=built)
    gone = catalog.repository(registry, "team-b/retired", missing_since=catalog.NOON)
    catalog.tag(gone, "1.0", catalog.image(gone, "retired"))
    catalog.recount(registry)
    return registry


def _releases(app: Repository) -> None:
    previous: Artifact | None = None
    for minor in range(14):
        built = catalog.NOON - timedelta(days=13 - minor)
        release = _release(app, minor, built)
        catalog.tag(app, f"1.{minor}.0", release, at=built)
        catalog.move(app, "latest", previous, release, at=built)
        previous = release
    assert previous is not None
    catalog.tag(app, "latest", previous)
    catalog.tag(app, "1", previous)
    signature = catalog.referrer(app, previous)
    catalog.tag(app, f"{previous.manifest.digest.replace(':', '-')}.sig", signature)
    catalog.referrer(
        app,
        previous,
        Manifest.Kind.SBOM,
        artifact_type="application/spdx+json",
        content="packages",
    )


def _release(app: Repository, minor: int, built: datetime) -> Artifact:
    layers = (
        *catalog.BASE_LAYERS,
        ("python 3.13", 14_880_231, "RUN /bin/sh -c apt-get install -y python3.13 # buildkit"),
        (f"wheels {minor // 4}", 61_240_882, "RUN pip install -r requirements.txt # buildkit"),
        (f"code {minor}", 1_204_331 + minor * 4_099, "COPY . /srv # buildkit"),
    )
    config = {
        "env": [
            "PATH=/usr/local/bin:/usr/bin:/bin",
            f"APP_VERSION=1.{minor}.0",
            "DATABASE_PASSWORD=hunter2-do-not-do-this",
            *(["FEATURE_CHECKOUT=on"] if minor > 11 else []),
        ],
        "labels": {
            "org.opencontainers.image.source": "https://git.example.com/team-a/shop",
            "org.opencontainers.image.version": f"1.{minor}.0",
        },
    }
    images = [
        catalog.image(app, "shop", platform=platform, layers=layers, created=built, config=config)
        for platform in PLATFORMS
    ]
    return catalog.index(app, images, attested=True, pushed_at=built)


def _shared_base(base: Repository) -> None:
    image = catalog.image(
        base, "debian", config={"entrypoint": [], "cmd": ["bash"], "user": None, "env": []}
    )
    for name in ("12", "12.8", "bookworm", "stable"):
        catalog.tag(base, name, image)


def _chart(charts: Repository) -> None:
    chart = catalog.artifact(
        charts,
        "shop chart",
        Manifest.Kind.CHART,
        artifact_type=mediatypes.HELM_CONFIG,
        annotations={"org.opencontainers.image.title": "shop"},
        size=18_211,
    )
    catalog.tag(charts, "4.2.0", chart)


def _many_tags(gateway: Repository) -> None:
    for number in range(120):
        built = catalog.NOON - timedelta(hours=number)
        image = catalog.image(gateway, f"gateway {number // 2}", created=built)
        catalog.tag(gateway, f"6.0.{120 - number}", image, at=built)
    pending = catalog.image(
        gateway, "new", details=Artifact.Details.PENDING, platform="", created=None
    )
    catalog.tag(gateway, "edge", pending)

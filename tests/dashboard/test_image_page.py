"""The page about one artifact."""

from __future__ import annotations

import pytest
from django.test import Client

from registries.models import Artifact, Manifest, Repository
from registries.oci import mediatypes
from tests import catalog
from tests.dashboard.test_browsing import text

pytestmark = pytest.mark.django_db
AT = "/r/harbour/team-a/app/-/tags"


@pytest.fixture
def app() -> Repository:
    return catalog.repository(catalog.registry("harbour"), "team-a/app")


def referring_name(artifact: Artifact, suffix: str = "") -> str:
    return artifact.manifest.digest.replace(":", "-") + suffix


def test_layers_stand_beside_the_steps_that_made_them(as_viewer: Client, app: Repository) -> None:
    catalog.tag(app, "1", catalog.image(app))
    html = text(as_viewer, f"{AT}/1")
    assert "ADD file:84c5f0 in /" in html
    assert "RUN apt-get update" in html
    assert "26.9\N{NO-BREAK SPACE}MiB" in html
    assert "CMD [&quot;app&quot;]" in html  # a step without a layer


def test_an_index_is_opened_at_the_usual_platform(as_viewer: Client, app: Repository) -> None:
    images = [
        catalog.image(app, platform=name, config={"labels": {"for": name}})
        for name in ("linux/arm64", "linux/amd64")
    ]
    catalog.tag(app, "1", catalog.index(app, images))
    assert "<dd>linux/amd64</dd>" in text(as_viewer, f"{AT}/1")
    assert "<dd>linux/arm64</dd>" in text(as_viewer, f"{AT}/1?platform=linux/arm64")
    assert "<dd>linux/amd64</dd>" in text(as_viewer, f"{AT}/1?platform=plan9/mips")


def test_attestations_are_counted_and_are_no_platform(as_viewer: Client, app: Repository) -> None:
    images = [catalog.image(app, platform=name) for name in ("linux/arm64", "linux/amd64")]
    catalog.tag(app, "1", catalog.index(app, images, attested=True))
    html = text(as_viewer, f"{AT}/1")
    assert "and 2 attestations" in html
    assert "unknown/unknown" not in html
    assert html.count("beside it in its index") == 2


def test_a_platform_tells_which_index_holds_it(as_viewer: Client, app: Repository) -> None:
    image = catalog.image(app)
    index = catalog.index(app, [image], attested=True)
    html = text(as_viewer, f"/r/harbour/team-a/app/-/manifests/{image.manifest.digest}")
    assert index.manifest.digest in html
    assert "No tag points at it." in html
    assert html.count("beside it in its index") == 1


def test_what_refers_to_an_image_is_found_in_all_four_ways(
    as_viewer: Client, app: Repository
) -> None:
    image = catalog.image(app)
    catalog.tag(app, "1", image)
    catalog.referrer(app, image, Manifest.Kind.SBOM, artifact_type="application/spdx+json")
    signature = catalog.artifact(app, "cosign's", Manifest.Kind.SIGNATURE)
    catalog.tag(app, referring_name(image, ".sig"), signature)
    listed = catalog.artifact(app, "listed", artifact_type="application/vnd.example.report")
    catalog.tag(app, referring_name(image), catalog.index(app, [listed]))
    html = text(as_viewer, f"{AT}/1")
    assert "names this as its subject" in html
    assert "by cosign’s tag" in html
    assert "by the fallback tag" in html
    assert "application/vnd.example.report" in html


def test_a_signature_in_another_repository_is_not_one_here(
    as_viewer: Client, app: Repository
) -> None:
    image = catalog.image(app)
    catalog.tag(app, "1", image)
    other = catalog.repository(app.registry, "team-b/signatures")
    catalog.referrer(other, image)
    assert "it is not signed here" in text(as_viewer, f"{AT}/1")


def test_a_secret_is_covered_but_can_be_shown_without_scripts(
    as_viewer: Client, app: Repository
) -> None:
    catalog.tag(app, "1", catalog.image(app, config={"env": ["API_KEY=swordfish", "LANG=C"]}))
    html = text(as_viewer, f"{AT}/1")
    assert "<summary>" in html.split("API_KEY</dt>")[1].split("swordfish")[0]


def test_a_layer_that_others_hold_too_is_marked(as_viewer: Client, app: Repository) -> None:
    own = (*catalog.BASE_LAYERS, ("only here", 10, "COPY here"))
    catalog.tag(app, "1", catalog.image(app, layers=own))
    catalog.image(catalog.repository(app.registry, "team-b/app"), "another")
    assert text(as_viewer, f"{AT}/1").count('rect width="8"') == len(catalog.BASE_LAYERS)


def test_an_image_being_read_says_so(as_viewer: Client, app: Repository) -> None:
    catalog.tag(app, "1", catalog.image(app, details=Artifact.Details.PENDING))
    assert "still being read" in text(as_viewer, f"{AT}/1")


def test_an_image_the_registry_lost_says_so(as_viewer: Client, app: Repository) -> None:
    catalog.tag(app, "1", catalog.image(app, details=Artifact.Details.UNAVAILABLE))
    assert "A pull will likely fail." in text(as_viewer, f"{AT}/1")


def test_the_download_is_the_very_bytes(as_viewer: Client, app: Repository) -> None:
    manifest = catalog.image(app).manifest
    response = as_viewer.get(f"/r/harbour/team-a/app/-/manifests/{manifest.digest}/raw")
    assert catalog.digest_of(response.content) == manifest.digest
    assert response["Content-Type"] == mediatypes.OCI_MANIFEST


def test_a_manifest_that_is_no_json_is_shown_all_the_same(
    as_viewer: Client, app: Repository
) -> None:
    catalog.tag(app, "1", catalog.image(app))
    Manifest.objects.update(raw=b"\xff not json")
    assert "not json" in text(as_viewer, f"{AT}/1")


def test_every_tool_has_its_command_by_tag_and_by_digest(
    as_viewer: Client, app: Repository
) -> None:
    image = catalog.image(app)
    catalog.tag(app, "1", image)
    html = text(as_viewer, f"{AT}/1")
    name = "harbour.example.com/team-a/app"
    for command in (
        "docker pull {}",
        "podman pull {}",
        "skopeo copy docker://{} ",
        "crane pull {} ",
    ):
        assert command.format(f"{name}:1") in html
        assert command.format(f"{name}@{image.manifest.digest}") in html


def test_what_a_stranger_wrote_is_escaped(as_viewer: Client, app: Repository) -> None:
    evil = "<script>alert(1)</script>"
    config = {"env": [f"A={evil}"], "labels": {evil: evil}, "entrypoint": [evil], "user": evil}
    layers = [("evil", 10, evil)]
    catalog.tag(
        app, "1", catalog.image(app, config=config, layers=layers, annotations={evil: evil})
    )
    assert evil not in text(as_viewer, f"{AT}/1")


def test_a_signature_names_what_it_is_about_and_is_not_called_unsigned(
    as_viewer: Client, app: Repository
) -> None:
    image = catalog.image(app)
    digest = catalog.referrer(app, image).manifest.digest
    page = text(as_viewer, f"/r/harbour/team-a/app/-/manifests/{digest}")
    head = page.partition("<h1")[2].partition("</ul>")[0]
    assert f"/-/manifests/{image.manifest.digest}" in head
    assert "1 blob" in page
    assert "from the base up" not in page
    assert "it is not signed here" not in page


def test_an_old_manifest_of_schema_1_has_its_layers_and_its_download(
    as_viewer: Client, app: Repository
) -> None:
    raw = b'{"schemaVersion": 1, "name": "team-a/app", "tag": "1"}'
    manifest = Manifest.objects.create(
        digest=catalog.digest_of(raw),
        media_type=mediatypes.DOCKER_SIGNED_SCHEMA1,
        kind=Manifest.Kind.IMAGE,
        size=len(raw),
        total_size=len(raw),
        os="linux",
        architecture="amd64",
        raw=raw,
    )
    catalog.tag(app, "1", catalog.present(app, manifest))
    page = text(as_viewer, f"{AT}/1")
    assert mediatypes.DOCKER_SIGNED_SCHEMA1 in page
    assert f"/-/manifests/{manifest.digest}/raw" in page
    assert "docker pull harbour.example.com/team-a/app:1" in page


def test_configuration_labels_and_annotations_are_shown(as_viewer: Client, app: Repository) -> None:
    config = {
        "entrypoint": ["/bin/app", "--flag with space"],
        "working_dir": "/srv",
        "exposed_ports": ["8443/tcp"],
        "volumes": ["/data"],
        "stop_signal": "SIGQUIT",
        "labels": {"org.example.team": "harbour-masters"},
        "env": ["COLOUR=blue"],
    }
    image = catalog.image(app, config=config, annotations={"org.example.note": "made-by-hand"})
    catalog.tag(app, "1", image)
    page = text(as_viewer, f"{AT}/1")
    for shown in (
        "/bin/app &#x27;--flag with space&#x27;",
        "/srv",
        "8443/tcp",
        "/data",
        "SIGQUIT",
        "harbour-masters",
        "made-by-hand",
        "COLOUR",
    ):
        assert shown in page, shown


def test_an_image_that_runs_as_root_says_so(as_viewer: Client, app: Repository) -> None:
    catalog.tag(app, "root", catalog.image(app, "a", config={"user": ""}))
    catalog.tag(app, "user", catalog.image(app, "b", config={"user": "1000"}))
    assert "</svg>root</span>" in text(as_viewer, f"{AT}/root")
    assert "</svg>root</span>" not in text(as_viewer, f"{AT}/user")

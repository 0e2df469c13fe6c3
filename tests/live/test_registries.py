"""The ground of the live tests: what we push is what real tools read from real registries."""

import json

from tests.live import images, registries, tools
from tests.live.pusher import push
from tests.live.registries import RealRegistry


def test_skopeo_reads_the_image_that_was_pushed(registry: RealRegistry, path: str) -> None:
    base = images.layer({"etc/os-release": b"ID=tiny\n"})
    image = images.image(base, config={"Labels": {"team": "charts"}}, platform="linux/arm64/v8")
    push(registry.url, path, image, "1.0", "latest")

    seen = json.loads(tools.skopeo("inspect", f"docker://{registry.host}/{path}:1.0"))

    assert seen["Digest"] == image.digest
    assert seen["Architecture"] == "arm64"
    assert seen["Labels"] == {"team": "charts"}
    assert seen["Layers"] == [base.digest]
    assert sorted(seen["RepoTags"]) == ["1.0", "latest"]


def test_skopeo_copies_every_platform_of_an_index(registry: RealRegistry, path: str) -> None:
    base = images.layer({"bin/hello": b"hello"})
    amd, arm = (images.image(base, platform=p) for p in ("linux/amd64", "linux/arm64"))
    index = images.index(amd, arm)
    push(registry.url, path, index, "multi")

    tools.skopeo(
        "copy",
        "--all",
        f"docker://{registry.host}/{path}:multi",
        f"docker://{registry.host}/{path}-copied:multi",
    )

    for one in (index, amd, arm):
        url = f"{registry.url}/v2/{path}-copied/manifests/{one.digest}"
        assert registries.get(url, accept=one.media_type) == (200, one.data)


def test_a_docker_image_keeps_its_media_types(registry: RealRegistry, path: str) -> None:
    image = images.image(images.layer({"a": b"1"}, docker=True), docker=True)
    push(registry.url, path, image, "v2")

    raw = tools.skopeo("inspect", "--raw", f"docker://{registry.host}/{path}:v2")

    assert json.loads(raw)["mediaType"] == images.DOCKER_MANIFEST


def test_what_refers_to_an_image_is_found_with_or_without_the_referrers_api(
    registry: RealRegistry, path: str
) -> None:
    image = images.image(images.layer({"a": b"subject"}))
    bill = images.sbom(image)
    push(registry.url, path, image, "1")
    push(registry.url, path, bill)

    status, body = registries.get(f"{registry.url}/v2/{path}/referrers/{image.digest}")
    if status == 404:
        tag = images.fallback_tag(image.digest)
        status, body = registries.get(
            f"{registry.url}/v2/{path}/manifests/{tag}", accept=images.OCI_INDEX
        )

    assert status == 200
    (found,) = json.loads(body)["manifests"]
    assert (found["digest"], found["artifactType"]) == (bill.digest, "application/spdx+json")


def test_attestations_signatures_and_charts_are_accepted(registry: RealRegistry, path: str) -> None:
    image = images.image(images.layer({"a": b"signed"}))
    pushed = {
        "attested": images.buildx_index(image),
        images.cosign_tag(image): images.cosign_signature(image),
        "0.1.0": images.helm_chart("mychart", "0.1.0"),
    }
    for tag, manifest in pushed.items():
        push(registry.url, path, manifest, tag)

    _, body = registries.get(f"{registry.url}/v2/{path}/tags/list")

    assert set(json.loads(body)["tags"]) == set(pushed)


def test_deletes_are_allowed(registry: RealRegistry, path: str) -> None:
    image = images.image(images.layer({"a": b"short-lived"}))
    push(registry.url, path, image, "gone")
    url = f"{registry.url}/v2/{path}/manifests/{image.digest}"

    assert registries.get(url, method="DELETE")[0] == 202
    assert registries.get(url, accept=image.media_type)[0] == 404

"""GitLab. Its container registry is a Distribution and sends Distribution's notifications, which
`distribution.py` reads; `gitlab.rb` has the same settings (docs.gitlab.com, "Container registry
notifications"). The webhooks of its projects (`X-Gitlab-Event`) tell nothing of images.

Unverified: that GitLab.com never sends one about its container registry; should it, nobody loses
more than a hint, as each is kept where the owner sees it.
"""

from __future__ import annotations

from collections.abc import Iterator

from webhooks.inbound.told import ID_LIMIT, OTHER, Document, Heard, Told, fresh_id, text


def read(document: Document, *, delivery: str) -> Iterator[tuple[Heard, object]]:
    """A project's webhook: nothing to do. `delivery` is X-Gitlab-Event-UUID."""
    why = "GitLab's project webhooks tell nothing of images; its registry's own notifications do."
    yield Told(text(delivery, ID_LIMIT) or fresh_id(), OTHER, ignored=why), document

"""Texts that are nearly addresses: what parsers of them trip over."""

from __future__ import annotations

from hypothesis import strategies as st

_PIECES = (
    *("https://", "http://", "ftp://", "[", "]", "::1", "%", "%00", "@", ":", "/", "?", "#", "\\"),
    *("a", ".example.com", "é", "İ", "。", "℀", "xn--", "\ud800", "\x00", " ", "-", "1", "99999"),
)
# Texts that did get through, each in its own way.
BROKEN = ("https://[::1", "https://[]@", "https://xn--", "https://a:99999", "https://\ud800İ")

nearly = (
    st.sampled_from(BROKEN)
    | st.lists(st.sampled_from(_PIECES), max_size=7).map("".join)
    | st.text(max_size=40)
)

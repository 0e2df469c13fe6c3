"""What the command `portolan` asks a browser for; the names of a loopback redirect (RFC 8252)."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _


class CommandForm(forms.Form):
    """It comes in the address, and again with the click."""

    port = forms.IntegerField(min_value=1024, max_value=65535)
    state = forms.RegexField(r"\A[A-Za-z0-9_-]{16,128}\Z")
    challenge = forms.RegexField(r"\A[A-Za-z0-9_-]{43}\Z")
    label = forms.CharField(label=_("What for"), max_length=63)

    @property
    def words(self) -> str:
        """What the command shows, too: who compares knows that it is his."""
        found = hashlib.sha256(self.cleaned_data["challenge"].encode()).hexdigest()
        return f"{found[:4]}-{found[4:8]}"

    def address(self, code: str) -> str:
        """Where the command listens, on the machine of who clicks and on no other."""
        query = urlencode({"code": code, "state": self.cleaned_data["state"]})
        return f"http://127.0.0.1:{self.cleaned_data['port']}/?{query}"

"""How accounts come to be: never by themselves. allauth asks this adapter."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignup(DefaultAccountAdapter):  # type: ignore[misc]  # allauth publishes no types
    """Nobody signs up: the first owner comes from the one-time link, the others are invited."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  allauth's signature
        return False

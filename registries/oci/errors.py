"""What goes wrong with a registry, each as a class that says what and what to do.

`str(error)` is one sentence on what is wrong, `error.advice` one on what to do about it; both are
shown to people and stored with a run, so neither ever carries a secret.
"""

# ruff: noqa: N818 - errors are named for what happened, not for being errors

from typing import ClassVar


class RegistryError(Exception):
    """Something a registry did, or did not do.

    `permanent` says that asking again will not help until somebody changes something.
    `retry_after` is the number of seconds the registry asked us to wait, if it did.
    `tags_taken` are tags that a deletion which came to nothing has taken away all the same.
    """

    code: ClassVar[str] = "registry-error"
    permanent: ClassVar[bool] = False
    default_advice: ClassVar[str] = "Try again; if it stays, look at the registry's own log."

    def __init__(
        self, message: str, *, advice: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.advice = advice or self.default_advice
        self.retry_after = retry_after
        self.tags_taken: tuple[str, ...] = ()


class Unreachable(RegistryError):
    """No answer came: unknown name, refused connection, silence."""

    code = "unreachable"
    default_advice = "Check the address and port, and that this machine may connect to them."


class TlsFailed(RegistryError):
    """The registry could not prove who it is."""

    code = "tls-failed"
    permanent = True
    default_advice = "Check the registry's certificate."


class AddressRefused(RegistryError):
    """The registry's name leads to an address Portolan does not dial (`registries.network`)."""

    code = "address-refused"
    permanent = True
    default_advice = (
        "If this registry is meant to be on a private network, allow private addresses for it."
    )


class NotARegistry(RegistryError):
    """Something answers, but not a registry: usually a web page."""

    code = "not-a-registry"
    permanent = True
    default_advice = (
        "Give the address that docker login uses: the registry's host, without the path of its "
        "web page."
    )


class AuthenticationFailed(RegistryError):
    """The registry does not accept who we say we are."""

    code = "authentication-failed"
    permanent = True
    default_advice = "Check the user name and the password or token, and whether it has expired."


class AccessDenied(RegistryError):
    """The registry knows us and says no."""

    code = "access-denied"
    permanent = True
    default_advice = "Give this account the right to read it, at the registry."


class Locked(RegistryError):
    """The registry holds it under a lock of its own; nobody changes it until that is taken away."""

    code = "locked"
    permanent = True
    default_advice = "Take the lock away first, if that is what you want."


class NotFound(RegistryError):
    """The registry has no such thing.

    `is_proof` says that it told so with an error document of its own (OCI Distribution 1.1, "Error
    Codes"). A bare 404 may come from a proxy whose registry is away, and proves nothing.
    """

    code = "not-found"
    permanent = True
    default_advice = "Check the name; it may have been deleted."
    is_proof = False


class Throttled(RegistryError):
    """The registry asks us to slow down (429), longer than it is worth waiting."""

    code = "throttled"
    default_advice = "Wait, or lower the number of requests allowed for this registry."


class ServerFailed(RegistryError):
    """The registry answered with an error of its own (5xx)."""

    code = "server-failed"
    default_advice = "Look at the registry's own log; the next sync asks again."


class ResponseTooLarge(RegistryError):
    """The answer is larger than any honest one."""

    code = "response-too-large"
    permanent = True
    default_advice = "Look at what the registry holds there; nothing of it was stored."


class InvalidDocument(RegistryError):
    """The answer is not the document it should be."""

    code = "invalid-document"
    permanent = True
    default_advice = "Look at it with another client; pushing it again may repair it."


class DigestMismatch(RegistryError):
    """The bytes are not those the digest names: damaged, or changed on the way."""

    code = "digest-mismatch"
    permanent = True
    default_advice = (
        "Do not use this content; check the registry's storage and any proxy before it."
    )


class ForeignLink(RegistryError):
    """The registry sent us to another host for the rest of a listing."""

    code = "foreign-link"
    permanent = True
    default_advice = "Set the registry's public address in its own configuration (http.host)."


class ForeignRealm(RegistryError):
    """The registry names a token server to which its credentials must not go."""

    code = "foreign-realm"
    permanent = True
    default_advice = (
        "Have the registry name a token server under its own domain (auth.token.realm), or connect "
        "it by an address under the domain of that token server."
    )


class Unsupported(RegistryError):
    """The registry does not offer what was asked."""

    code = "unsupported"
    permanent = True
    default_advice = "Use a way this kind of registry offers."


class TooManyPages(RegistryError):
    """A listing that never ends."""

    code = "too-many-pages"
    permanent = True
    default_advice = "Look at the Link headers the registry, or a proxy before it, sends."

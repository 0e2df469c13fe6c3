"""What Amazon refuses, as errors for people.

Codes: docs.aws.amazon.com, Amazon ECR API Reference, "Common Errors" and each action's own.
"""

from botocore.exceptions import ClientError

from registries.oci import untrusted
from registries.oci.errors import (
    AccessDenied,
    AuthenticationFailed,
    InvalidDocument,
    NotFound,
    RegistryError,
    ServerFailed,
    Throttled,
    Unsupported,
)
from registries.oci.failures import retry_after_seconds

_THROTTLING = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}
)
_WRONG_KEY = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "ExpiredToken",
        "ExpiredTokenException",
    }
)
_DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})
_MISSING = frozenset({"RepositoryNotFoundException", "ImageNotFoundException", "ImageNotFound"})
_EXCERPT = 200


def is_throttling(error: ClientError) -> bool:
    """Say whether Amazon asks to slow down, in the body of a 400."""
    return _code(error) in _THROTTLING


def what_went_wrong(error: ClientError, operation: str) -> RegistryError:
    """Return the error for what Amazon answered to an operation (boto3's name of it)."""
    code, status = _code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in _THROTTLING or status == 429:
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        waits = retry_after_seconds(headers.get("retry-after"))
        return Throttled(f"Amazon ECR asks to slow down ({operation}).", retry_after=waits)
    if code in _WRONG_KEY:
        return AuthenticationFailed(
            f"Amazon does not accept the access key{_said(error)}.",
            advice="Check the key's id and secret, the region, and whether the key is active.",
        )
    if code in _DENIED:
        return AccessDenied(
            f"Amazon does not let this access key do {operation}{_said(error)}.",
            advice="Allow that action in the key's IAM policy, or in the repository's own.",
        )
    if code in _MISSING:
        missing = NotFound(f"Amazon ECR has no such thing{_said(error)}.")
        missing.is_proof = True
        return missing
    if isinstance(status, int) and status >= 500:
        return ServerFailed(f"Amazon ECR failed with status {status} on {operation}{_said(error)}.")
    return Unsupported(f"Amazon ECR refuses {operation}{_said(error)}.")


def refused(failure: dict[str, object], what: str) -> RegistryError:
    """Return the error for one entry of `failures`, which come with a 200."""
    code = untrusted.text(failure.get("failureCode")) or ""
    if code in _MISSING:
        missing = NotFound(f"Amazon ECR has no {what}.")
        missing.is_proof = True
        return missing
    if code == "ImageReferencedByManifestList":
        return Unsupported(
            f"Amazon ECR keeps {what}: an index lists it.",
            advice="Delete the index first; its platforms can be deleted then.",
        )
    reason = untrusted.text(failure.get("failureReason")) or code or "no reason given"
    return Unsupported(f"Amazon ECR does not delete {what}: {reason[:_EXCERPT].rstrip('.')}.")


def unreadable(operation: str) -> InvalidDocument:
    """Return the error for an answer that is not what Amazon documents."""
    return InvalidDocument(f"Amazon ECR answered {operation} with something unreadable.")


def _code(error: ClientError) -> str:
    code = error.response.get("Error", {}).get("Code")
    return code if isinstance(code, str) else ""


def _said(error: ClientError) -> str:
    text = untrusted.text(error.response.get("Error", {}).get("Message")) or ""
    return f": {text[:_EXCERPT].rstrip('.')}" if text else ""

"""Bodies of answers, never more of them than is wanted."""

import aiohttp

from registries.oci.errors import ResponseTooLarge

# Enough for any registry's error document.
BEGINNING = 64 * 1024


async def whole(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the body, or raise `ResponseTooLarge` before reading more than `limit` bytes."""
    declared = response.content_length
    if declared is not None and declared <= limit:
        return await response.read()
    chunks: list[bytes] = []
    size = 0
    if declared is None:
        while chunk := await response.content.readany():
            size += len(chunk)
            if size > limit:
                break
            chunks.append(chunk)
        else:
            return b"".join(chunks)
    # Closed, not released: what follows would have to be read to reuse the connection.
    response.close()
    shown = f"{declared:,}" if declared is not None else f"more than {limit:,}"
    raise ResponseTooLarge(f"The answer has {shown} bytes; at most {limit:,} are read.")


async def beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the first bytes of a body that only explains a status, however long it goes on.

    A proxy's page about an error may be longer than any manifest, and hides no error.
    """
    body = b""
    while len(body) < BEGINNING and (chunk := await response.content.readany()):
        body += chunk
    if not response.content.at_eof():
        response.close()
    return body[:BEGINNING]

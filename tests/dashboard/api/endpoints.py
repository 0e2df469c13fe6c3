"""All addresses of the REST API: the tables of its areas."""

from tests.dashboard.api import (
    endpoints_access,
    endpoints_catalog,
    endpoints_repositories,
)
from tests.dashboard.api.lines import ApiLine

LINES: list[ApiLine] = [
    *endpoints_catalog.LINES,
    *endpoints_repositories.LINES,
    *endpoints_access.LINES,
]

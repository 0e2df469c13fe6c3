"""All addresses of the REST API: the tables of its areas."""

from tests.dashboard.api import (
    endpoints_access,
    endpoints_catalog,
    endpoints_governance,
    endpoints_machines,
    endpoints_mirrors,
    endpoints_repositories,
    endpoints_webhooks,
)
from tests.dashboard.api.lines import ApiLine

LINES: list[ApiLine] = [
    *endpoints_access.LINES,
    *endpoints_catalog.LINES,
    *endpoints_governance.LINES,
    *endpoints_machines.LINES,
    *endpoints_mirrors.LINES,
    *endpoints_repositories.LINES,
    *endpoints_webhooks.LINES,
]

"""The command `portolan`: what Portolan's screens show and do, at a shell and in pipelines.

A distribution of its own that talks to a server by its REST API alone: nothing here knows Django or
the apps (import-linter checks it), and it needs typer, rich, httpx and PyYAML, no more.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("portolan")
except PackageNotFoundError:  # run from a checkout
    VERSION = "0"

"""`python -m portolan`, where nothing was installed."""

from portolan.main import run

run()

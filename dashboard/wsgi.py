"""The WSGI application that the web server runs."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

application = get_wsgi_application()

# Everything that requests need is loaded now rather than by the first of them, and stays. It is
# also put out of the garbage collector's sight: to look through half a million lasting objects
# held up one request of a hundred for a fifth of a second.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
# A page of a list is some ten thousand objects, of which almost none is in a circle. To look for
# those after every 700 took up to a fifth of the time of the largest.
gc.set_threshold(10_000, 10, 10)

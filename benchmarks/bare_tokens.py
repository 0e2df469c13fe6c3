"""The floor of a token server: one view, one indexed lookup, one ES256 signature, no middleware.

A WSGI application of its own (`benchmarks.bare_tokens:application`), for the same server with the
same number of workers. It decides nothing and logs nothing.
"""

from __future__ import annotations

import base64
import os
import time
import uuid

import django
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
_KEY = ec.generate_private_key(ec.SECP256R1())


def token(request: HttpRequest) -> HttpResponse:
    given = base64.b64decode(request.headers["Authorization"][6:]).decode()
    name, _, secret = given.partition(":")
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest FROM access_secret WHERE key_id = %s", [secret[7:17]])
        if cursor.fetchone() is None:
            return HttpResponse(status=401)
    now = int(time.time())
    scope = request.GET["scope"].split(":")
    claims = {
        "iss": "http://localhost",
        "aud": request.GET["service"],
        "sub": name,
        "iat": now,
        "nbf": now - 10,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
        "access": [{"type": scope[0], "name": scope[1], "actions": scope[2].split(",")}],
    }
    text = jwt.encode(claims, _KEY, algorithm="ES256", headers={"kid": "bare"})
    response = JsonResponse({"token": text, "access_token": text, "expires_in": 300})
    response["Content-Length"] = str(len(response.content))
    return response


urlpatterns = [path("auth/token", token)]

django.setup(set_prefix=False)
settings.MIDDLEWARE = []
settings.ROOT_URLCONF = __name__
application = WSGIHandler()

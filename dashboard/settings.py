"""Settings, in reading order: where we are, secrets, apps, requests, data, people, tasks, logs.

Only deployment facts come from the environment (docs/OPERATORS.md lists them); everything that is
the product's own is written here. `manage.py` and the tests set DATABASE_URL and REDIS_URL for the
embedded services before Django reads this file.
"""

from pathlib import Path
from urllib.parse import urlsplit

from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from dashboard import env, sign_on
from dashboard.converters import AS_PARAMETERS
from dashboard.keys import encryption_keys, secret_key

# Where we are ------------------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("PORTOLAN_DATA_DIR", str(BASE_DIR / ".portolan"))).resolve()
PORT = env.number("PORT", 8000)

# The address people and registries use; links in mails and the token server's name follow it.
PUBLIC_URL = env.text("PORTOLAN_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
_public = urlsplit(PUBLIC_URL)
SECURE = _public.scheme == "https"

DEBUG = env.flag("DEBUG", default=False)

# Secrets -----------------------------------------------------------------------------------------

# With neither DATABASE_URL nor these set by the operator we are being tried out: keys are made
# once and kept beside the data. In production a missing key is an error, never a default.
SECRET_KEY = secret_key(DATA_DIR)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
ENCRYPTION_KEYS = encryption_keys(DATA_DIR)

# Apps, upper ones first --------------------------------------------------------------------------

INSTALLED_APPS = [
    "dashboard",
    "webhooks",
    "access",
    "registries",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "drf_spectacular",
    "rest_framework",
    "template_partials",
]

# Single sign-on (dashboard/sign_on.py says which variables) --------------------------------------

_OIDC = sign_on.oidc_providers()
_GITHUB = sign_on.github_app()
SIGNUP_DOMAINS = sign_on.signup_domains()

# Requests ----------------------------------------------------------------------------------------

# The public name and the machine's own always; others where it is reached by others, too.
ALLOWED_HOSTS = [
    _public.hostname or "",
    *("localhost", "127.0.0.1", "[::1]"),
    *env.words("ALLOWED_HOSTS"),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

MIDDLEWARE = [
    "dashboard.views.health.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "access.origin.OriginMiddleware",
    "access.tokens.middleware.TokenMiddleware",
    "webhooks.inbound.middleware.NotificationMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Every view asks for a signed-in person unless it says `login_not_required` at its definition.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "dashboard.nul.NulMiddleware",
]

FILE_UPLOAD_HANDLERS = ["dashboard.uploads.NoFiles"]

ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.context.shell",
            ],
            "builtins": ["dashboard.templatetags.portolan"],
        },
    },
]

SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
# The __Host- prefix ties a cookie to this very host; browsers accept it over https only.
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "portolan_session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "portolan_csrf"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_SSL_REDIRECT = False  # the proxy in front does it; health checks come in plain
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
BEHIND_PROXY = env.flag("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Or the limits of sign-in would count everybody as one address, the proxy's.
ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_PROXY)
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF, *sign_on.origins(_OIDC, _GITHUB)],
        "frame-ancestors": [NONE],
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static" / "dist"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Data --------------------------------------------------------------------------------------------

DATABASES = {
    "default": {
        **env.database(),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "TEST": {"TEMPLATE": "template0"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        # django-redis takes unix:// where Celery takes redis+socket://.
        "LOCATION": REDIS_URL.replace("redis+socket://", "unix://"),
        "KEY_PREFIX": "portolan",
    }
}

# People ------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "access.accounts.Accounts"
ACCOUNT_FORMS = {"reset_password": "access.accounts.ResetForm"}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
# Once more the password (or a code) before what would let somebody keep a stolen session.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60

SOCIALACCOUNT_ADAPTER = "access.accounts.SignOn"
SOCIALACCOUNT_PROVIDERS = sign_on.allauth_providers(_OIDC, _GITHUB)
# An address that a provider gives takes no account over: people connect the two themselves.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_QUERY_EMAIL = True

MFA_ADAPTER = "access.accounts.SecondFactors"
USERSESSIONS_ADAPTER = "access.sessions.Sessions"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Addresses are entered by owners or come from a provider, and mail may not be set up at all.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE  # browsers themselves allow it on localhost only

# How far ahead the end of a personal access token may lie.
PERSONAL_TOKEN_MAX_DAYS = env.number("PERSONAL_TOKEN_MAX_DAYS", 365)

# A docker token's life: for so long a registry goes on with rights that were taken away
# (Distribution for a minute more). Docker's client assumes a minute at least.
TOKEN_LIFETIME_SECONDS = env.number("TOKEN_LIFETIME_SECONDS", 300)
# Issued tokens are entered by a thread of each web process; tests enter them themselves.
TOKEN_LOG_IN_BACKGROUND = True

# Whole months of the logs that are kept besides the running one; 0 keeps all.
AUDIT_RETENTION_MONTHS = env.number("AUDIT_RETENTION_MONTHS", 24)
TOKEN_LOG_RETENTION_MONTHS = env.number("TOKEN_LOG_RETENTION_MONTHS", 6)

# The REST API (dashboard/api/) --------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "dashboard.api.sign_in.SecretAuthentication",
        "dashboard.api.sign_in.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["dashboard.api.sign_in.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["dashboard.api.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["dashboard.api.rendering.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "dashboard.api.description.Description",
    "EXCEPTION_HANDLER": "dashboard.api.problems.answer_problem",
    "UNAUTHENTICATED_USER": None,
    # Times are written by the renderer, a third cheaper than by the framework's fields.
    "DATETIME_FORMAT": None,
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Portolan",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SORT_OPERATIONS": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # The same choices under fields of different names, and different ones under the same name.
    "ENUM_NAME_OVERRIDES": {
        "ActionEnum": "dashboard.api.fields.ACTIONS",
        "AccessRequestStateEnum": "dashboard.api.access.requests.STATES",
        "PersonStateEnum": "dashboard.api.access.people.STATE_NAMES",
        "MembershipSourceEnum": "dashboard.api.access.members.SOURCES",
        "TagMoveSourceEnum": "dashboard.api.catalog.history.SOURCES",
    },
    "COMPONENT_SPLIT_REQUEST": True,
    "PATH_CONVERTER_OVERRIDES": AS_PARAMETERS,
    "PREPROCESSING_HOOKS": ["dashboard.api.description.addresses_of_the_api"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "dashboard.api.description.completed",
    ],
}
# Of one caller, whichever of his secrets he comes with; 0 is no limit.
API_REQUESTS_PER_MINUTE = env.number("API_REQUESTS_PER_MINUTE", 1200)

# Webhooks -----------------------------------------------------------------------------------------

# Networks (10.0.0.0/8) and host names beside the public internet that webhooks may be sent to, also
# over plain http. Metadata services of clouds stay closed.
WEBHOOK_ALLOWED_NETWORKS = env.words("WEBHOOK_ALLOWED_NETWORKS")
# Seconds from one try to the next, until a delivery is given up: about a day.
WEBHOOK_RETRY_SECONDS = env.pauses("WEBHOOK_RETRY_SECONDS", "5,300,1800,7200,18000,36000,36000")
WEBHOOK_TIMEOUT_SECONDS = env.number("WEBHOOK_TIMEOUT_SECONDS", 15)
# After so long, what a killed worker held is sent by another.
WEBHOOK_LEASE_SECONDS = env.number("WEBHOOK_LEASE_SECONDS", 120)
# How many worker processes deliver at a time, on all machines together.
WEBHOOK_LOOPS = env.number("WEBHOOK_LOOPS", 1)
# Days that notifications, and events with all that was sent of them, are kept; 0 keeps all.
EVENT_RETENTION_DAYS = env.number("EVENT_RETENTION_DAYS", 30)

# Mail ---------------------------------------------------------------------------------------------

EMAIL_CONFIG_SET = bool(env.text("EMAIL_HOST", ""))
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if EMAIL_CONFIG_SET
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_TIMEOUT = 10  # a mail server that is down must not hold who invites somebody
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=False)  # STARTTLS, mostly at port 587
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", default=False)  # TLS from the start, mostly at port 465
if EMAIL_USE_TLS and EMAIL_USE_SSL:
    raise ImproperlyConfigured("Set one of EMAIL_USE_TLS and EMAIL_USE_SSL: they are two ways.")
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"portolan@{_public.hostname}")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "dashboard" / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# Tasks -------------------------------------------------------------------------------------------

# Truth is in Postgres, the queue is a hint; these make a killed worker's task come back
# (kombu's defaults look for lost messages far too seldom).
_VISIBILITY = {
    "visibility_timeout": 900,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_keepalive": not REDIS_URL.startswith(("unix:", "redis+socket:")),
}
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://")
CELERY_BROKER_TRANSPORT_OPTIONS = _VISIBILITY
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ACKS_ON_FAILURE = True
CELERY_TASK_ACKS_ON_TIMEOUT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_TASK_SOFT_TIME_LIMIT = 780
CELERY_TASK_TIME_LIMIT = 840  # below the visibility timeout, or a slow task would run twice
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ROUTES = {
    # The first pattern that fits counts.
    "registries.tasks.read_report": {"queue": "default"},
    "registries.tasks.*": {"queue": "sync"},
    "webhooks.tasks.handle_notifications": {"queue": "events"},
    "webhooks.tasks.deliver": {"queue": "deliveries"},
}
# So many registries are read side by side for their notifications; in tests in the same thread (0).
NOTIFICATION_THREADS = env.number("NOTIFICATION_THREADS", 8)
# Notifications of registries wake the worker from a thread of each web process; in tests at once.
WAKE_IN_BACKGROUND = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "start due syncs": {
        "task": "registries.tasks.start_due_syncs",
        "schedule": 15.0,
        "options": {"expires": 15, "queue": "default"},
    },
    "recover lost work": {
        "task": "registries.tasks.recover_lost_work",
        "schedule": 30.0,
        "options": {"expires": 30, "queue": "default"},
    },
    # Rows wake their workers themselves; these find what a lost wake left lying.
    "handle notifications": {
        "task": "webhooks.tasks.handle_notifications",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "deliver": {
        "task": "webhooks.tasks.deliver",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "forget old events": {
        "task": "webhooks.tasks.forget_old_events",
        "schedule": crontab(hour="2", minute="40"),
        "options": {"expires": 12 * 3600},
    },
    "warn of ends": {
        "task": "access.tasks.warn_of_ends",
        "schedule": crontab(hour="6", minute="10"),
        "options": {"expires": 12 * 3600},
    },
    "mail followers": {
        "task": "webhooks.tasks.mail_each",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "mail followers' days": {
        "task": "webhooks.tasks.mail_digests",
        "schedule": crontab(minute="10"),
        "options": {"expires": 1800},
    },
    "end grants": {
        "task": "access.tasks.end_grants",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "forget exchanged secrets": {
        "task": "access.tasks.forget_exchanged_secrets",
        "schedule": 900.0,
        "options": {"expires": 900},
    },
    "forget ended keys": {
        "task": "access.tasks.forget_ended_keys",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "forget kept answers": {
        "task": "access.tasks.forget_kept_answers",
        "schedule": crontab(minute="50"),
        "options": {"expires": 3600},
    },
    "keep the audit log": {
        "task": "access.tasks.keep_trail",
        "schedule": crontab(hour="3", minute="20"),
        "options": {"expires": 12 * 3600},
    },
    "verify the audit log": {
        "task": "access.tasks.verify_trail",
        "schedule": crontab(hour="4", minute="20"),
        "options": {"expires": 12 * 3600},
    },
}

# Logs --------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "aiohttp": {"level": "WARNING"},
        # Not each look at what is due, several times a second; what fails is an error.
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
}

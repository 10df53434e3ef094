# syntax=docker/dockerfile:1
# One image for the worker, the one-shot set-up and the command line: `gamf` is its entry point.

FROM python:3.11.15-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
# The build tool is pinned in the development lock; nothing of that lock reaches the image.
COPY requirements-dev.lock ./
RUN python -m venv /build && /build/bin/pip install --no-deps --require-hashes -r requirements-dev.lock
COPY requirements.lock ./
RUN python -m venv /opt/gamf && /opt/gamf/bin/pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml ./
COPY gamf ./gamf
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/gamf/bin/pip install --no-deps --no-index /dist/*.whl
# Québec's design system, for the console; without a registry it is plain.
COPY tools/__init__.py tools/console_assets.py tools/node.lock ./tools/
RUN /build/bin/python -m tools.console_assets /opt/gamf/share/gamf/qc-trousse-sdg || true

FROM python:3.11.15-slim-bookworm
# A fixed number, so that the owner of the volume is the same on every machine.
RUN groupadd --gid 10001 gamf \
    && useradd --uid 10001 --gid gamf --home-dir /var/lib/gamf --create-home --shell /usr/sbin/nologin gamf \
    && install --directory --owner gamf --group gamf --mode 0750 /var/lib/gamf/outbox
COPY --from=build /opt/gamf /opt/gamf
ENV PATH=/opt/gamf/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 GAMF_DATA_DIR=/var/lib/gamf
USER gamf
WORKDIR /var/lib/gamf
ENTRYPOINT ["gamf"]
CMD ["worker"]

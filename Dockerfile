# One image for web, worker and beat; docker-compose.yml says which is which.

FROM python:3.12-slim-bookworm@sha256:0f5b26b9518d002b6173fd61daad821fa340635ebfec5bba471013f9ca114579 AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /build \
 && /build/bin/pip install --require-hashes -r requirements/build.txt \
 && python -m venv /opt/stanch \
 && /opt/stanch/bin/pip install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY scanner scanner
COPY responder responder
COPY runbooks runbooks
COPY stanch stanch
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /opt/stanch/bin/pip install --no-deps --no-index /wheel/*.whl \
 && /opt/stanch/bin/pip uninstall --yes pip

FROM python:3.12-slim-bookworm@sha256:0f5b26b9518d002b6173fd61daad821fa340635ebfec5bba471013f9ca114579
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 stanch \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/stanch stanch \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/stanch /var/lib/stanch-vault /var/lib/stanch-anchors
COPY --from=build /opt/stanch /opt/stanch
ENV PATH=/opt/stanch/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STANCH_HOME=/var/lib/stanch
WORKDIR /var/lib/stanch
USER 10001:10001
EXPOSE 8600
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8600/healthz', timeout=4)"]
ENTRYPOINT ["stanch"]
CMD ["serve"]

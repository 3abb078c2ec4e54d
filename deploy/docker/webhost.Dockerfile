# Image of src/WebHost. The folder comes from `./dev publish`; the image adds nothing but a name, so it is built in seconds and
# the same on every machine:
#   ./dev publish && docker build -f deploy/docker/webhost.Dockerfile -t maintenance-webhost .
# Chiseled: no shell, no package manager, no root; user 1654 (app). Framework-dependent folders (./dev publish --framework-dependent) need
#   --build-arg BASE=mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled
# Whoever pins images by digest gives it here too: --build-arg BASE=mcr.microsoft.com/dotnet/runtime-deps@sha256:...
ARG BASE=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled
FROM ${BASE}

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="maintenance-webhost" \
      org.opencontainers.image.description="Auth server on Redis and PostgreSQL" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"

WORKDIR /app
# Owned by root, so that the process cannot change its own program; the root file system can be read-only.
COPY artifacts/publish/webhost/ ./

# What a host writes (journal of revocations, avatars) goes to a volume here; a new volume takes the owner from the image.
COPY --chown=1654:1654 deploy/docker/data/ /data/

# Probes come from outside the container; the diagnostics port would need a writable /tmp. TLS fails where neither HOME nor /etc/passwd names a
# home, as for the random users of some clusters.
ENV DOTNET_RUNNING_IN_CONTAINER=true \
    HOME=/tmp \
    DOTNET_EnableDiagnostics=0 \
    Logging__Console__FormatterName=json
EXPOSE 8080 8082
USER 1654:1654
ENTRYPOINT ["/app/Maintenance.WebHost"]

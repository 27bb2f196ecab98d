# The image of the action.
#
#   docker build .                                       builds tieline, from the sources
#   docker build --target prebuilt .                     takes the binary that is there as dist/tieline, as CI does
#   docker build --build-arg TERRAFORM_URL=https://… --build-arg TERRAFORM_SHA256=… .
#                                                        with a terraform in it, for those who want one version for all
#
# Building from the sources takes BuildKit, which Docker has used by itself since version 23. The builder before it builds every
# stage on its way, so `prebuilt` stands before the one that compiles: that target can be built by either.
#
# The base images are named by tag. To pin one, put its digest behind the tag (`debian:trixie-slim@sha256:…`); dependabot keeps
# it up to date from then on.

# The binary of Terraform, or nothing.
FROM debian:trixie-slim AS terraform
# The archive of a release for this architecture, from the vendor or a mirror of your own.
ARG TERRAFORM_URL
# Its checksum, as the SHA256SUMS file of the release says it.
ARG TERRAFORM_SHA256
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /terraform/bin
# hadolint ignore=DL3008
RUN if [[ -n $TERRAFORM_URL ]]; then \
      apt-get update && apt-get install --yes --no-install-recommends ca-certificates curl unzip \
      && curl --fail --silent --show-error --location --output /tmp/terraform.zip "$TERRAFORM_URL" \
      && echo "$TERRAFORM_SHA256  /tmp/terraform.zip" | sha256sum --check --strict \
      && unzip -q /tmp/terraform.zip terraform; \
    fi

# All but tieline. git fetches plugins and modules, and writes the context repository. A runner in Kubernetes starts an action by
# `sh`, `env`, `tail` and `tar`, which the base has. There is no ssh: plugins and contexts are reached over HTTPS with a token.
FROM debian:trixie-slim AS base
# Versions are those of the base's release: a mirror keeps only the newest of each, with its security fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git \
    && rm -rf /var/lib/apt/lists/*
COPY --from=terraform /terraform/bin/ /usr/local/bin/
# A runner names the program of each stage by its path alone, so the last stage, which cleans up, is a name of the same program.
RUN ln -s tieline /usr/local/bin/tieline-post
# No USER: whose the workspace is, is known only when it runs. The program becomes that user before it does anything else.
ENTRYPOINT ["/usr/local/bin/tieline"]

FROM base AS prebuilt
ARG BINARY=dist/tieline
COPY ${BINARY} /usr/local/bin/tieline

FROM rust:1.95-slim-trixie AS build
WORKDIR /build
# The dependencies have a layer of their own, which a change of the sources leaves alone.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && touch src/lib.rs && echo 'fn main() {}' >src/main.rs \
    && cargo build --release --locked --bin tieline \
    && rm -r src
COPY src src
# Cargo goes by the time of a file, and these may be older than what was compiled in their place.
RUN touch src/lib.rs src/main.rs && cargo build --release --locked --bin tieline

FROM base
COPY --from=build /build/target/release/tieline /usr/local/bin/tieline

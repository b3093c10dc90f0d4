# syntax=docker/dockerfile:1

# The binary is linked statically against glibc, so that the image holds it,
# the certificates of the public authorities, and nothing else.
FROM rust:1.95-bookworm AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /src
COPY . .
ENV RUSTFLAGS="-C target-feature=+crt-static"
# With the target named, the flags do not reach build scripts and macros.
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
    && cargo build --locked --profile dist --target "$target" \
    && install -D "target/$target/dist/bakewatch" /image/usr/bin/bakewatch \
    && install -D -m 0644 /etc/ssl/certs/ca-certificates.crt -t /image/etc/ssl/certs \
    && install -d -m 0750 -o 65532 -g 65532 /image/var/lib/bakewatch

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bakewatch" \
      org.opencontainers.image.description="Stands watch over a release through its first day and its first week" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /image/ /
# A number: there is no file of users, and Kubernetes sees that it is not root.
USER 65532:65532
ENV STATE_DIRECTORY=/var/lib/bakewatch
VOLUME /var/lib/bakewatch
# SIGTERM lets owed letters go out before the end, for up to 20 s.
STOPSIGNAL SIGTERM
# The program asks itself: has the loop turned within the last minute?
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/bin/bakewatch", "status", "--check"]
ENTRYPOINT ["/usr/bin/bakewatch"]
CMD ["--help"]

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
COPY --from=build /image/ /
USER 65532:65532
ENV STATE_DIRECTORY=/var/lib/bakewatch
VOLUME /var/lib/bakewatch
# SIGTERM lets owed letters go out before the end.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/bakewatch"]
CMD ["--help"]

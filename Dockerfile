# Builds encore, then puts the program alone into a small image. A project is mounted at /project:
#
#     docker build -t encore .
#     docker run --rm -v "$PWD:/project" encore reproduce --quick
FROM rust:1.95-bookworm AS build
WORKDIR /encore
COPY . .
RUN cargo build --profile dist --locked --bin encore

FROM debian:bookworm-slim
# Certificates, to fetch datasets and playlists.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /encore/target/dist/encore /usr/local/bin/encore
WORKDIR /project
ENTRYPOINT ["encore"]
CMD ["help"]

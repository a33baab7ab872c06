# syntax=docker/dockerfile:1
# The production image: the slim build, which is one static file without the Temporal server.

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -tags slim -trimpath -buildvcs=false \
    -ldflags "-s -w -X github.com/holdfast-dev/holdfast/internal/buildinfo.Version=${VERSION}" \
    -o /out/holdfast ./cmd/holdfast

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/holdfast /holdfast
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/holdfast"]
CMD ["--help"]

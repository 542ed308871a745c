#!/bin/sh
# Writes the lock files anew from the ranges of pyproject.toml: `make lock`. They carry hashes and no index address.
set -eu
compile() {
    out=$1
    shift
    uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url \
        --no-emit-find-links --quiet "$@" --output-file "requirements/$out.txt" >/dev/null
}
compile embedded pyproject.toml
compile dev pyproject.toml --group dev
for service in ingest publish recommend flower; do
    compile "$service" --group "$service"
done

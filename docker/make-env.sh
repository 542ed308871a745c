#!/bin/sh
# Writes .env: .env.example with every secret made up. An .env that is there stays as it is.
#   sh docker/make-env.sh [FILE]
set -eu
umask 077

example=$(dirname "$0")/../.env.example
file=${1:-$(dirname "$0")/../.env}

if [ -e "$file" ]; then
    echo "$file is there already; its secrets are in use, so it is left alone." >&2
    exit 1
fi

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

while IFS= read -r line; do
    case $line in
    [A-Z]*=) printf '%s%s\n' "$line" "$(random)" ;;
    *) printf '%s\n' "$line" ;;
    esac
done <"$example" >"$file"

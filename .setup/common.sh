# shellcheck shell=sh disable=SC2034
# Sourced by the scripts beside it, each of which works from the top of the clone.
set -eu
cd "$(dirname "$0")/.."

# Make puts `.venv/bin` first in PATH; what is checked and installed here is the machine's own.
PATH=${PATH#"$PWD/.venv/bin:"}

# What several clones share: it can be deleted at any time and is fetched again.
cache=${XDG_CACHE_HOME:-${HOME:?is not set: set HOME or XDG_CACHE_HOME, then run make again}/.cache}/travelsense

step=$(basename "$0")

say() {
    printf '%s: %s\n' "$step" "$*"
}

fail() {
    printf '%s: %s\n' "$step" "$*" >&2
    exit 1
}

# checksum BITS FILE
checksum() {
    if command -v "sha${1}sum" >/dev/null 2>&1; then
        "sha${1}sum" "$2"
    else
        shasum -a "$1" "$2"
    fi | cut -d ' ' -f 1
}

# stamped FILE TEXT: whether FILE holds TEXT
stamped() {
    [ "$(cat "$1" 2>/dev/null)" = "$2" ]
}

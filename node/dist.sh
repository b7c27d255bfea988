#!/bin/sh
# Builds the npm packages for this platform, with DuckDB compiled in, and puts them into `dist` at the top of the clone.
set -eu
cd "$(dirname "$0")"

cargo build --release --locked --package travelsense-node --features bundled
folder=$(../.setup/folder)/release
for library in "$folder/libtravelsense_node.so" "$folder/libtravelsense_node.dylib"; do
    if [ -f "$library" ]; then
        strip -x -o travelsense.node.new "$library"
        mv travelsense.node.new travelsense.node
    fi
done

npm run build
staged=$(mktemp -d)
trap 'rm -rf "$staged"' EXIT
node stage.mjs "$staged" travelsense.node
mkdir -p ../dist
for package in "$staged"/*; do
    npm pack "$package" --pack-destination ../dist
done

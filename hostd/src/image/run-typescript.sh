#!/bin/sh
# run-typescript FILE [ARGUMENT...]: leave the types of a TypeScript program away, and run what is left with Node.js.
#
# What FILE imports from files beside it is taken in; packages are found where Node.js finds them for FILE. It is run as
# a CommonJS program, as ts-node would, or as a module if it awaits something at its top. Types are not checked: tsc does.

set -u
if [ $# -eq 0 ]; then
    echo 'usage: run-typescript FILE [ARGUMENT...]' >&2
    exit 2
fi
file=$1
shift
place=$(dirname "$file")
[ -w "$place" ] || place=/tmp
program=$(mktemp "$place/.typescript-XXXXXXXX") || exit 1
trap 'rm -f "$program" "$program.cjs" "$program.mjs"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

strip() {
    esbuild "$file" --loader:.ts=ts --bundle --packages=external --platform=node --target=node18 --sourcemap=inline \
        --log-level="$1" --format="$2" --outfile="$3"
}

if strip silent cjs "$program.cjs"; then
    node --enable-source-maps "$program.cjs" "$@"
elif strip error esm "$program.mjs"; then
    node --enable-source-maps "$program.mjs" "$@"
else
    exit 1
fi

#!/bin/sh
# Installs watcher and what it needs at run time, nothing else, from this checkout:
#
#   sudo sh deploy/install.sh /opt/watcher
#
# Every package is fetched by its hash in requirements.lock; only those that were go in. An older
# installation in the folder comes back if anything fails. Needs python3 3.11+ with venv.
set -eu
target=$(realpath -m "${1:?usage: install.sh FOLDER}")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
undo() {
    rm -rf "$work"
    [ ! -e "$target.old" ] || { rm -rf "$target" && mv "$target.old" "$target"; }
}
trap undo EXIT
umask 022

"${PYTHON:-python3}" -m venv "$work/build"
pip="$work/build/bin/python -m pip --disable-pip-version-check --quiet"
$pip download --require-hashes --only-binary :all: --dest "$work/wheels" -r requirements.lock
$pip install --no-index --find-links "$work/wheels" hatchling
$pip wheel --no-deps --no-build-isolation --wheel-dir "$work/wheels" .

[ ! -e "$target" ] || mv "$target" "$target.old"
"${PYTHON:-python3}" -m venv --without-pip "$target"
$pip --python "$target/bin/python" install --no-index --find-links "$work/wheels" 'watcher[postgres]'
"$target/bin/watcher" --version
rm -rf "$target.old"

#!/bin/sh
# Installs the scanner of this checkout of Stanch into FOLDER, a new environment: `install.sh FOLDER`.
#
# It is called where a pull request is checked out, and nothing of that may run: a module of its own
# (`venv.py`, `pip.py`, `sitecustomize.py`) would be found first in the current directory. So Python
# runs from elsewhere and isolated (-I), and each package has one version and a hash.
set -eu
stanch=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
mkdir -p -- "$1"
folder=$(CDPATH='' cd -- "$1" && pwd -P)
cd "$stanch"
"${STANCH_PYTHON:-python3}" -I -m venv "$folder"
pip() { "$folder/bin/python" -I -m pip install --quiet --no-compile --disable-pip-version-check "$@"; }
pip --require-hashes -r requirements/build.txt -r requirements/scan.txt
pip --no-deps --no-build-isolation .

#!/bin/sh
# Makes the virtual environment $1 with the pinned dependencies and this project in it.
# Safe to run again: an environment of another Python, or a half-made one, is replaced.
set -eu
venv=$1
here=$(cd "$(dirname "$0")/.." && pwd)

supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; }

python=
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
  if supported "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
  echo "zccvoice needs Python 3.11, 3.12 or 3.13; none found (set PYTHON=/path/to/python)." >&2
  exit 2
fi

if ! [ -x "$venv/bin/python" ] || ! supported "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  rm -rf "$venv"
  if ! "$python" -m venv "$venv"; then
    rm -rf "$venv"
    echo "Could not make a virtual environment with $python; on Debian: apt-get install python3-venv" >&2
    exit 2
  fi
fi
echo "Installing the pinned dependencies into $venv ..." >&2
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.lock"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e "$here"

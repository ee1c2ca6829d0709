# SPDX-License-Identifier: MIT
# Sourced by scripts/site.sh and scripts/notebooks.sh, in the folder of the project.
# install_tools REQUIREMENTS: installs them by pip into build/docs-venv. It is apart from build/venv, whose packages are those of
# Debian: scanpy and cell-eval need newer ones.
install_tools() {
    local stamp
    stamp=build/docs-venv/$(echo "$1" | tr / _)
    cmp -s "$1" "$stamp" && return
    mkdir -p build
    [ -x build/docs-venv/bin/pip ] || "$(command -v /usr/bin/python3 || command -v python3)" -m venv build/docs-venv
    build/docs-venv/bin/pip install -q --disable-pip-version-check -r "$1"
    cp "$1" "$stamp"
}

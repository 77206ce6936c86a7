#!/usr/bin/env bash
# Headless Chromium (Debian's package) driven by playwright (PyPI), with axe-core (npm). No server:
# `start` installs, and prints what a test needs.
RIG_NAME=chromium RIG_PORT_DEFAULT=0
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PLAYWRIGHT=1.65.2 AXE=4.14.1
DIR=$RIG_CACHE/playwright-$PLAYWRIGHT
AXE_DIR=$RIG_CACHE/axe-core-$AXE
install_locked() {
  apt_install chromium fonts-dejavu-core fonts-noto-color-emoji
  if [ ! -f "$DIR/.ready" ]; then
    python3 -m venv "$DIR"
    "$DIR/bin/pip" install -q --disable-pip-version-check "playwright==$PLAYWRIGHT" >&2
    touch "$DIR/.ready"
  fi
  command -v npm > /dev/null || apt_install npm # from elsewhere it may not go together with Debian's
  if [ ! -f "$AXE_DIR/.ready" ]; then
    mkdir -p "$AXE_DIR"
    npm install --silent --no-audit --no-fund --prefix "$AXE_DIR" "axe-core@$AXE" >&2
    touch "$AXE_DIR/.ready"
  fi
}
rig_install() { with_lock chromium install_locked; }
rig_start() {
  emit CHROMIUM_PATH /usr/bin/chromium
  emit PLAYWRIGHT_PYTHON "$DIR/bin/python"
  emit AXE_FILE "$AXE_DIR/node_modules/axe-core/axe.min.js"
}
rig_main "$@"

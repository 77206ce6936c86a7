#!/usr/bin/env bash
# Headless Chromium (Debian's package) driven by playwright (PyPI), and axe-core (npm), which judges
# pages. No server: `start` installs them and prints what `look.py` needs. See tests/servers/browser.py.
RIG_NAME=chromium RIG_PORT_DEFAULT=0
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
VERSION=1.65.2 AXE_VERSION=4.14.1
DIR=$RIG_CACHE/playwright-$VERSION-axe-$AXE_VERSION
install_locked() {
  apt_install chromium fonts-dejavu-core fonts-noto-color-emoji fonts-noto-cjk
  [ -f "$DIR/.ready" ] && return
  say "installing playwright $VERSION and axe-core $AXE_VERSION"
  python3 -m venv "$DIR"
  "$DIR/bin/pip" install -q --disable-pip-version-check "playwright==$VERSION" >&2
  cd "$DIR"
  echo '{"private":true}' > package.json
  npm install --ignore-scripts "axe-core@$AXE_VERSION" >&2
  touch .ready
}
rig_install() { with_lock chromium install_locked; }
rig_start() {
  emit CHROMIUM_PATH /usr/bin/chromium
  emit PLAYWRIGHT_PYTHON "$DIR/bin/python"
  emit AXE "$DIR/node_modules/axe-core/axe.min.js"
}
rig_main "$@"

#!/usr/bin/env bash
# The platforms' own published code for counting: X's twitter-text and Bluesky's @atproto/api (npm).
# No server: `start` installs them and prints where `counting.mjs` lies beside them.
RIG_NAME=counting RIG_PORT_DEFAULT=0
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
TWITTER_TEXT=3.1.0 ATPROTO_API=0.19.19
DIR=$RIG_CACHE/counting-$TWITTER_TEXT-$ATPROTO_API
install_locked() {
  if [ ! -f "$DIR/.ready" ]; then
    say "installing twitter-text $TWITTER_TEXT and @atproto/api $ATPROTO_API"
    mkdir -p "$DIR"; cd "$DIR"
    echo '{"private":true}' > package.json
    npm install --ignore-scripts "twitter-text@$TWITTER_TEXT" "@atproto/api@$ATPROTO_API" >&2
    touch .ready
  fi
  cp "$RIG_HERE/counting.mjs" "$DIR/counting.mjs"
}
rig_install() { with_lock counting install_locked; }
rig_start() { emit COUNTING "$DIR/counting.mjs"; }
rig_main "$@"

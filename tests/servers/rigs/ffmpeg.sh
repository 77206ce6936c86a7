#!/usr/bin/env bash
# ffmpeg and ffprobe (Debian): real videos for the tests. No server.
RIG_NAME=ffmpeg RIG_PORT_DEFAULT=0
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
rig_install() { with_lock apt apt_install ffmpeg; }
rig_start() { emit FFMPEG "$(command -v ffmpeg)"; }
rig_main "$@"

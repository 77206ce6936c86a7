#!/usr/bin/env bash
# Matrix: Synapse (PyPI matrix-synapse) with SQLite on 127.0.0.1, federation off, one user with an
# access token, one room. RIG_MATRIX_RATE_LIMITS=1 keeps Synapse's own limits (M_LIMIT_EXCEEDED).
RIG_NAME=matrix RIG_PORT_DEFAULT=8008
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
VERSION=1.163.2
DIR=$RIG_CACHE/synapse-$VERSION
install_locked() {
  [ -f "$DIR/.ready" ] && return
  say "installing matrix-synapse $VERSION (a minute, once)"
  python3 -m venv "$DIR"
  "$DIR/bin/pip" install -q --disable-pip-version-check "matrix-synapse==$VERSION" >&2
  touch "$DIR/.ready"
}
rig_install() { with_lock synapse install_locked; }
json() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

rig_start() {
  local port=$1 url=http://127.0.0.1:$1 d=$RIG_HOME user=${MATRIX_USER:-rig} password=${MATRIX_PASSWORD:-rig-password}
  local secret; secret=$(openssl rand -hex 16)
  cat > "$d/homeserver.yaml" <<YAML
server_name: rig.test
public_baseurl: $url/
report_stats: false
signing_key_path: $d/signing.key
media_store_path: $d/media
max_upload_size: 50M
registration_shared_secret: $secret
trusted_key_servers: []
federation_domain_whitelist: []
listeners:
  - {port: $port, type: http, bind_addresses: ['127.0.0.1'], resources: [{names: [client]}]}
database: {name: sqlite3, args: {database: $d/homeserver.db}}
log_config: $d/log.yaml
YAML
  [ "${RIG_MATRIX_RATE_LIMITS:-0}" = 1 ] || cat >> "$d/homeserver.yaml" <<'YAML'
rc_message: {per_second: 10000, burst_count: 10000}
rc_room_creation: {per_second: 1000, burst_count: 1000}
rc_login: {address: {per_second: 1000, burst_count: 1000}, account: {per_second: 1000, burst_count: 1000}, failed_attempts: {per_second: 1000, burst_count: 1000}}
rc_joins: {local: {per_second: 1000, burst_count: 1000}}
YAML
  cat > "$d/log.yaml" <<'YAML'
version: 1
formatters: {f: {format: '%(asctime)s %(levelname)s %(name)s %(message)s'}}
handlers: {c: {class: logging.StreamHandler, formatter: f}}
root: {level: WARNING, handlers: [c]}
YAML
  "$DIR/bin/python" -m synapse.app.homeserver -c "$d/homeserver.yaml" --generate-keys >> "$d/setup.log" 2>&1
  spawn synapse "$DIR/bin/python" -m synapse.app.homeserver -c "$d/homeserver.yaml"
  wait_http synapse "$url/_matrix/client/versions" 120
  "$DIR/bin/register_new_matrix_user" -c "$d/homeserver.yaml" -u "$user" -p "$password" --no-admin "$url" >> "$d/setup.log" 2>&1 \
    || { cat "$d/setup.log" >&2; rig_stop; die "registering failed"; }
  curl -sf -X POST "$url/_matrix/client/v3/login" -H 'content-type: application/json' \
    -d "{\"type\":\"m.login.password\",\"identifier\":{\"type\":\"m.id.user\",\"user\":\"$user\"},\"password\":\"$password\"}" > "$d/login.json"
  local token; token=$(json access_token < "$d/login.json")
  curl -sf -X POST "$url/_matrix/client/v3/createRoom" -H "authorization: Bearer $token" \
    -H 'content-type: application/json' -d '{"preset":"public_chat","name":"rig"}' > "$d/room.json"
  emit MATRIX_URL "$url"
  emit MATRIX_USER_ID "$(json user_id < "$d/login.json")"
  emit MATRIX_PASSWORD "$password"
  emit MATRIX_ACCESS_TOKEN "$token"
  emit MATRIX_ROOM_ID "$(json room_id < "$d/room.json")"
}
rig_main "$@"

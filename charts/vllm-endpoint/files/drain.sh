#!/bin/bash
# The preStop hook: ends when no request is left, or when its time is spent. Envoy itself cuts all streams at SIGTERM.
#
# drain.sh ADMIN_PORT PROPAGATION_SECONDS DRAIN_SECONDS
port=$1 propagation=$2 drain=$3

# The image has no curl, and the admin interface listens on the loopback alone.
admin() {
  exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
  printf '%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "$1" "$2" >&3
  cat <&3
  exec 3>&-
}

active() {
  admin GET '/stats?filter=%5Ehttp%5C.api%5C.downstream_rq_active$' | sed -n 's/^http.api.downstream_rq_active: \([0-9]*\).*/\1/p'
}

# Answers ask clients to connect anew (`Connection: close`), and new requests are still served: the cluster takes a while
# to learn that this pod goes.
admin POST /healthcheck/fail >/dev/null
sleep "$propagation"
admin POST '/drain_listeners?graceful&skip_exit' >/dev/null
SECONDS=0
while [ "$SECONDS" -lt "$drain" ] && [ "$(active)" != 0 ]; do
  sleep 0.5
done

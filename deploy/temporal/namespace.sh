#!/bin/sh
# One shot, safe to run again: the namespace with its retention. TEMPORAL_ADDRESS says where the server is.
set -eu

set -- --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace update "$@" >/dev/null
else
  temporal operator namespace create "$@" --description "Attribution (GAMF)" >/dev/null
fi

# The server's parts learn of a new namespace some seconds after it is made.
tries=60
until temporal workflow list --namespace "$TEMPORAL_NAMESPACE" --limit 1 >/dev/null 2>&1; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { echo "The namespace $TEMPORAL_NAMESPACE does not answer." >&2; exit 1; }
  sleep 1
done
echo "Namespace $TEMPORAL_NAMESPACE: closed workflows are kept $RETENTION."

#!/bin/sh
# Makes the namespace, once Temporal serves. It may run any number of times.
set -eu

for _ in $(seq 60); do
  if temporal operator cluster health >/dev/null 2>&1; then break; fi
  sleep 1
done
temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
# A namespace is known to every part of the server only after some seconds.
for _ in $(seq 60); do
  if temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then exit 0; fi
  sleep 1
done
echo "namespace $TEMPORAL_NAMESPACE is not there" >&2
exit 1

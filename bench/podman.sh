#!/bin/bash
# The same with podman and runc, each service a container of an image with nothing but the program.
#
#   podman.sh SERVICES PROGRAM [COMMAND…]         as root
#
# As by_hand.sh. Images and containers are kept in the folder $PODMAN_BENCH; the first run in it
# makes the image. The limits are named because podman sets higher ones by default than an already
# limited caller may have.
set -eu
if [ -z "${PODMAN_INSIDE:-}" ]; then
  export PODMAN_INSIDE=1
  exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi
services=$1 program=$2
shift 2

podman() {
  command podman --root "$PODMAN_BENCH/root" --runroot "$PODMAN_BENCH/run" --runtime runc "$@"
}
ip link set lo up
if ! podman image exists isoenv-bench; then
  tar -C "$(dirname "$program")" -c "$(basename "$program")" | podman import -q - isoenv-bench
fi >&2

containers=
for ((i = 0; i < services; i++)); do
  containers="$containers $(podman run --detach --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
    isoenv-bench "/$(basename "$program")" 8080)"
done
if [ -n "$containers" ]; then
  for address in $(podman inspect --format '{{.NetworkSettings.IPAddress}}' $containers); do
    until (: <"/dev/tcp/$address/8080") 2>/dev/null; do sleep 0.01; done
  done
fi

if [ $# -gt 0 ]; then
  "$@"
else
  echo ready
  read -r _ || true
fi

[ -z "$containers" ] || podman rm --force --time 0 $containers >/dev/null

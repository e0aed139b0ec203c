#!/bin/bash
# The same private network by hand, as such scripts are written: for each service a network
# namespace of `ip netns` and a veth pair into a bridge; asked in turn until it listens; at the end
# everything is removed again.
#
#   by_hand.sh SERVICES PROGRAM [COMMAND…]        as root
#
# Runs COMMAND beside the services; without one it says `ready`, and stays until its standard input
# ends. All of it is in namespaces of its own, so that nothing can stay on the machine.
set -eu
if [ -z "${BY_HAND_INSIDE:-}" ]; then
  export BY_HAND_INSIDE=1
  exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi
services=$1 program=$2
shift 2

mkdir -p /run/netns
mount -t tmpfs none /run/netns
ip link set lo up
ip link add br0 type bridge
ip addr add 10.80.0.1/16 dev br0
ip link set br0 up

pids=
for ((i = 0; i < services; i++)); do
  ip netns add "s$i"
  ip link add "v$i" type veth peer name eth0 netns "s$i"
  ip link set "v$i" master br0 up
  ip -n "s$i" addr add "10.80.$(((i + 2) / 256)).$(((i + 2) % 256))/16" dev eth0
  ip -n "s$i" link set lo up
  ip -n "s$i" link set eth0 up
  ip netns exec "s$i" "$program" 8080 &
  pids="$pids $!"
done
for ((i = 0; i < services; i++)); do
  until [ -n "$(ip netns exec "s$i" ss -Hltn 'sport = :8080')" ]; do sleep 0.01; done
done

if [ $# -gt 0 ]; then
  "$@"
else
  echo ready
  read -r _ || true
fi

if [ -n "$pids" ]; then
  kill $pids
  wait $pids || true
fi
for ((i = 0; i < services; i++)); do ip netns del "s$i"; done
ip link del br0

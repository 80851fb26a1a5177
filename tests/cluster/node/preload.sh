#!/bin/sh
# Runs inside the node's file tree while the image is built: starts the node's own
# containerd for a moment and has it import the archives that lie beside this script.
# The images are not unpacked: that would store everything twice in the image, and a
# container's first start does it anyway.
set -eu
here=/preload
address=$here/containerd.sock
cat >"$here/containerd.toml" <<TOML
version = 2
root = "/var/lib/containerd"
state = "$here/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.restart"]
[grpc]
  address = "$address"
TOML
containerd --config "$here/containerd.toml" &
daemon=$!
trap 'kill "$daemon" 2>/dev/null' EXIT

attempts=100
until ctr --address "$address" version >/dev/null 2>&1; do
	attempts=$((attempts - 1))
	if [ "$attempts" = 0 ]; then
		echo "containerd did not start; what it printed is above" >&2
		exit 1
	fi
	sleep 0.1
done
for archive in "$here"/*.tar; do
	ctr --address "$address" --namespace k8s.io images import --no-unpack --digests "$archive"
done
ctr --address "$address" --namespace k8s.io images list --quiet
kill "$daemon"
wait "$daemon" || true # it ends with the signal's code
trap - EXIT

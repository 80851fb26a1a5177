package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"log"
	"os"
	"path/filepath"
)

const conflistPath = "/etc/cni/net.d/10-pods.conflist"

// writeConflist tells the container runtime how to connect a pod: a veth pair, an
// address from this node's range, and host ports. The node becomes Ready once the
// file is there, so it is renamed into place and never seen half-written.
func writeConflist(podCIDR string) error {
	content, err := json.MarshalIndent(map[string]any{
		"cniVersion": "0.4.0",
		"name":       "pods",
		"plugins": []any{
			map[string]any{
				"type":   "ptp",
				"ipMasq": false, // done once per node, see masquerade.go
				"mtu":    1500,
				"ipam": map[string]any{
					"type": "host-local",
					// on tmpfs: leases must not outlive the pods when a node restarts
					"dataDir": "/run/cni-ipam",
					"routes":  []any{map[string]any{"dst": "0.0.0.0/0"}},
					"ranges":  []any{[]any{map[string]any{"subnet": podCIDR}}},
				},
			},
			map[string]any{"type": "portmap", "capabilities": map[string]any{"portMappings": true}},
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	present, err := os.ReadFile(conflistPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if bytes.Equal(present, content) {
		return nil
	}
	unfinished := filepath.Join(filepath.Dir(conflistPath), ".unfinished")
	if err := os.WriteFile(unfinished, content, 0o644); err != nil {
		return err
	}
	log.Printf("pods of this node get addresses from %s", podCIDR)
	return os.Rename(unfinished, conflistPath)
}

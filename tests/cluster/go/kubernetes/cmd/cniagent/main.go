// Command cniagent is the pod network of the offline test cluster. One runs on each
// node (DaemonSet, host network). It watches the Node objects and keeps three things
// in step with them: the CNI configuration that kubelet's container runtime reads, a
// route to every other node's pods, and the source NAT for traffic that leaves the
// pod subnet.
//
// Invariant: every sync is computed from all that the API server reports and can be
// repeated at any time; nothing is remembered between syncs.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// Repair what somebody else changed on the node (a flushed table, a deleted route).
const repairInterval = 30 * time.Second

func main() {
	log.SetFlags(log.Ltime | log.Lmsgprefix)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, mustEnv("NODE_NAME"), mustEnv("POD_SUBNET")); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, nodeName, podSubnet string) error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	nodes := factory.Core().V1().Nodes()

	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default: // a sync is due already and will see this change too
		}
	}
	if _, err := nodes.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())

	network := podNetwork{nodeName: nodeName, podSubnet: podSubnet, nodes: nodes.Lister()}
	for {
		if err := network.sync(ctx); err != nil {
			log.Printf("sync: %v (trying again)", err)
			time.AfterFunc(time.Second, notify)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-time.After(repairInterval):
		}
	}
}

func mustEnv(name string) string {
	value := os.Getenv(name)
	if value == "" {
		log.Fatalf("%s is not set; the DaemonSet in default-cni.yaml sets it", name)
	}
	return value
}

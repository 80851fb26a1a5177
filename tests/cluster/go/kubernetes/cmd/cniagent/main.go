// Command cniagent is the pod network of the offline test cluster. One runs on each
// node (DaemonSet, host network). It watches the API server and keeps four things in
// step with it: the CNI configuration that kubelet's container runtime reads, a route
// to every other node's pods, the source NAT for traffic that leaves the pod subnet,
// and the packet filter for what NetworkPolicies forbid to the pods of this node.
//
// Invariant: every sync is computed from all that the API server reports and can be
// repeated at any time; what happened before doesn't matter to it.
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

const (
	// Repair what somebody else changed on the node (a flushed table, a deleted route).
	repairInterval = 30 * time.Second
	// Changes come in bursts; one sync serves all that arrive in this time.
	gatherInterval = 50 * time.Millisecond
)

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
	network := podNetwork{
		nodeName:   nodeName,
		podSubnet:  podSubnet,
		nodes:      factory.Core().V1().Nodes().Lister(),
		pods:       factory.Core().V1().Pods().Lister(),
		namespaces: factory.Core().V1().Namespaces().Lister(),
		policies:   factory.Networking().V1().NetworkPolicies().Lister(),
	}
	changed := make(chan struct{}, 1)
	for _, informer := range []cache.SharedIndexInformer{
		factory.Core().V1().Nodes().Informer(),
		factory.Core().V1().Pods().Informer(),
		factory.Core().V1().Namespaces().Informer(),
		factory.Networking().V1().NetworkPolicies().Informer(),
	} {
		if _, err := informer.AddEventHandler(wake(changed)); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return keepInStep(ctx, &network, changed)
}

func keepInStep(ctx context.Context, network *podNetwork, changed chan struct{}) error {
	for {
		if err := network.sync(ctx); err != nil {
			log.Printf("sync: %v (trying again)", err)
			time.AfterFunc(time.Second, func() { notify(changed) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			time.Sleep(gatherInterval)
		case <-time.After(repairInterval):
		}
	}
}

func wake(changed chan struct{}) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify(changed) },
		UpdateFunc: func(any, any) { notify(changed) },
		DeleteFunc: func(any) { notify(changed) },
	}
}

func notify(changed chan struct{}) {
	select {
	case changed <- struct{}{}:
	default: // a sync is due already and will see this change too
	}
}

func mustEnv(name string) string {
	value := os.Getenv(name)
	if value == "" {
		log.Fatalf("%s is not set; the DaemonSet in default-cni.yaml sets it", name)
	}
	return value
}

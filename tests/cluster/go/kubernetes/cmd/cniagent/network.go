package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	networkinglisters "k8s.io/client-go/listers/networking/v1"
)

type podNetwork struct {
	nodeName   string
	podSubnet  string
	nodes      corelisters.NodeLister
	pods       corelisters.PodLister
	namespaces corelisters.NamespaceLister
	policies   networkinglisters.NetworkPolicyLister
	filter     packetFilter
}

// sync brings this node in line with the API server. It goes on after an error, so
// that one node's bad address doesn't cut off the others.
func (network *podNetwork) sync(ctx context.Context) error {
	nodes, err := network.nodes.List(labels.Everything())
	if err != nil {
		return err
	}
	var problems []error
	for _, node := range nodes {
		switch {
		case node.Spec.PodCIDR == "":
			continue // the controller manager has not assigned one yet; its update wakes us
		case node.Name == network.nodeName:
			// Rules before configuration: no pod starts before they are there.
			problems = append(problems, network.syncFilter(ctx), writeConflist(node.Spec.PodCIDR))
		default:
			problems = append(problems, routePods(node))
		}
	}
	return errors.Join(problems...)
}

func (network *podNetwork) syncFilter(ctx context.Context) error {
	pods, err := network.pods.List(labels.Everything())
	if err != nil {
		return err
	}
	namespaces, err := network.namespaces.List(labels.Everything())
	if err != nil {
		return err
	}
	policies, err := network.policies.List(labels.Everything())
	if err != nil {
		return err
	}
	chains, err := newPolicyWorld(pods, namespaces, policies).chains(network.nodeName)
	// A policy that cannot be understood must not lift the others.
	return errors.Join(err, network.filter.apply(ctx, network.podSubnet, chains))
}

// routePods sends traffic for the pods of another node to that node's address. All
// nodes share one Docker network, so no tunnel is needed.
func routePods(node *corev1.Node) error {
	_, pods, err := net.ParseCIDR(node.Spec.PodCIDR)
	if err != nil {
		return fmt.Errorf("node %s: %w", node.Name, err)
	}
	for _, address := range node.Status.Addresses {
		if address.Type != corev1.NodeInternalIP {
			continue
		}
		gateway := net.ParseIP(address.Address).To4()
		if gateway == nil {
			continue
		}
		if err := netlink.RouteReplace(&netlink.Route{Dst: pods, Gw: gateway}); err != nil {
			return fmt.Errorf("route to pods of %s (%s via %s): %w", node.Name, pods, gateway, err)
		}
		return nil
	}
	return nil
}

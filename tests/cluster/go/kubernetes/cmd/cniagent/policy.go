package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// policyWorld is all that NetworkPolicies can speak of. Turning it into rules is pure:
// the same world gives the same rules in the same order.
type policyWorld struct {
	pods       []*corev1.Pod // running, with an address of the pod network, by address
	namespaces map[string]labels.Set
	policies   []*networkingv1.NetworkPolicy
}

type policyChains struct{ egress, ingress []podChain }

func newPolicyWorld(
	pods []*corev1.Pod, namespaces []*corev1.Namespace, policies []*networkingv1.NetworkPolicy,
) policyWorld {
	world := policyWorld{namespaces: map[string]labels.Set{}, policies: slices.Clone(policies)}
	for _, pod := range pods {
		ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if !ended && !pod.Spec.HostNetwork && pod.Status.PodIP != "" {
			world.pods = append(world.pods, pod)
		}
	}
	slices.SortFunc(world.pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Status.PodIP, b.Status.PodIP) })
	for _, namespace := range namespaces {
		world.namespaces[namespace.Name] = namespace.Labels
	}
	slices.SortFunc(world.policies, func(a, b *networkingv1.NetworkPolicy) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return world
}

// chains returns one chain for each direction of each pod of the node that a policy
// restricts. A policy it cannot understand allows nothing and is an error besides.
func (world policyWorld) chains(nodeName string) (policyChains, error) {
	var chains policyChains
	var problems []error
	for _, pod := range world.pods {
		if pod.Spec.NodeName != nodeName {
			continue
		}
		address := pod.Status.PodIP
		egress := podChain{name: "from-" + address, matches: "ip saddr " + address}
		ingress := podChain{name: "to-" + address, matches: "ip daddr " + address}
		restricted := map[networkingv1.PolicyType]bool{}
		for _, policy := range world.policies {
			selected, err := selects(&policy.Spec.PodSelector, pod.Labels)
			problems = append(problems, err)
			if policy.Namespace != pod.Namespace || !selected {
				continue
			}
			for _, direction := range policy.Spec.PolicyTypes {
				restricted[direction] = true
			}
			for _, rule := range policy.Spec.Ingress {
				traffic, err := world.traffic("ip saddr", policy.Namespace, rule.From, rule.Ports, pod)
				ingress.allowed, problems = append(ingress.allowed, traffic...), append(problems, err)
			}
			for _, rule := range policy.Spec.Egress {
				traffic, err := world.traffic("ip daddr", policy.Namespace, rule.To, rule.Ports, nil)
				egress.allowed, problems = append(egress.allowed, traffic...), append(problems, err)
			}
		}
		if restricted[networkingv1.PolicyTypeEgress] {
			chains.egress = append(chains.egress, egress)
		}
		if restricted[networkingv1.PolicyTypeIngress] {
			chains.ingress = append(chains.ingress, ingress)
		}
	}
	return chains, errors.Join(problems...)
}

// peerMatch is an expression for one group of peers, and the pods in it, if they are
// pods: a port's name means what those pods call so.
type peerMatch struct {
	expression string
	pods       []*corev1.Pod
}

// traffic returns the expressions of one rule: every peer with every port. The receiver
// is the pod whose ports are named, or nil if the peers' ports are.
func (world policyWorld) traffic(
	side, namespace string, peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort, receiver *corev1.Pod,
) ([]string, error) {
	matches, err := world.peers(side, namespace, peers)
	var allowed []string
	for _, match := range matches {
		if len(ports) == 0 {
			allowed = append(allowed, match.expression)
		}
		for _, port := range ports {
			allowed = append(allowed, portTraffic(side, match, port, receiver)...)
		}
	}
	return allowed, err
}

func (world policyWorld) peers(side, namespace string, peers []networkingv1.NetworkPolicyPeer) ([]peerMatch, error) {
	if len(peers) == 0 {
		return []peerMatch{{expression: side + " 0.0.0.0/0", pods: world.pods}}, nil
	}
	var matches []peerMatch
	var problems []error
	for _, peer := range peers {
		if block := peer.IPBlock; block != nil {
			expression := side + " " + block.CIDR
			if len(block.Except) > 0 {
				expression += fmt.Sprintf(" %s != { %s }", side, strings.Join(block.Except, ", "))
			}
			if !strings.Contains(block.CIDR, ":") { // the cluster has no IPv6 addresses to match
				matches = append(matches, peerMatch{expression: expression})
			}
			continue
		}
		pods, err := world.selectedPods(namespace, peer)
		problems = append(problems, err)
		if len(pods) > 0 {
			matches = append(matches, peerMatch{addressesOf(side, pods), pods})
		}
	}
	return matches, errors.Join(problems...)
}

func (world policyWorld) selectedPods(namespace string, peer networkingv1.NetworkPolicyPeer) ([]*corev1.Pod, error) {
	var found []*corev1.Pod
	for _, pod := range world.pods {
		inNamespace, err := pod.Namespace == namespace, error(nil)
		if peer.NamespaceSelector != nil {
			inNamespace, err = selects(peer.NamespaceSelector, world.namespaces[pod.Namespace])
		}
		isMeant, podError := true, error(nil)
		if peer.PodSelector != nil {
			isMeant, podError = selects(peer.PodSelector, pod.Labels)
		}
		if err := errors.Join(err, podError); err != nil {
			return nil, err
		}
		if inNamespace && isMeant {
			found = append(found, pod)
		}
	}
	return found, nil
}

func portTraffic(side string, match peerMatch, port networkingv1.NetworkPolicyPort, receiver *corev1.Pod) []string {
	protocol := corev1.ProtocolTCP
	if port.Protocol != nil {
		protocol = *port.Protocol
	}
	lower := strings.ToLower(string(protocol))
	switch {
	case port.Port == nil:
		return []string{match.expression + " meta l4proto " + lower}
	case port.Port.Type == intstr.Int:
		numbers := fmt.Sprint(port.Port.IntVal)
		if port.EndPort != nil {
			numbers += fmt.Sprintf("-%d", *port.EndPort)
		}
		return []string{fmt.Sprintf("%s %s dport %s", match.expression, lower, numbers)}
	case receiver != nil:
		return namedPorts(match.expression, receiver, port.Port.StrVal, protocol)
	}
	var allowed []string
	for _, pod := range match.pods {
		allowed = append(allowed, namedPorts(addressesOf(side, []*corev1.Pod{pod}), pod, port.Port.StrVal, protocol)...)
	}
	return allowed
}

func namedPorts(expression string, pod *corev1.Pod, name string, protocol corev1.Protocol) []string {
	var allowed []string
	sidecars := slices.DeleteFunc(slices.Clone(pod.Spec.InitContainers), func(container corev1.Container) bool {
		return container.RestartPolicy == nil || *container.RestartPolicy != corev1.ContainerRestartPolicyAlways
	})
	for _, container := range append(sidecars, pod.Spec.Containers...) {
		for _, port := range container.Ports {
			if port.Name == name && port.Protocol == protocol {
				lower := strings.ToLower(string(protocol))
				allowed = append(allowed, fmt.Sprintf("%s %s dport %d", expression, lower, port.ContainerPort))
			}
		}
	}
	return allowed
}

func addressesOf(side string, pods []*corev1.Pod) string {
	addresses := make([]string, 0, len(pods))
	for _, pod := range pods {
		addresses = append(addresses, pod.Status.PodIP)
	}
	return fmt.Sprintf("%s { %s }", side, strings.Join(slices.Compact(addresses), ", "))
}

func selects(selector *metav1.LabelSelector, set labels.Set) (bool, error) {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return false, err
	}
	return parsed.Matches(set), nil
}

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
	"sigs.k8s.io/knftables"
)

// All rules of this agent live in one nftables table of its own, so that neither
// kube-proxy nor Docker ever touches them, nor it theirs.
const tableName = "tradingbot-pods"

// podChain is what one pod may send, or what may be sent to it.
type podChain struct {
	name    string
	matches string   // the traffic that is judged by this chain
	allowed []string // traffic that matches one of these passes, all other is dropped
}

// packetFilter replaces the whole table in one transaction: there is never a moment
// with half of the rules.
type packetFilter struct {
	applied   string
	appliedAt time.Time
}

func (filter *packetFilter) apply(ctx context.Context, podSubnet string, chains policyChains) error {
	uplink, err := defaultInterface()
	if err != nil {
		return err
	}
	table, err := knftables.New(knftables.IPv4Family, tableName)
	if err != nil {
		return err
	}
	changes := table.NewTransaction()
	changes.Add(&knftables.Table{}) // deleting what isn't there is an error
	changes.Delete(&knftables.Table{})
	changes.Add(&knftables.Table{})
	addMasquerade(changes, podSubnet, uplink)
	addPolicies(changes, chains)

	text := changes.String()
	if text == filter.applied && time.Since(filter.appliedAt) < repairInterval {
		return nil // most changes of pods don't change a rule
	}
	if err := table.Run(ctx, changes); err != nil {
		return err
	}
	filter.applied, filter.appliedAt = text, time.Now()
	return nil
}

// addMasquerade gives traffic from pods to the world outside the address of the node:
// the Docker network knows no way back to a pod's own address.
func addMasquerade(changes *knftables.Transaction, podSubnet, uplink string) {
	changes.Add(&knftables.Chain{
		Name:     "source-nat",
		Type:     knftables.PtrTo(knftables.NATType),
		Hook:     knftables.PtrTo(knftables.PostroutingHook),
		Priority: knftables.PtrTo(knftables.SNATPriority),
	})
	changes.Add(&knftables.Rule{
		Chain: "source-nat",
		Rule: knftables.Concat("ip saddr", podSubnet, "ip daddr !=", podSubnet,
			"oifname", fmt.Sprintf("%q", uplink), "masquerade"),
	})
}

// addPolicies judges what is forwarded to or from pods, and what pods send to the node
// itself. What the node sends to its own pods (kubelet's probes) is never judged. At
// these hooks kube-proxy has replaced a Service's address by a pod's already.
func addPolicies(changes *knftables.Transaction, chains policyChains) {
	for _, chain := range append(append([]podChain{}, chains.egress...), chains.ingress...) {
		changes.Add(&knftables.Chain{Name: chain.name})
		for _, traffic := range chain.allowed {
			changes.Add(&knftables.Rule{Chain: chain.name, Rule: knftables.Concat(traffic, "return")})
		}
		changes.Add(&knftables.Rule{Chain: chain.name, Rule: "drop"})
	}
	addJudge(changes, "forwarded", knftables.ForwardHook, append(append([]podChain{}, chains.egress...), chains.ingress...))
	addJudge(changes, "to-node", knftables.InputHook, chains.egress)
}

func addJudge(changes *knftables.Transaction, name string, hook knftables.BaseChainHook, chains []podChain) {
	changes.Add(&knftables.Chain{
		Name:     name,
		Type:     knftables.PtrTo(knftables.FilterType),
		Hook:     knftables.PtrTo(hook),
		Priority: knftables.PtrTo(knftables.FilterPriority),
	})
	changes.Add(&knftables.Rule{Chain: name, Rule: "ct state established,related accept"})
	for _, chain := range chains {
		changes.Add(&knftables.Rule{Chain: name, Rule: knftables.Concat(chain.matches, "jump", chain.name)})
	}
}

func defaultInterface() (string, error) {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{}, netlink.RT_FILTER_DST)
	if err != nil {
		return "", err
	}
	for _, route := range routes {
		link, err := netlink.LinkByIndex(route.LinkIndex)
		if err != nil {
			return "", err
		}
		return link.Attrs().Name, nil
	}
	return "", fmt.Errorf("the node has no default route; was its Docker network made with a gateway?")
}

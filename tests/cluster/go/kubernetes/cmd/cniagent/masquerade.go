package main

import (
	"context"
	"fmt"

	"github.com/vishvananda/netlink"
	"sigs.k8s.io/knftables"
)

// All rules of this agent live in one nftables table of its own, so that neither
// kube-proxy nor Docker ever touches them, nor it theirs.
const tableName = "tradingbot-pods"

// syncMasquerade gives traffic from pods to the world outside the address of the
// node: the Docker network knows no way back to a pod's own address.
func syncMasquerade(ctx context.Context, podSubnet string) error {
	uplink, err := defaultInterface()
	if err != nil {
		return err
	}
	table, err := knftables.New(knftables.IPv4Family, tableName)
	if err != nil {
		return err
	}
	changes := table.NewTransaction()
	changes.Add(&knftables.Table{})
	changes.Add(&knftables.Chain{
		Name:     "masquerade",
		Type:     knftables.PtrTo(knftables.NATType),
		Hook:     knftables.PtrTo(knftables.PostroutingHook),
		Priority: knftables.PtrTo(knftables.SNATPriority),
	})
	changes.Flush(&knftables.Chain{Name: "masquerade"})
	changes.Add(&knftables.Rule{
		Chain: "masquerade",
		Rule: knftables.Concat("ip saddr", podSubnet, "ip daddr !=", podSubnet,
			"oifname", fmt.Sprintf("%q", uplink), "masquerade"),
	})
	return table.Run(ctx, changes)
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

/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "inspect/check_firewall.h"

/*
 * One chain that drops what comes by @in and goes out by @out. What is said of it holds for all
 * that begins a connection, or is a note: a rule that cannot be followed may accept it.
 * Returns whether it drops all.
 */
static bool tell_drop(struct check *check, const struct link *link, const char *id,
		      enum severity severity, const char *what, const struct nft_drop *drop,
		      const char *remedy)
{
	if (drop->fate == NFT_MAY_DROP)
		find(check, link, NOTE, id,
		     "nftables drops %s that its rules do not accept (%s %s, chain %s)\n"
		     "nft list chain %s %s %s, and: tapctl trace",
		     what, drop->family, drop->table, drop->chain, drop->family, drop->table,
		     drop->chain);
	else if (drop->fate == NFT_DROPS && remedy)
		find(check, link, severity, id, "nftables drops %s (%s %s, chain %s)\n%s", what,
		     drop->family, drop->table, drop->chain, remedy);
	else if (drop->fate == NFT_DROPS)
		find(check, link, severity, id,
		     "nftables drops %s (%s %s, chain %s)\nnft insert rule %s %s %s accept", what,
		     drop->family, drop->table, drop->chain, drop->family, drop->table,
		     drop->chain);
	return drop->fate == NFT_DROPS;
}

/* Frames that a bridge forwards pass the chains for IP packets, too: as from it and to it. */
static void check_bridge_nf(struct check *check, const struct link *link)
{
	bool all = setting_read(check, "bridge/bridge-nf-call-iptables") > 0;
	bool one = link->bridge.calls_iptables && access("/proc/sys/net/bridge", F_OK) == 0;
	struct nft_drop drop = { .fate = NFT_PASSES };
	char remedy[128];

	/* The bridge's own setting needs the module that the sysctl is of. */
	if (all || one)
		drop = nftables_find_drop(&check->rules, NFT_IP_FORWARD, link, link);
	snprintf(remedy, sizeof(remedy), "%s%s%s%s%s",
		 all ? "sysctl net.bridge.bridge-nf-call-iptables=0" : "", all && one ? " && " : "",
		 one ? "ip link set " : "", one ? link->name : "",
		 one ? " type bridge nf_call_iptables 0" : "");
	tell_drop(check, link, "bridge-nf-drops", WARNING,
		  "IP packets that it forwards, for bridge-nf-call-iptables is on,", &drop, remedy);
}

static bool drops_all(struct check *check, const struct link *link)
{
	struct nft_drop drop = nftables_find_drop(&check->rules, NFT_BRIDGE_FORWARD, NULL, NULL);

	return tell_drop(check, link, "firewall-drops", WARNING, "frames that it forwards", &drop,
			 NULL);
}

void check_bridge_firewall(struct check *check, const struct inventory_link *bridge, bool several)
{
	const struct link *link = &bridge->link;
	struct nft_drop drop;

	if (several) {
		check_bridge_nf(check, link);
		drops_all(check, link);
	}
	if (!bridge->has_ipv4)
		return;
	drop = nftables_find_drop(&check->rules, NFT_ARP_INPUT, link, NULL);
	tell_drop(check, link, "firewall-drops", WARNING, "ARP for the host", &drop, NULL);
}

void check_link_firewall(struct check *check, const struct inventory_link *device)
{
	const struct link *link = &device->link;
	struct nft_drop drop = nftables_find_drop(&check->rules, NFT_DEVICE_INGRESS, link, NULL);

	if (drop.fate == NFT_PASSES)
		drop = nftables_find_drop(&check->rules, NFT_DEVICE_EGRESS, link, NULL);
	tell_drop(check, link, "firewall-drops", ERROR, "what passes it", &drop, NULL);
	/* Those that tapctl put there have a finding of their own. */
	if (!device->tc_dropped || traffic_is_set(&device->record.traffic))
		return;
	/* What few frames meet is a policy; it is known best to who made it. */
	find(check, link, device->tc_dropped >= device->tc_seen / 2 ? WARNING : NOTE, "tc-drops",
	     "filters of tc have dropped %u of %u frames\n"
	     "tc -s filter show dev %s ingress, and egress; or remove them: tc qdisc del dev %s "
	     "clsact",
	     device->tc_dropped, device->tc_seen, link->name, link->name);
}

void check_port_firewall(struct check *check, const struct inventory_link *port)
{
	const struct link *link = &port->link;
	struct nft_drop drop, generic;
	char remedy[256];

	check_link_firewall(check, port);
	drop = nftables_find_drop(&check->rules, NFT_BRIDGE_PREROUTING, link, NULL);
	if (tell_drop(check, link, "firewall-drops", ERROR, "what comes in there", &drop, NULL))
		return;
	/* What holds for all ports is told of the bridge. */
	generic = nftables_find_drop(&check->rules, NFT_BRIDGE_FORWARD, NULL, NULL);
	if (generic.fate == NFT_DROPS)
		return;
	drop = nftables_find_drop(&check->rules, NFT_BRIDGE_FORWARD, link, NULL);
	if (drop.fate != NFT_DROPS)
		drop = nftables_find_drop(&check->rules, NFT_BRIDGE_FORWARD, NULL, link);
	if (drop.fate != NFT_DROPS)
		return;
	snprintf(remedy, sizeof(remedy),
		 "nft insert rule bridge %s %s iifname %s accept && "
		 "nft insert rule bridge %s %s oifname %s accept",
		 drop.table, drop.chain, link->name, drop.table, drop.chain, link->name);
	tell_drop(check, link, "firewall-drops", WARNING, "what is forwarded from or to it", &drop,
		  remedy);
}

void check_forward_firewall(struct check *check, const struct inventory_link *link, bool beyond)
{
	struct nft_drop drop;
	char remedy[256];

	if (!link->has_ipv4 || !check->outside || check->outside == &link->link)
		return;
	drop = nftables_find_drop(&check->rules, NFT_IP_FORWARD, &link->link, check->outside);
	if (drop.fate != NFT_PASSES)
		snprintf(remedy, sizeof(remedy),
			 "nft insert rule %s %s %s iifname %s accept && "
			 "nft insert rule %s %s %s oifname %s ct state established,related accept",
			 drop.family, drop.table, drop.chain, link->link.name, drop.family,
			 drop.table, drop.chain, link->link.name);
	tell_drop(check, &link->link, "forward-drops", drop.named || beyond ? NOTE : WARNING,
		  "packets that guests send beyond it", &drop, remedy);
}

/* SPDX-License-Identifier: MIT */
/*
 * The host's packet filter: where nftables drops what a bridge or the host passes on.
 *
 * Also what iptables(8) and ebtables(8) have set, unless they are the legacy ones. Rules are
 * followed as far as they name links and verdicts; packets are not simulated.
 */
#pragma once

#include "netlink.h"

struct nft_rules {
	struct nft_chain *chains;
	struct nft_rule *rules; /* those of one chain stand together */
	size_t chain_count, rule_count;
	bool translates; /* some rule hides addresses behind the host's (masquerade, SNAT) */
};

/* Read all rules; none when it fails: 0 or a negative errno (-EPERM: it needs CAP_NET_ADMIN). */
int nftables_read(struct nft_rules *rules);
void nftables_free(struct nft_rules *rules);

/* The families and hooks of linux/netfilter*.h that are asked about. */
enum nft_hook {
	NFT_IP_FORWARD,
	NFT_IP6_FORWARD,
	NFT_ARP_INPUT,
	NFT_BRIDGE_PREROUTING,
	NFT_BRIDGE_FORWARD,
	NFT_DEVICE_INGRESS, /* of @in alone */
	NFT_DEVICE_EGRESS,
};

/* What becomes of what begins a connection. */
enum nft_fate {
	NFT_PASSES, /* as far as can be seen: some may be dropped */
	NFT_MAY_DROP, /* what no rule accepts that cannot be followed further */
	NFT_DROPS, /* all of it */
};
struct nft_drop {
	enum nft_fate fate;
	bool named; /* by a rule that names the link: somebody wants it so */
	const char *family, *table, *chain; /* where it is dropped; of the rules */
};

/* What comes in by @in and goes out by @out (NULL: by any) at that hook. */
struct nft_drop nftables_find_drop(const struct nft_rules *rules, enum nft_hook hook,
				   const struct link *in, const struct link *out);

/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "kernel/nftables.h"
#include "netlink.h"

/* A base chain at the forward hook whose policy is to drop. */
static int find_dropping_chain(const struct nlmsghdr *m, void *data)
{
	const struct nfgenmsg *family = mnl_nlmsg_get_payload(m);
	const struct nlattr *tb[NFTA_CHAIN_POLICY + 1], *hook[NFTA_HOOK_HOOKNUM + 1];
	bool *drops = data;

	if (m->nlmsg_len < mnl_nlmsg_size(sizeof(*family)) ||
	    (family->nfgen_family != NFPROTO_IPV4 && family->nfgen_family != NFPROTO_INET))
		return 0;
	nl_parse(m, sizeof(*family), tb, NFTA_CHAIN_POLICY);
	nl_parse_nested(tb[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_HOOKNUM);
	if (hook[NFTA_HOOK_HOOKNUM] && tb[NFTA_CHAIN_POLICY] &&
	    nl_attr_u32(hook[NFTA_HOOK_HOOKNUM]) == htonl(NF_INET_FORWARD) &&
	    nl_attr_u32(tb[NFTA_CHAIN_POLICY]) == htonl(NF_DROP))
		*drops = true;
	return 0;
}

int nftables_forward_drops(bool *drops)
{
	struct nfgenmsg family = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	struct nl *nl;
	int err = nl_open_protocol(&nl, NETLINK_NETFILTER, SOCK_NONBLOCK);

	*drops = false;
	if (err)
		return err;
	nl_message_end(nl, nl_message(nl, NL_LOOKUP, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
				      NLM_F_DUMP, sizeof(family), &family));
	err = nl_dump(nl, find_dropping_chain, drops);
	nl_close(nl);
	return err < 0 ? err : 0;
}

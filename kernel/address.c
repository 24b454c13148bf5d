/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kernel/address.h"

struct dump {
	address_fn *each;
	void *data;
};

static int dump_address(const struct nlmsghdr *m, void *data)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(m);
	const struct nlattr *tb[IFA_LOCAL + 1], *own;
	const struct dump *dump = data;
	struct address address = { .ifindex = 0 };

	if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < mnl_nlmsg_size(sizeof(*info)) ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return 0;
	nl_parse(m, sizeof(*info), tb, IFA_LOCAL);
	own = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	address.ifindex = (int)info->ifa_index;
	address.wide = info->ifa_scope < RT_SCOPE_LINK;
	address.ip.family = info->ifa_family;
	address.ip.length = info->ifa_prefixlen;
	if (!nl_attr_number(own, ip_size(info->ifa_family), address.ip.bytes))
		return 0;
	return dump->each(&address, dump->data);
}

int address_dump(struct nl *nl, address_fn *each, void *data)
{
	struct ifaddrmsg address = { .ifa_family = AF_UNSPEC };
	struct dump dump = { .each = each, .data = data };

	return nl_dump_plain(nl, RTM_GETADDR, sizeof(address), &address, dump_address, &dump);
}

void address_put(struct nl *nl, int ifindex, const struct ip_address *ip)
{
	const struct ifaddrmsg info = {
		.ifa_family = ip->family,
		.ifa_prefixlen = ip->length,
		.ifa_flags = ip->family == AF_INET6 ? IFA_F_NODAD : 0,
		.ifa_index = (unsigned)ifindex,
	};
	struct nlmsghdr *m = nl_message(nl, NL_ADDRESS, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
					sizeof(info), &info);

	mnl_attr_put(m, IFA_LOCAL, ip_size(ip->family), ip->bytes);
	mnl_attr_put(m, IFA_ADDRESS, ip_size(ip->family), ip->bytes);
	nl_message_end(nl, m);
}

struct neighbour_dump {
	neighbour_fn *each;
	void *data;
};

static int dump_neighbour(const struct nlmsghdr *m, void *data)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(m);
	const struct neighbour_dump *dump = data;
	const struct nlattr *tb[NDA_LLADDR + 1];
	uint8_t mac[MAC_LEN];

	if (m->nlmsg_type != RTM_NEWNEIGH || m->nlmsg_len < mnl_nlmsg_size(sizeof(*nd)) ||
	    nd->ndm_state & (NUD_FAILED | NUD_INCOMPLETE | NUD_NOARP))
		return 0;
	nl_parse(m, sizeof(*nd), tb, NDA_LLADDR);
	return nl_attr_number(tb[NDA_LLADDR], MAC_LEN, mac) ?
		       dump->each(nd->ndm_ifindex, nd->ndm_family, mac, dump->data) :
		       0;
}

int neighbour_dump(struct nl *nl, neighbour_fn *each, void *data)
{
	struct ndmsg nd = { .ndm_family = AF_UNSPEC };
	struct neighbour_dump dump = { .each = each, .data = data };

	return nl_dump_plain(nl, RTM_GETNEIGH, sizeof(nd), &nd, dump_neighbour, &dump);
}

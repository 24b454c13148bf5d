/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kernel/address.h"

struct dump {
	address_fn *each;
	void *data;
};

static int dump_address(const struct nlmsghdr *m, void *data)
{
	const struct ifaddrmsg *address = mnl_nlmsg_get_payload(m);
	const struct dump *dump = data;

	if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < mnl_nlmsg_size(sizeof(*address)) ||
	    address->ifa_scope >= RT_SCOPE_LINK)
		return 0;
	return dump->each((int)address->ifa_index, address->ifa_family, dump->data);
}

int address_dump(struct nl *nl, address_fn *each, void *data)
{
	struct ifaddrmsg address = { .ifa_family = AF_UNSPEC };
	struct dump dump = { .each = each, .data = data };

	nl_begin(nl);
	nl_message_end(
		nl, nl_message(nl, NL_LOOKUP, RTM_GETADDR, NLM_F_DUMP, sizeof(address), &address));
	return nl_dump(nl, dump_address, &dump);
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
		       dump->each(nd->ndm_ifindex, mac, dump->data) :
		       0;
}

int neighbour_dump(struct nl *nl, neighbour_fn *each, void *data)
{
	struct ndmsg nd = { .ndm_family = AF_UNSPEC };
	struct neighbour_dump dump = { .each = each, .data = data };

	nl_begin(nl);
	nl_message_end(nl, nl_message(nl, NL_LOOKUP, RTM_GETNEIGH, NLM_F_DUMP, sizeof(nd), &nd));
	return nl_dump(nl, dump_neighbour, &dump);
}

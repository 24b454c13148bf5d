/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>

#include <libmnl/libmnl.h>
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

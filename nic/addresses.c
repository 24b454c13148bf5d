/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "kernel/address.h"
#include "lib/report.h"
#include "nic/addresses.h"

struct search {
	const struct nic *nic;
	unsigned found; /* bits of those that are wanted */
};

static int find_address(const struct address *address, void *data)
{
	struct search *search = data;
	const struct ip_addresses *wanted = &search->nic->want->addresses;

	for (unsigned i = 0; i < wanted->count; i++)
		if (address->ifindex == search->nic->link.ifindex &&
		    ip_equal(&address->ip, &wanted->list[i]))
			search->found |= 1U << i;
	return 0;
}

int nic_verify_addresses(struct nl *nl, const struct nic *nic)
{
	const struct ip_addresses *wanted = &nic->want->addresses;
	struct search search = { .nic = nic };
	char text[IP_STRLEN];
	unsigned i = 0;
	int err;

	if (!wanted->count)
		return 0;
	err = address_dump(nl, find_address, &search);
	if (err < 0)
		return report_error(err, "%s: cannot read its IP addresses: %s", nic->name,
				    nl_strerror(err));
	while (i < wanted->count && search.found & 1U << i)
		i++;
	if (i == wanted->count)
		return 0;
	ip_format(text, &wanted->list[i]);
	if (nic->reused)
		return report_error(-ESTALE,
				    "%s: %s: it does not have the address %s\nip address add %s "
				    "dev %s",
				    nic->name, nic->allowed_by, text, text, nic->name);
	return report_error(-ESTALE,
			    "%s: the address %s is no longer there: something on this host "
			    "(NetworkManager, systemd-networkd) removed it",
			    nic->name, text);
}

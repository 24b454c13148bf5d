/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <libmnl/libmnl.h>

#include "kernel/audit.h"
#include "netlink.h"

#define AUDIT_VIRT_RESOURCE 2501 /* of libaudit.h: the kernel gives these numbers to user space */

int audit_open(struct nl **nl)
{
	return nl_open_protocol(nl, NETLINK_AUDIT, 0);
}

void audit_put(struct nl *nl, const char *text)
{
	size_t size = strlen(text) + 1;

	if (nl_is_full(nl, size))
		audit_send(nl);
	nl_message_end(nl, nl_message(nl, NL_CREATE, AUDIT_VIRT_RESOURCE, 0, size, text));
}

void audit_send(struct nl *nl)
{
	(void)nl_send(nl);
	nl_begin(nl);
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "kernel/qdisc.h"

void qdisc_put_none(struct nl *nl, int ifindex)
{
	struct tcmsg tc = { .tcm_ifindex = ifindex, .tcm_parent = TC_H_ROOT };
	struct nlmsghdr *m = nl_message(nl, NL_QDISC, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE,
					sizeof(tc), &tc);

	mnl_attr_put_strz(m, TCA_KIND, "noqueue");
	nl_message_end(nl, m);
	/* A kernel without traffic control has no queueing discipline to take off. */
	nl_tolerate(nl, EOPNOTSUPP);
}

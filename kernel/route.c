/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "kernel/route.h"

static int read_route(const struct nlmsghdr *m, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(m);
	const struct nlattr *tb[RTA_OIF + 1];
	int *ifindex = data;

	if (m->nlmsg_type != RTM_NEWROUTE || m->nlmsg_len < mnl_nlmsg_size(sizeof(*route)))
		return -EPROTO;
	nl_parse(m, sizeof(*route), tb, RTA_OIF);
	*ifindex = route->rtm_type == RTN_UNICAST ? (int)nl_attr_u32(tb[RTA_OIF]) : 0;
	return 0;
}

int route_find(struct nl *nl, const uint8_t to[static 4])
{
	struct rtmsg route = { .rtm_family = AF_INET, .rtm_dst_len = 32 };
	int ifindex = 0, err;
	struct nlmsghdr *m;

	nl_begin(nl);
	m = nl_message(nl, NL_LOOKUP, RTM_GETROUTE, 0, sizeof(route), &route);
	mnl_attr_put(m, RTA_DST, 4, to);
	nl_message_end(nl, m);
	err = nl_commit(nl, read_route, &ifindex).err;
	return err ? err : ifindex;
}

static int count_rule(const struct nlmsghdr *m, void *data)
{
	int *count = data;

	*count += m->nlmsg_type == RTM_NEWRULE;
	return 0;
}

int route_count_rules(struct nl *nl)
{
	const struct fib_rule_hdr rule = { .family = AF_INET };
	int count = 0;
	int err = nl_dump_plain(nl, RTM_GETRULE, sizeof(rule), &rule, count_rule, &count);

	return err ? err : count;
}

struct route_dump {
	route_fn *each;
	void *data;
};

static int dump_route(const struct nlmsghdr *m, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(m);
	const struct nlattr *tb[RTA_MULTIPATH + 1];
	const struct route_dump *dump = data;
	int err = 0;

	if (m->nlmsg_type != RTM_NEWROUTE || m->nlmsg_len < mnl_nlmsg_size(sizeof(*route)) ||
	    route->rtm_type != RTN_UNICAST)
		return 0;
	nl_parse(m, sizeof(*route), tb, RTA_MULTIPATH);
	if (tb[RTA_OIF])
		err = dump->each((int)nl_attr_u32(tb[RTA_OIF]), dump->data);
	if (tb[RTA_MULTIPATH]) {
		const struct rtnexthop *hop = mnl_attr_get_payload(tb[RTA_MULTIPATH]);
		int left = mnl_attr_get_payload_len(tb[RTA_MULTIPATH]);

		/* RTNH_OK alone reads a length that may not be there. */
		for (; !err && left >= (int)sizeof(*hop) && RTNH_OK(hop, left);
		     hop = RTNH_NEXT(hop)) {
			err = dump->each(hop->rtnh_ifindex, dump->data);
			left -= RTNH_ALIGN(hop->rtnh_len);
		}
	}
	return err;
}

int route_dump(struct nl *nl, route_fn *each, void *data)
{
	struct rtmsg route = { .rtm_family = AF_INET };
	struct route_dump dump = { .each = each, .data = data };

	return nl_dump_plain(nl, RTM_GETROUTE, sizeof(route), &route, dump_route, &dump);
}

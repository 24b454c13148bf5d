/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kernel/event.h"
#include "lib/libc.h"
#include "netlink.h"

/* Messages of the @type alone, with @value at @offset, of the multicast @group. */
static int watch_one(struct nl **watch, unsigned group, uint16_t type, uint32_t offset, int value)
{
	enum { TYPE = 4 }; /* in an nlmsghdr */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(type), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl((uint32_t)value), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = { .len = sizeof(code) / sizeof(*code), .filter = code };
	/* Without an address of its own the socket would hear nothing. */
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK,
					     .nl_groups = 1U << (group - 1) };
	int err = nl_open_protocol(watch, NETLINK_ROUTE, 0);

	if (err)
		return err;
	if (setsockopt(nl_fd(*watch), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
	    bind(nl_fd(*watch), (const struct sockaddr *)&address, sizeof(address)) < 0) {
		err = -errno;
		nl_close(*watch);
	}
	return err;
}

int event_watch_netns(struct nl **watch, int number)
{
	/* An nlmsghdr, a rtgenmsg padded to four bytes, and the attribute with the number. */
	return watch_one(watch, RTNLGRP_NSID, RTM_DELNSID, 16 + 4 + 4, number);
}

int event_watch_link(struct nl **watch, int ifindex)
{
	/* An nlmsghdr, and ifi_index in an ifinfomsg. */
	return watch_one(watch, RTNLGRP_LINK, RTM_DELLINK, 16 + 4, ifindex);
}

int event_wait(const struct nl *watch)
{
	char event[64];

	return TEMP_FAILURE_RETRY(recv(nl_fd(watch), event, sizeof(event), 0)) < 0 ? -errno : 0;
}

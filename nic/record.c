/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <linux/if.h>

#include "nic/record.h"
#include "kernel/tap.h"

bool record_guest(uint8_t guest[static MAC_LEN], const struct link *link)
{
	size_t len = strlen(RECORD_GUEST);

	return strncmp(link->alias, RECORD_GUEST, len) == 0 && mac_parse(guest, link->alias + len);
}

bool record_is_host(const struct link *link)
{
	return link->kind == LINK_MACVLAN && strcmp(link->alias, RECORD_HOST) == 0;
}

bool link_is_tap(const struct link *link)
{
	return (link->kind == LINK_TUN && link->tun.is_tap) || link->kind == LINK_MACVTAP;
}

dev_t macvtap_rdev(const struct link *link)
{
	dev_t rdev = 0;

	if (link->kind != LINK_MACVTAP || macvtap_find(&rdev, link->name, link->ifindex) < 0)
		return 0;
	return rdev;
}

const char *link_kind_word(const struct link *link)
{
	if (link->kind_name[0])
		return link->kind_name;
	return link->flags & IFF_LOOPBACK ? "loopback device" : "plain device";
}

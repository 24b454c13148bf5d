/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "inspect/difference.h"

/* The identifiers are for programs: the same for ever. */
/* clang-format off */
struct kind {
	enum severity severity;
	const char *id;
};
static const struct kind rows[DIFFERENCES] = {
	[DIFFERS_PARENT] = { WARNING, "other-bridge" },
	[DIFFERS_HOST_IS_GUEST] = { ERROR, "host-is-guest" },
	[DIFFERS_ADDRESS] = { WARNING, "address-changed" },
	[DIFFERS_MTU] = { WARNING, "mtu-changed" },
	[DIFFERS_LOCKED] = { WARNING, "not-locked" },
	[DIFFERS_ENTRY] = { ERROR, "locked-out" },
	[DIFFERS_ISOLATED] = { WARNING, "not-isolated" },
	[DIFFERS_HAIRPIN] = { WARNING, "not-hairpin" },
	[DIFFERS_FILTERING] = { WARNING, "vlan-filtering-off" },
	[DIFFERS_VLANS] = { WARNING, "vlans-changed" },
	[DIFFERS_IP] = { ERROR, "not-filtered" },
	[DIFFERS_LIMIT_IN] = { WARNING, "not-limited-in" },
	[DIFFERS_LIMIT_OUT] = { WARNING, "not-limited-out" },
	[DIFFERS_IFACE_ID] = { ERROR, "iface-id-changed" },
	[DIFFERS_DORMANT] = { ERROR, "port-dormant" },
	[DIFFERS_ALLMULTI] = { WARNING, "no-allmulti" },
	[DIFFERS_IPV6] = { WARNING, "macvtap-ipv6" },
	[DIFFERS_UP] = { ERROR, "device-down" },
};
/* A tap on no bridge, and a macvtap whose address is another one, get nothing through. */
static const struct kind off_bridge = { ERROR, "off-bridge" };
static const struct kind not_guest = { ERROR, "not-guest-address" };
/* clang-format on */

static void put_remedy(char *text, const struct compared *compared, enum difference difference)
{
	const char *name = compared->link->name, *wanted = compared->record->parent;
	const char *behind = "";

	if (difference == DIFFERS_FILTERING) {
		snprintf(text, DIFFERENCE_TEXT, "ip link set %s type bridge vlan_filtering 1",
			 wanted);
		return;
	}
	if (difference == DIFFERS_PARENT && wanted[0] && !compared->parent) {
		snprintf(text, DIFFERENCE_TEXT, "make %s anew, then: tapctl attach %s", wanted,
			 name);
		return;
	}
	if (difference == DIFFERS_IPV6) {
		snprintf(text, DIFFERENCE_TEXT, "tapctl attach %s && ip -6 address flush dev %s",
			 name, name);
		return;
	}
	if (difference == DIFFERS_PARENT && !compared->link->master)
		behind = " (where its bridge is made anew at times, a hook does it: tapctl(8), "
			 "OTHER MANAGERS)";
	else if (difference == DIFFERS_PARENT || difference == DIFFERS_ADDRESS ||
		 difference == DIFFERS_HOST_IS_GUEST)
		behind = " (and to keep other programs off it: tapctl(8), OTHER MANAGERS)";
	snprintf(text, DIFFERENCE_TEXT, "tapctl attach %s%s", name, behind);
}

static const struct kind *kind_of(const struct compared *compared, enum difference difference)
{
	const struct link *link = compared->link;

	if (difference == DIFFERS_PARENT &&
	    (compared->record->ovs[0] ? !compared->row && !link->port.of_bridge : !link->master))
		return &off_bridge;
	if (difference == DIFFERS_ADDRESS && link->kind != LINK_TUN)
		return &not_guest;
	return &rows[difference];
}

struct finding difference_finding(struct difference_texts *texts, const struct compared *compared,
				  enum difference difference)
{
	const struct kind *kind = kind_of(compared, difference);

	difference_words(texts->problem, compared, difference);
	put_remedy(texts->remedy, compared, difference);
	return (struct finding){
		.name = compared->link->name,
		.id = kind->id,
		.severity = kind->severity,
		.problem = texts->problem,
		.remedy = texts->remedy,
	};
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "kernel/macvtap.h"
#include "kernel/tap.h"
#include "lib/report.h"
#include "nic/restore.h"

static bool has(unsigned differences, enum difference difference)
{
	return differences & 1U << difference;
}

#define TRAFFIC (1U << DIFFERS_IP | 1U << DIFFERS_LIMIT_IN | 1U << DIFFERS_LIMIT_OUT)
#define ADDRESS (1U << DIFFERS_ADDRESS | 1U << DIFFERS_HOST_IS_GUEST)

static int refuse(const struct compared *compared, const struct nl_result *result)
{
	const char *name = compared->link->name;

	if (link_disappeared(result->err))
		return report_failure("disappeared", result->err, "%s: it disappeared meanwhile",
				      name);
	if (result->err == -EXFULL)
		return report_error(result->err,
				    "%s: cannot put it on %s: that is full, it takes "
				    "1023 ports",
				    name, compared->record->parent);
	return report_error(result->err, "%s: cannot set it right: %s\n%s", name,
			    nl_result_text(result),
			    result->err == -EPERM ? "run it with sudo" : "");
}

/* What was set, and is not so when it is read back: old kernels ignore what they do not know. */
static int refuse_left(const struct compared *compared, unsigned left)
{
	char text[DIFFERENCE_TEXT];

	for (enum difference d = 0; d < DIFFERENCES; d++)
		if (has(left, d))
			return report_error(
				-EOPNOTSUPP,
				"%s: this did not take effect, or something on this host "
				"changed it again: %s",
				compared->link->name, difference_words(text, compared, d));
	return 0;
}

/* What is left of @differences in @link, which was read when they were mended. */
static unsigned left_of(struct nl *nl, const struct compared *compared, const struct link *link,
			unsigned differences)
{
	struct compared now = *compared;

	now.link = link;
	now.port.known = false;
	/* What cannot be read is not there. */
	if (differences & TRAFFIC && compare_read_traffic(nl, &now) < 0)
		now.traffic = (struct traffic_state){ .known = true };
	return record_compare(&now) & differences;
}

/* What is to be put back of it. */
static const struct traffic *lost_traffic(const struct compared *compared, unsigned differences)
{
	return (differences & TRAFFIC) ? &compared->record->traffic : NULL;
}

/* --- onto a bridge, and off --- */

static int check_bridge(const struct compared *compared)
{
	const struct link *bridge = compared->parent;
	const char *name = compared->link->name;

	if (bridge->kind != LINK_BRIDGE)
		return report_error(-EOPNOTSUPP, "%s: %s, which it was made for, is not a bridge",
				    name, bridge->name);
	if (compared->record->policy.vlan_count && !bridge->bridge.filters)
		return report_error(-EOPNOTSUPP,
				    "%s: it was made for VLANs, and %s does not filter any, so it "
				    "stays off\nip link set %s type bridge vlan_filtering 1",
				    name, bridge->name, bridge->name);
	return 0;
}

/* Without one of its own it takes the bridge's MTU, when that is larger: a smaller port would pull
 * the bridge down. */
static uint32_t wanted_mtu(const struct compared *compared)
{
	uint32_t is = compared->link->mtu, wanted = compared->record->mtu;

	if (!wanted && compared->parent->mtu > is)
		wanted = compared->parent->mtu;
	return wanted == is ? 0 : wanted;
}

/* All that has to be true of a port before it is opened. */
#define OF_PORT ~(1U << DIFFERS_DORMANT | 1U << DIFFERS_UP | ADDRESS)

/* Joining failed: where it was, or on none. */
static void go_back(struct nl *nl, const struct compared *compared, struct tap_setup *setup)
{
	struct compared before = *compared;
	struct link link;

	before.parent = setup->bridge = compared->master;
	if (before.parent && before.parent->kind == LINK_BRIDGE &&
	    tap_join(nl, setup, &link).err == 0 && !left_of(nl, &before, &link, OF_PORT))
		tap_open_port(nl, setup->ifindex, "");
	else
		tap_leave(nl, setup->ifindex);
}

static int join(struct nl *nl, const struct compared *compared, unsigned differences,
		const char *alias)
{
	const struct record *record = compared->record;
	uint8_t address[MAC_LEN];
	struct tap_setup setup = {
		.ifindex = compared->link->ifindex,
		.guest = record->guest,
		.mtu = wanted_mtu(compared),
		.bridge = compared->parent,
		.policy = &record->policy,
		.traffic = lost_traffic(compared, differences),
	};
	struct nl_result result;
	struct link link;
	unsigned left = 0;
	int err = check_bridge(compared);

	if (err)
		return err;
	if (differences & ADDRESS && record_address(address, compared))
		setup.address = address;
	result = tap_join(nl, &setup, &link);
	if (!result.err)
		left = left_of(nl, compared, &link, OF_PORT);
	if (!result.err && !left)
		result = tap_open_port(nl, setup.ifindex, alias);
	if (!result.err && !left)
		return 0;
	err = result.err ? refuse(compared, &result) : refuse_left(compared, left);
	go_back(nl, compared, &setup);
	return err;
}

static int leave(struct nl *nl, const struct compared *compared)
{
	struct nl_result result = tap_leave(nl, compared->link->ifindex);

	return result.err ? refuse(compared, &result) : 0;
}

/* --- where it is --- */

static int repair_tap(struct nl *nl, const struct compared *compared, unsigned differences,
		      const char *alias)
{
	uint8_t address[MAC_LEN];
	struct tap_repair repair = {
		.ifindex = compared->link->ifindex,
		.mtu = has(differences, DIFFERS_MTU) ? compared->record->mtu : 0,
		.flags = has(differences, DIFFERS_LOCKED) || has(differences, DIFFERS_ISOLATED) ||
			 has(differences, DIFFERS_HAIRPIN),
		.vlans = has(differences, DIFFERS_VLANS),
		/* The guest's own address on the device takes the entry along when it goes. */
		.entry = has(differences, DIFFERS_ENTRY) || differences & ADDRESS,
		.policy = &compared->record->policy,
		.traffic = lost_traffic(compared, differences),
		.guest = compared->record->guest,
		.alias = alias,
	};
	struct nl_result result;
	struct link link;

	if (differences & ADDRESS && record_address(address, compared))
		repair.address = address;
	result = tap_repair(nl, &repair, &link);
	/* A port is opened last. */
	if (!result.err && (has(differences, DIFFERS_DORMANT) || has(differences, DIFFERS_UP)))
		result = tap_open_port(nl, repair.ifindex, "");
	if (result.err)
		return refuse(compared, &result);
	differences &= ~(1U << DIFFERS_DORMANT | 1U << DIFFERS_UP | 1U << DIFFERS_FILTERING);
	return refuse_left(compared, left_of(nl, compared, &link, differences));
}

static int repair_macvtap(struct nl *nl, const struct compared *compared, unsigned differences)
{
	uint8_t address[MAC_LEN];
	struct macvtap_repair repair = {
		.ifindex = compared->link->ifindex,
		.mtu = has(differences, DIFFERS_MTU) ? compared->record->mtu : 0,
		.no_ipv6 = has(differences, DIFFERS_IPV6),
		.guest = compared->record->guest,
		.traffic = lost_traffic(compared, differences),
		.flags = (has(differences, DIFFERS_ALLMULTI) ? IFF_ALLMULTI : 0) |
			 (has(differences, DIFFERS_UP) ? IFF_UP : 0),
	};
	struct nl_result result;
	struct link link;

	if (differences & ADDRESS && record_address(address, compared))
		repair.address = address;
	result = macvtap_repair(nl, &repair, &link);
	if (result.err)
		return refuse(compared, &result);
	return refuse_left(compared, left_of(nl, compared, &link, differences));
}

int nic_restore(struct nl *nl, const struct compared *compared, unsigned differences, bool moves)
{
	bool joins = has(differences, DIFFERS_PARENT) && compared->parent;
	char alias[LINK_ALIAS] = "";
	int err = 0;

	if (moves && !record_write(alias, compared->record))
		return report_error(-E2BIG, "%s: its record would be longer than %d bytes",
				    compared->link->name, LINK_ALIAS - 1);
	if (joins)
		return join(nl, compared, differences, alias);
	if (has(differences, DIFFERS_PARENT) && !compared->record->parent[0] &&
	    compared->link->port.of_bridge)
		err = leave(nl, compared);
	differences &= ~(1U << DIFFERS_PARENT);
	if (compared->record->ovs[0])
		differences &= ~(1U << DIFFERS_VLANS | 1U << DIFFERS_IFACE_ID);
	if (err || (!differences && !*alias))
		return err;
	return compared->link->kind == LINK_TUN ? repair_tap(nl, compared, differences, alias) :
						  repair_macvtap(nl, compared, differences);
}

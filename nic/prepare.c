/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/report.h"
#include "nic/prepare.h"

/* The remedy is the link @below, when it can be looked up. */
static int refuse_lower(struct nl *nl, const struct link *lower, int below, int err,
			const char *word, const char *what, const char *option)
{
	struct link other;

	if (!below || nl_link_get(nl, NULL, below, &other) < 0)
		return report_failure(word, err, "%s: %s", lower->name, what);
	return report_failure(word, err, "%s: %s of %s\nuse %s %s", lower->name, what, other.name,
			      option, other.name);
}

static int check_bridge(struct nl *nl, const struct nic *nic)
{
	const struct link *bridge = &nic->parent;
	const struct port_policy *policy = &nic->want->policy;

	if (bridge->port.of_bridge)
		return refuse_lower(nl, bridge, bridge->master, -EOPNOTSUPP, "not-a-bridge",
				    "is a port", "--bridge");
	if (bridge->kind != LINK_BRIDGE)
		return report_failure("not-a-bridge", -EOPNOTSUPP, "%s: is not a bridge but a %s%s",
				      bridge->name, link_kind_word(bridge),
				      bridge->kind_name[0] || bridge->flags & IFF_LOOPBACK ?
					      "" :
					      ": for a macvtap on it use --link");
	if (policy->vlan_count && !bridge->bridge.can_filter)
		return report_error(-EOPNOTSUPP,
				    "%s: --vlan: the bridges of this kernel have no VLAN filtering",
				    bridge->name);
	if (policy->vlan_count && !bridge->bridge.filters)
		return report_error(
			-EOPNOTSUPP,
			"%s: --vlan: VLAN filtering is off there\nip link set %s type bridge "
			"vlan_filtering 1",
			bridge->name, bridge->name);
	return 0;
}

static int check_lower(struct nl *nl, const struct nic *nic)
{
	const struct link *lower = &nic->parent;

	if (lower->kind == LINK_BRIDGE || !lower->ethernet)
		return report_error(-EOPNOTSUPP, "%s: a %s cannot carry a macvtap\n%s", lower->name,
				    link_kind_word(lower),
				    lower->kind == LINK_BRIDGE ? "use --bridge" : "");
	if (lower->kind == LINK_MACVTAP)
		return refuse_lower(nl, lower, lower->lower_elsewhere ? 0 : lower->lower, -EINVAL,
				    "invalid", "is itself a macvtap", "--link");
	if (lower->port.of_bridge)
		return refuse_lower(nl, lower, lower->master, -EBUSY, "in-use", "is a port",
				    "--bridge");
	if (nic->want->mtu > lower->mtu)
		return report_error(-EINVAL, "--mtu %u: is larger than the %u of %s",
				    nic->want->mtu, lower->mtu, lower->name);
	return 0;
}

/* A host's macvlan without --mac: the same address each time, so that it keeps its DHCP lease. */
static void derive_host(struct nic *nic)
{
	if (nic->want->kind != NIC_HOST || !mac_is_zero(nic->guest))
		return;
	mac_derive_host(nic->guest, nic->parent.address);
	memcpy(nic->host, nic->guest, MAC_LEN);
	if (!nic->want->name[0])
		mac_name(nic->name, "mvl", nic->guest);
}

/* Those that there are, for who has mistyped one. */
struct bridges {
	char names[4 * (IFNAMSIZ + 2) + 8];
	unsigned count;
};

static int add_bridge(const struct link *link, void *data)
{
	struct bridges *bridges = data;
	size_t len = strlen(bridges->names);

	if (bridges->count++ < 4)
		snprintf(bridges->names + len, sizeof(bridges->names) - len, "%s%s",
			 len ? ", " : ", only ", link->name);
	else if (bridges->count == 5)
		snprintf(bridges->names + len, sizeof(bridges->names) - len, " ...");
	return 0;
}

static int refuse_missing_bridge(struct nl *nl, const char *name)
{
	struct bridges bridges = { .count = 0 };

	nl_link_dump(nl, LINK_BRIDGE, add_bridge, &bridges);
	return report_failure(
		"no-such-bridge", -ENODEV,
		"%s: there is no such bridge in this network namespace%s\nip link add "
		"name %s up type bridge",
		name, bridges.names, name);
}

static int look_up_parent(struct nl *nl, struct nic *nic)
{
	bool bridged = nic->want->kind == NIC_BRIDGED;
	const char *name = nic->want->parent;
	int err = nl_link_get(nl, name, 0, &nic->parent);

	if (err == -ENODEV && bridged)
		return refuse_missing_bridge(nl, name);
	if (err == -ENODEV)
		return report_error(err, "%s: there is no such device in this network namespace",
				    name);
	if (err)
		return report_error(err, "%s: cannot look it up: %s", name, nl_strerror(err));
	return 0;
}

/* What the device will say of itself. */
static int write_record(struct nic *nic)
{
	struct record *record = &nic->record;

	memcpy(record->guest, nic->guest, MAC_LEN);
	if (nic->want->kind == NIC_OVS)
		memcpy(record->ovs, nic->want->parent, sizeof(record->ovs));
	else
		memcpy(record->parent, nic->parent.name, sizeof(record->parent));
	memcpy(record->iface_id, nic->want->iface_id, sizeof(record->iface_id));
	if (nic->anonymous || record_write(nic->alias, record))
		return 0;
	if (record->traffic.ip.count)
		return report_error(-E2BIG,
				    "--ip: too many addresses: the record of a device has %d bytes "
				    "for them and all else\nwrite prefixes, like 10.0.1.0/28",
				    LINK_ALIAS - 1);
	if (strlen(record->iface_id) > LINK_ALIAS / 2 || !record->policy.vlan_count)
		return report_error(-E2BIG,
				    "--iface-id: too long: the record of a device has %d bytes for "
				    "it and all else",
				    LINK_ALIAS - 1);
	return report_error(
		-E2BIG,
		"--vlan: too many VLANs: the record of a device has %d bytes for them "
		"and all else\nwrite neighbours one after the other, which are one range",
		LINK_ALIAS - 1);
}

/* The bridge's own port has its MTU; it is not here where ovs-vswitchd runs elsewhere. */
static int prepare_ovs(struct nl *nl, struct nic *nic, const struct nic *previous)
{
	const char *bridge = nic->want->parent;
	int err = 0;

	if (previous && previous->ovs && strcmp(previous->want->parent, bridge) == 0)
		nic->parent = previous->parent;
	else
		err = ovs_check_bridge(nic->ovs, bridge);
	if (!err && !nic->parent.ifindex)
		(void)nl_link_get(nl, bridge, 0, &nic->parent);
	return err;
}

static int prepare_parent(struct nl *nl, struct nic *nic, const struct nic *previous)
{
	int err = 0;

	if (nic->want->kind == NIC_UNATTACHED)
		return 0;
	if (nic->want->kind == NIC_OVS)
		return prepare_ovs(nl, nic, previous);
	if (previous && strcmp(previous->parent.name, nic->want->parent) == 0)
		nic->parent = previous->parent;
	else
		err = look_up_parent(nl, nic);
	if (err)
		return err;
	if (nic->want->kind == NIC_BRIDGED)
		return check_bridge(nl, nic);
	err = check_lower(nl, nic);
	if (!err)
		derive_host(nic);
	return err;
}

int nic_prepare(struct nl *nl, struct nic *nic, const struct nic *previous)
{
	int err = prepare_parent(nl, nic, previous);

	return err ? err : write_record(nic);
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>

#include <linux/if_ether.h>

#include "nic/record.h"
#include "nic/explain.h"
#include "nic/nic.h"
#include "kernel/tap.h"

#define IFINDEX_HIGH 0x40000000 /* the kernel counts its own from 1 */

bool nic_has_policy(const struct nic_options *want)
{
	const struct port_policy *policy = &want->policy;

	return policy->locked || policy->isolated || policy->hairpin || policy->vlan_count;
}

int nic_init(struct nic *nic, const struct nic_options *want)
{
	bool tap = want->kind != NIC_MACVTAP;

	memset(nic, 0, sizeof(*nic));
	nic->want = *want;
	nic->fds = malloc((size_t)2 * want->queues * sizeof(*nic->fds));
	if (!nic->fds)
		return report_error(-ENOMEM, "out of memory");
	nic->vhost_fds = nic->fds + want->queues;
	for (unsigned i = 0; i < 2 * want->queues; i++)
		nic->fds[i] = -1;
	if (tap)
		mac_derive_host(nic->host, want->guest);
	else
		memcpy(nic->host, want->guest, MAC_LEN);
	if (want->name[0])
		memcpy(nic->name, want->name, sizeof(nic->name));
	else if (want->anonymous)
		memcpy(nic->name, "tap%d", sizeof("tap%d"));
	else
		mac_name(nic->name, tap ? "tap" : want->for_host ? "mvl" : "mvt", want->guest);
	return 0;
}

/* The queues, and behind them the vhost fds. */
static void close_fds(struct nic *nic)
{
	for (unsigned i = 0; i < 2 * nic->want.queues; i++) {
		if (nic->fds[i] >= 0)
			close(nic->fds[i]);
		nic->fds[i] = -1;
	}
}

void nic_free(struct nic *nic)
{
	close_fds(nic);
	free(nic->fds);
	nic->fds = NULL;
}

/* --- prepare --- */

static int check_bridge(const struct nic *nic)
{
	const struct link *bridge = &nic->parent;
	const struct port_policy *policy = &nic->want.policy;

	if (bridge->kind != LINK_BRIDGE)
		return report_error(-EOPNOTSUPP, "%s: it is no bridge, it is a %s%s", bridge->name,
				    link_kind_word(bridge),
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
			"%s: --vlan: VLAN filtering is off there: ip link set %s type bridge "
			"vlan_filtering 1",
			bridge->name, bridge->name);
	return 0;
}

static int check_lower(struct nl *nl, const struct nic *nic)
{
	const struct link *lower = &nic->parent;
	struct link other;

	if (lower->kind == LINK_BRIDGE || !lower->ethernet)
		return report_error(-EOPNOTSUPP, "%s: a %s cannot carry a macvtap%s", lower->name,
				    link_kind_word(lower),
				    lower->kind == LINK_BRIDGE ? ": use --bridge" : "");
	if (lower->kind == LINK_MACVTAP || lower->kind == LINK_MACVLAN) {
		if (lower->lower_elsewhere || nl_link_get(nl, NULL, lower->lower, &other) < 0)
			return report_error(-EINVAL, "%s: it is itself a %s", lower->name,
					    link_kind_word(lower));
		return report_error(-EINVAL, "%s: it is itself a %s, of %s: use --link %s",
				    lower->name, link_kind_word(lower), other.name, other.name);
	}
	if (lower->port.of_bridge) {
		if (nl_link_get(nl, NULL, lower->master, &other) < 0)
			return report_error(-EBUSY, "%s: it is a port of a bridge: use --bridge",
					    lower->name);
		return report_error(-EBUSY, "%s: it is a port of the bridge %s: use --bridge %s",
				    lower->name, other.name, other.name);
	}
	if (nic->want.mtu > lower->mtu)
		return report_error(-EINVAL, "--mtu %u: that is larger than the %u of %s",
				    nic->want.mtu, lower->mtu, lower->name);
	return 0;
}

/* The address of a host's leg that was given none: the same each time, for whoever leases IPs. */
static void derive_host_macvlan(struct nic *nic)
{
	const uint8_t none[MAC_LEN] = { 0 };

	if (!nic->want.for_host || !mac_equal(nic->want.guest, none))
		return;
	mac_derive_host(nic->want.guest, nic->parent.address);
	memcpy(nic->host, nic->want.guest, MAC_LEN);
	if (!nic->want.name[0])
		mac_name(nic->name, "mvl", nic->want.guest);
}

int nic_prepare(struct nl *nl, struct nic *nic, const struct nic *previous)
{
	const char *word = nic->want.kind == NIC_BRIDGED ? "bridge" : "device";
	int err;

	if (nic->want.kind == NIC_UNATTACHED)
		return 0;
	if (previous && strcmp(previous->parent.name, nic->want.parent) == 0) {
		nic->parent = previous->parent;
	} else {
		err = nl_link_get(nl, nic->want.parent, 0, &nic->parent);
		if (err == -ENODEV)
			return report_error(
				err, "%s: there is no such %s in this network namespace%s%s",
				nic->want.parent, word,
				nic->want.kind == NIC_BRIDGED ? ": ip link add type bridge name " :
								"",
				nic->want.kind == NIC_BRIDGED ? nic->want.parent : "");
		if (err)
			return report_error(err, "%s: cannot look it up: %s", nic->want.parent,
					    nl_strerror(nl, err));
	}
	if (nic->want.kind == NIC_BRIDGED)
		return check_bridge(nic);
	err = check_lower(nl, nic);
	if (!err)
		derive_host_macvlan(nic);
	return err;
}

/* --- verify --- */

static int check_policy(const struct nic *nic)
{
	const struct port_policy *want = &nic->want.policy;
	const struct link *link = &nic->link;
	const char *missing = want->locked && (!link->port.locked || link->port.learning) ?
				      "--lock-mac" :
			      want->isolated && !link->port.isolated ? "--isolated" :
			      want->hairpin && !link->port.hairpin   ? "--hairpin" :
								       NULL;

	if (missing && nic->reused)
		return report_error(-ESTALE,
				    "%s: --reuse: it is there without %s: leave that out, or make "
				    "it anew: tapctl del %s",
				    nic->name, missing, nic->name);
	if (missing)
		return report_error(
			-EOPNOTSUPP,
			"%s: %s did not take: the bridges of this kernel do not have it%s",
			nic->name, missing,
			want->locked && !link->port.locked ? " (it came with Linux 5.18)" : "");
	return 0;
}

/* Compare nic->link, as just read, with what was wanted. */
static int check_link(const struct nic *nic)
{
	const struct link *link = &nic->link;
	char is[MAC_STRLEN], wanted[MAC_STRLEN];

	if (!mac_equal(link->address, nic->host))
		return report_error(-ESTALE,
				    "%s: its address is %s and not %s: something on this host "
				    "(udev, NetworkManager, systemd-networkd) changed it",
				    nic->name, mac_format(is, link->address),
				    mac_format(wanted, nic->host));
	if (nic->want.kind == NIC_BRIDGED && link->master != nic->parent.ifindex)
		return report_error(-ESTALE, "%s: it is no port of %s%s", nic->name,
				    nic->parent.name,
				    nic->reused ? "" :
						  ": something on this host (NetworkManager, "
						  "systemd-networkd) took it off");
	if (nic->want.kind == NIC_UNATTACHED && link->master)
		return report_error(-ESTALE,
				    "%s: it is a port of something, and --unattached was said",
				    nic->name);
	if (nic->want.kind == NIC_MACVTAP &&
	    (link->lower != nic->parent.ifindex || link->mode != nic->want.mode))
		return report_error(-ESTALE, "%s: it is no macvtap of %s in mode %s", nic->name,
				    nic->parent.name, macvtap_mode_name(nic->want.mode));
	if (nic->want.mtu && link->mtu != nic->want.mtu)
		return report_error(-ESTALE, "%s: its MTU is %u and not %u", nic->name, link->mtu,
				    nic->want.mtu);
	if (!(link->flags & IFF_UP))
		return report_error(-ENETDOWN, "%s: it is down: ip link set %s up", nic->name,
				    nic->name);
	return check_policy(nic);
}

struct vlan_check {
	const struct nic *nic;
	unsigned found;
	bool other;
};

static int check_vlan(const struct port_vlan *vlan, void *data)
{
	struct vlan_check *check = data;
	const struct port_policy *want = &check->nic->want.policy;

	if (vlan->ifindex != check->nic->link.ifindex)
		return 0;
	for (unsigned vid = vlan->first; vid <= vlan->last; vid++) {
		unsigned i = 0;

		while (i < want->vlan_count && want->vlans[i] != vid)
			i++;
		if (i == want->vlan_count || vlan->pvid != (i == 0) || vlan->untagged != (i == 0))
			check->other = true;
		else
			check->found++;
	}
	return 0;
}

static int verify_vlans(struct nl *nl, const struct nic *nic)
{
	struct vlan_check check = { .nic = nic };
	int err = nl_vlan_dump(nl, check_vlan, &check);

	if (err < 0)
		return report_error(err, "%s: cannot read its VLANs: %s", nic->name,
				    nl_strerror(nl, err));
	if (check.other || check.found != nic->want.policy.vlan_count)
		return report_error(-EOPNOTSUPP, "%s: --vlan did not take: bridge vlan show dev %s",
				    nic->name, nic->name);
	return 0;
}

/* The protections that the link itself does not tell. */
static int verify_protections(struct nl *nl, const struct nic *nic)
{
	const struct port_policy *policy = &nic->want.policy;
	int port = 0, err = 0;

	if (policy->locked) {
		err = nl_fdb_get(nl, nic->parent.ifindex, nic->want.guest, &port);
		if (err || port != nic->link.ifindex)
			return report_error(-ENOENT,
					    "%s: --lock-mac: the guest's address is not in %s's "
					    "forwarding table at this port",
					    nic->name, nic->parent.name);
	}
	if (policy->vlan_count)
		err = verify_vlans(nl, nic);
	return err;
}

static int read_back(struct nl *nl, struct nic *nic)
{
	int err = nl_link_get(nl, NULL, nic->link.ifindex, &nic->link);

	if (link_disappeared(err))
		return explain_disappeared(nic, err);
	if (err)
		return report_error(err, "%s: cannot read it back: %s", nic->name,
				    nl_strerror(nl, err));
	return 0;
}

int nic_verify(struct nl *nl, struct nic *nic)
{
	int err = read_back(nl, nic);

	if (!err)
		err = check_link(nic);
	return err ? err : verify_protections(nl, nic);
}

/* --- an existing one --- */

/* Find the character device of a macvtap. */
static int find_node(struct nic *nic)
{
	int err = macvtap_find(&nic->rdev, nic->name, nic->link.ifindex);

	if (err)
		return report_error(err,
				    "%s: cannot find its character device: this namespace's sysfs "
				    "cannot be read: %s",
				    nic->name, strerror(-err));
	return 0;
}

int nic_find_existing(struct nl *nl, struct nic *nic)
{
	char words[64], text[MAC_STRLEN];
	uint8_t guest[MAC_LEN];
	bool busy = false;
	int err = nl_link_get(nl, nic->name, 0, &nic->link);

	if (err == -ENODEV)
		return 0;
	if (err)
		return report_error(err, "%s: cannot look it up: %s", nic->name,
				    nl_strerror(nl, err));
	if (!link_is_tap(&nic->link) ||
	    (nic->link.kind == LINK_MACVTAP) != (nic->want.kind == NIC_MACVTAP))
		return report_error(-EEXIST, "%s: --reuse: it is a %s", nic->name,
				    link_kind_word(&nic->link));
	if (record_guest(guest, &nic->link) && !mac_equal(guest, nic->want.guest))
		return report_error(-EEXIST, "%s: --reuse: it was made for the guest %s", nic->name,
				    mac_format(text, guest));
	nic->reused = true;
	err = check_link(nic);
	if (err)
		return err;
	/* Both of these kinds may be opened once more, by who then steals some of the frames. */
	if (nic->want.kind == NIC_MACVTAP) {
		err = find_node(nic);
		busy = !err && explain_holder(words, nic->name, nic->rdev)[0];
	} else if (nic->link.tun.multi_queue && nic->link.tun.queues > 0) {
		explain_holder(words, nic->name, 0);
		busy = true;
	}
	if (busy)
		err = report_error(-EBUSY, "%s: it is busy%s", nic->name, words);
	return err;
}

/* --- make --- */

int nic_draw_ifindex(struct nl *nl, int *ifindex)
{
	struct link link;
	uint32_t drawn;
	int err = 0;

	for (int tries = 0; tries < 16 && !err; tries++) {
		if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
			return report_error(-errno, "cannot draw a number: %s", strerror(errno));
		*ifindex = (int)(drawn % IFINDEX_HIGH) + IFINDEX_HIGH;
		/* Taken: the messages behind a failed creation would go to a foreign. */
		err = nl_link_get(nl, NULL, *ifindex, &link);
	}
	if (err == -ENODEV)
		return 0;
	return report_error(err ? err : -EBUSY, "cannot find a free interface index: %s",
			    err ? nl_strerror(nl, err) : "all that were tried are taken");
}

static void alias_for(char alias[static LINK_ALIAS], const struct nic *nic)
{
	char mac[MAC_STRLEN];

	if (nic->want.for_host)
		snprintf(alias, LINK_ALIAS, RECORD_HOST);
	else
		snprintf(alias, LINK_ALIAS, RECORD_GUEST "%s", mac_format(mac, nic->want.guest));
}

/* Warn of what joining did to the bridge; it stays a working set-up. */
static void tell_bridge(struct nl *nl, const struct nic *nic)
{
	const struct link *bridge = &nic->parent;
	char text[MAC_STRLEN];
	uint8_t mac[MAC_LEN];
	int mtu;

	if (nl_link_address(nl, bridge->name, mac) == 0 && mac_equal(mac, nic->host) &&
	    !mac_equal(bridge->address, nic->host))
		report_tell(REPORT_WARNING,
			    "%s: the bridge follows its lowest port and now has the "
			    "address %s of this guest's tap, and will change it when the tap goes: "
			    "tapctl pin %s",
			    bridge->name, mac_format(text, nic->host), bridge->name);
	if (!nic->want.mtu || nic->want.mtu >= bridge->mtu)
		return;
	mtu = nl_link_mtu(nl, bridge->name);
	/* A lower one is that of another port. */
	if (mtu >= 0 && (unsigned)mtu == nic->want.mtu)
		report_tell(REPORT_WARNING,
			    "%s: the bridge's MTU went from %u down to %d with this "
			    "port: ip link set %s mtu %u",
			    bridge->name, bridge->mtu, mtu, bridge->name, bridge->mtu);
}

/* Two ports of a bridge may have the same address, and only one of them gets the frames. */
static int explain_owner(struct nl *nl, const struct nic *nic, int owner)
{
	char mac[MAC_STRLEN];
	struct link other;

	if (nl_link_get(nl, NULL, owner, &other) < 0)
		other = nic->parent;
	return report_error(-EEXIST,
			    "%s: another port of %s, %s, has the address %s: is there "
			    "a device for this guest already?",
			    nic->name, nic->parent.name, other.name, mac_format(mac, nic->host));
}

/*
 * The kernel lets anybody open one more queue of a tap without an owner, and so get a share of its
 * guest's frames: who was faster than give_tap() would stay.
 */
static int check_alone(struct nl *nl, struct nic *nic)
{
	int err = read_back(nl, nic);

	if (err || nic->link.tun.queues == 1)
		return err;
	nl_link_delete(nl, nic->link.ifindex);
	return report_error(-EBUSY, "%s: somebody else has opened a queue of it", nic->name);
}

static int set_up_tap(struct nl *nl, struct nic *nic, bool no_carrier)
{
	bool bridged = nic->want.kind == NIC_BRIDGED;
	char alias[LINK_ALIAS];
	struct tap_setup setup = {
		.address = nic->host,
		.guest = nic->want.guest,
		.alias = nic->want.anonymous ? NULL : alias,
		.mtu = nic->want.mtu ? nic->want.mtu : nic->parent.mtu,
		.no_carrier = no_carrier,
		.bridge = bridged ? &nic->parent : NULL,
		.policy = &nic->want.policy,
	};
	int owner = 0, err;

	alias_for(alias, nic);
	setup.ifindex = nl_link_index(nl, nic->name);
	if (link_disappeared(setup.ifindex))
		return explain_disappeared(nic, setup.ifindex);
	if (setup.ifindex < 0)
		return report_error(setup.ifindex, "%s: cannot look it up: %s", nic->name,
				    strerror(-setup.ifindex));
	nic->link.ifindex = setup.ifindex;
	memcpy(nic->link.name, nic->name, sizeof(nic->link.name));
	nic->link.mtu = setup.mtu ? setup.mtu : ETH_DATA_LEN;
	err = nl_tap_setup(nl, &setup, &owner);
	if (err)
		return explain_tap_setup(nl, nic, err);
	if (bridged && owner != nic->link.ifindex && owner != nic->parent.ifindex)
		return explain_owner(nl, nic, owner);
	if (bridged)
		tell_bridge(nl, nic);
	if (nic->want.queues > 1)
		err = check_alone(nl, nic);
	/* Old kernels ignore, without an error, what they do not know. */
	if (!err && nic_has_policy(&nic->want))
		err = nic_verify(nl, nic);
	return err;
}

static int reset_offload(const struct nic *nic)
{
	int err = tap_reset_offload(nic->fds[0]);

	if (err)
		return report_error(err, "%s: cannot reset its offloads: %s", nic->name,
				    strerror(-err));
	return 0;
}

static int give_tap(const struct nic *nic)
{
	int err = tap_set_owner(nic->fds[0], nic->want.owner, nic->want.group);

	if (link_disappeared(err))
		return explain_disappeared(nic, err);
	if (err)
		return report_error(err, "%s: cannot give it to its owner: %s", nic->name,
				    strerror(-err));
	return 0;
}

/* What a tap needs once its first queue is open. */
static int begin_tap(struct nl *nl, struct nic *nic, bool one_queue)
{
	int err = 0;

	if (nic->reused)
		return reset_offload(nic);
	if (nic->want.queues > 1)
		err = give_tap(nic);
	return err ? err : set_up_tap(nl, nic, one_queue);
}

int nic_make_tap(struct nl *nl, struct nic *nic, bool one_queue)
{
	struct queue_flags flags = {
		.exclusive = !nic->reused,
		.multi_queue = nic->want.queues > 1,
		.vnet_hdr = !nic->want.no_vnet_hdr,
	};
	unsigned count = one_queue ? 1 : nic->want.queues;
	int err;

	for (unsigned i = 0; i < count; i++) {
		err = tap_open(&nic->fds[i]);
		if (err)
			return err;
		err = tap_connect(nic->fds[i], nic->name, &flags);
		if (err)
			return explain_connect(nl, nic, err);
		nic->made = !nic->reused;
		flags.exclusive = false;
		err = i == 0 ? begin_tap(nl, nic, one_queue) : 0;
		if (err)
			return err;
	}
	return 0;
}

int nic_make_macvtap(struct nl *nl, struct nic *nic, int ifindex)
{
	char alias[LINK_ALIAS];
	const struct macvtap_setup setup = {
		.ifindex = ifindex,
		.name = nic->name,
		.address = nic->host,
		.alias = alias,
		.mtu = nic->want.mtu,
		.lower = nic->parent.ifindex,
		.mode = nic->want.mode,
		.for_host = nic->want.for_host,
	};
	int err;

	alias_for(alias, nic);
	err = nl_macvtap_create(nl, &setup, &nic->link);
	nic->made = !err || nl->failed != NL_CREATE;
	nic->link.ifindex = ifindex;
	if (err)
		return explain_macvtap(nl, nic, err);
	memcpy(nic->name, nic->link.name, sizeof(nic->name));
	return check_link(nic);
}

int nic_open_macvtap(struct nic *nic, int inotify)
{
	const struct queue_flags flags = {
		.multi_queue = nic->want.queues > 1,
		.vnet_hdr = !nic->want.no_vnet_hdr,
	};
	int err = nic->rdev ? 0 : find_node(nic);

	if (err)
		return err;
	err = macvtap_open(nic->fds, nic->want.queues, inotify, nic->name, nic->link.ifindex,
			   nic->rdev, nic->host, &flags);
	return !err && nic->reused ? reset_offload(nic) : err;
}

int nic_open_vhost(struct nic *nic)
{
	bool automatic = nic->want.vhost == VHOST_AUTO;

	if (nic->want.vhost == VHOST_OFF)
		return 0;
	for (unsigned i = 0; i < nic->want.queues; i++) {
		int err = vhost_open(&nic->vhost_fds[i]);

		if (!err)
			continue;
		if (!automatic)
			return err;
		while (i-- > 0) {
			close(nic->vhost_fds[i]);
			nic->vhost_fds[i] = -1;
		}
		report_tell(REPORT_WARNING, "%s: going on without vhost: %s", nic->name,
			    report_line());
		report_forget();
		return 0;
	}
	return 0;
}

/* --- keep or unmake --- */

void nic_set_owner(struct nic *nic, uid_t owner)
{
	/* With both set the kernel wants both to match: a group alone must not get an owner beside
	 * it. */
	if (nic->want.owner == (uid_t)-1 && nic->want.group == (gid_t)-1)
		nic->want.owner = owner;
}

int nic_give(struct nic *nic)
{
	int err;

	if (nic->want.kind != NIC_MACVTAP)
		return give_tap(nic);
	if (nic->want.for_host)
		return 0;
	err = find_node(nic);
	if (err)
		return err;
	return macvtap_node_give(nic->link.ifindex, nic->rdev, nic->want.owner, nic->want.group);
}

int nic_persist(struct nic *nic)
{
	int err;

	if (nic->want.kind == NIC_MACVTAP)
		return 0;
	err = tap_persist(nic->fds[0], true);
	if (link_disappeared(err))
		return explain_disappeared(nic, err);
	if (err)
		return report_error(err, "%s: cannot make it stay: %s", nic->name, strerror(-err));
	nic->persistent = true;
	return 0;
}

void nic_unmake(struct nl *nl, struct nic *nic)
{
	if (nic->made && nic->persistent)
		tap_persist(nic->fds[0], false);
	close_fds(nic);
	if (nic->made && nic->want.kind == NIC_MACVTAP)
		nl_link_delete(nl, nic->link.ifindex);
	nic->made = false;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "kernel/holders.h"
#include "kernel/udev.h"
#include "lib/privs.h"
#include "lib/report.h"
#include "nic/addresses.h"
#include "nic/lease.h"
#include "nic/make.h"
#include "nic/plug.h"
#include "nic/verify.h"

/* A device is compared with what is wanted of it, as its record has it or will have it. */
static struct compared compared_of(const struct nic *nic)
{
	return (struct compared){
		.link = &nic->link,
		.record = &nic->record,
		.parent = nic->parent.ifindex ? &nic->parent : NULL,
		.port = nic->port,
		.traffic = nic->traffic,
		.row_known = nic->want->kind == NIC_OVS,
		.row = nic->has_row ? &nic->row : NULL,
	};
}

/* --- what is not so, in words --- */

#define CULPRITS "something on this host (udev, NetworkManager, systemd-networkd)"

/* A protection that was asked for; the kernel ignores those that it does not know. */
static int refuse_policy(const struct nic *nic, enum difference difference)
{
	if (difference == DIFFERS_ENTRY)
		return report_error(-ENOENT,
				    "%s: --lock-mac: the guest's address is not in %s's "
				    "forwarding table at this port",
				    nic->name, nic->parent.name);
	if (difference == DIFFERS_VLANS || difference == DIFFERS_FILTERING)
		return report_error(-EOPNOTSUPP,
				    "%s: --vlan did not take effect\nbridge vlan show dev %s",
				    nic->name, nic->name);
	return report_error(-EOPNOTSUPP,
			    "%s: %s did not take effect: this kernel's bridges do not support it%s",
			    nic->name, difference_option(difference),
			    difference == DIFFERS_LOCKED && !nic->link.port.locked ?
				    " (it came with Linux 5.18)" :
				    "");
}

static int refuse_new(const struct nic *nic, enum difference difference)
{
	const struct compared compared = compared_of(nic);
	char text[DIFFERENCE_TEXT];
	bool changed = difference == DIFFERS_PARENT || difference == DIFFERS_ADDRESS ||
		       difference == DIFFERS_HOST_IS_GUEST;

	if (difference_option(difference))
		return refuse_policy(nic, difference);
	return report_error(-ESTALE, "%s: %s%s", nic->name,
			    difference_words(text, &compared, difference),
			    changed ? ": " CULPRITS " changed that" : "");
}

/* It was made as is wanted, and what differs it has lost since. */
static bool was_made_so(const struct nic *nic, const struct record *own)
{
	const struct traffic *was = &own->traffic, *want = &nic->want->traffic;

	return strcmp(own->ovs[0] ? own->ovs : own->parent, nic->want->parent) == 0 &&
	       (!want->ip.count || prefixes_equal(&was->ip, &want->ip)) &&
	       (!want->in.bytes || rate_equal(&was->in, &want->in)) &&
	       (!want->out.bytes || rate_equal(&was->out, &want->out));
}

/* An existing device: @own: what it says of itself, or NULL. */
static int refuse_existing(const struct nic *nic, const struct record *own,
			   enum difference difference)
{
	struct compared compared = compared_of(nic);
	const char *option = difference_option(difference);
	char text[DIFFERENCE_TEXT];

	compared.record = own ? own : &nic->record;
	difference_words(text, &compared, difference);
	if (own && record_compare(&compared) & 1U << difference && was_made_so(nic, own))
		return report_error(-ESTALE, "%s: %s: %s\ntapctl attach %s", nic->name,
				    nic->allowed_by, text, nic->name);
	if (option)
		return report_error(-ESTALE,
				    "%s: %s: exists without %s%s\nleave that out, or make it "
				    "anew: tapctl del %s%s",
				    nic->name, nic->allowed_by,
				    difference_has_value(difference) ? "this " : "", option,
				    own ? "" : "--force ", nic->name);
	if (difference == DIFFERS_PARENT && nic->want->kind == NIC_BRIDGED && own &&
	    own->by != RECORD_OLD && !own->ovs[0])
		return report_error(
			-ESTALE, "%s: is not a port of %s\ntapctl attach --bridge %s %s moves it",
			nic->name, nic->want->parent, nic->want->parent, nic->name);
	if (difference == DIFFERS_PARENT && nic->want->parent[0])
		return report_error(-ESTALE, "%s: is not a port of %s", nic->name,
				    nic->want->parent);
	if (difference == DIFFERS_PARENT)
		return report_error(-ESTALE,
				    "%s: is a port of another link, and --unattached was given",
				    nic->name);
	compared.record = &nic->record;
	return report_error(-ESTALE, "%s: %s: %s", nic->name, nic->allowed_by,
			    difference_words(text, &compared, difference));
}

/* Compare nic->link, as it was read last, with what is wanted. */
static int compare(const struct nic *nic)
{
	const struct compared compared = compared_of(nic);
	const struct link *link = &nic->link;
	unsigned differences = record_compare(&compared);
	struct record own = { .by = RECORD_OLD };
	bool has_own = nic->reused && record_read(&own, link);

	if (!nic_is_tap(nic) && (link->lower != nic_lower(nic) || link->mode != nic->want->mode))
		return report_error(-ESTALE, "%s: is not a %s of %s in mode %s", nic->name,
				    nic->want->kind == NIC_HOST ? "macvlan" : "macvtap",
				    nic->parent.name, macvtap_mode_name(nic->want->mode));
	/* What others made has never had these. */
	if (nic->reused && own.by == RECORD_OLD)
		differences &= ~(1U << DIFFERS_ALLMULTI | 1U << DIFFERS_IPV6);
	for (enum difference d = 0; d < DIFFERENCES; d++)
		if (differences & 1U << d)
			return nic->reused ? refuse_existing(nic, has_own ? &own : NULL, d) :
					     refuse_new(nic, d);
	return 0;
}

/* --- what is not part of the link --- */

struct nics {
	struct nic *list;
	size_t count;
};

static int keep_vlans(const struct port_vlan *vlan, void *data)
{
	const struct nics *nics = data;

	for (size_t k = 0; k < nics->count; k++)
		if (nics->list[k].link.ifindex == vlan->ifindex)
			compare_vlan(&nics->list[k].port, &nics->list[k].record, vlan);
	return 0;
}

/* The kernel dumps the VLANs of all ports only: they are read once for all nics. */
static int read_vlans(struct nl *nl, struct nic *nics, size_t count)
{
	struct nics all = { .list = nics, .count = count };
	bool wanted = false;
	int err;

	for (size_t k = 0; k < count; k++) {
		wanted |= nics[k].want->policy.vlan_count;
		nics[k].port = (struct port_state){ .known = false };
	}
	err = wanted ? bridge_dump_vlans(nl, keep_vlans, &all) : 0;
	return err < 0 ? report_error(err, "cannot read the VLANs: %s", nl_strerror(err)) : 0;
}

/* Only --lock-mac has an entry of its own. */
static void read_entry(struct nl *nl, struct nic *nic)
{
	int port = 0;

	if (nic->want->policy.locked &&
	    bridge_find_port(nl, nic->parent.ifindex, nic->guest, &port) == 0)
		nic->port.has_entry = port == nic->link.ifindex;
	nic->port.known = true;
}

static int read_traffic(struct nl *nl, struct nic *nic)
{
	struct compared compared = compared_of(nic);
	int err = compare_read_traffic(nl, &compared);

	nic->traffic = compared.traffic;
	return err ? nic_refused_errno(nic, NIC_STEP_READ, err) : 0;
}

/* --- a new device --- */

/* The socket's rights are not enough where they are lent by the program's file. */
static int set_address_again(struct nl *nl, struct nic *nic)
{
	int err;

	privs_use(PRIVS_LINKS);
	err = nic_set_address_again(nl, nic);
	privs_use(PRIVS_NONE);
	return err;
}

/* One call each: this is all that `add` reads back of a device without protections. */
static int verify_address(struct nl *nl, struct nic *nic)
{
	int err = nl_link_address(nl, nic->name, nic->link.address);

	if (!err && !mac_equal(nic->link.address, nic->host)) {
		err = set_address_again(nl, nic);
		if (!err)
			err = nl_link_address(nl, nic->name, nic->link.address);
		if (!err && !mac_equal(nic->link.address, nic->host))
			return refuse_new(nic, DIFFERS_ADDRESS);
	}
	return err ? nic_refused_errno(nic, NIC_STEP_READ, err) : 0;
}

/* The same for all of nic->link, which was read last. */
static int settle_address(struct nl *nl, struct nic *nic)
{
	int err;

	if (nic->reused || mac_equal(nic->link.address, nic->host))
		return 0;
	err = set_address_again(nl, nic);
	return err ? err : nic_read_back(nl, nic);
}

int nic_verify_new(struct nl *nl, struct nic *nic)
{
	int err = settle_address(nl, nic);

	return err ? err : compare(nic);
}

static int verify_link(struct nl *nl, struct nic *nic)
{
	int err = nic_read_back(nl, nic);

	return err ? err : settle_address(nl, nic);
}

static bool is_whole(const struct nic *nic, bool all)
{
	return all || nic->reused || port_policy_is_set(&nic->want->policy) ||
	       traffic_is_set(&nic->want->traffic);
}

int nic_verify(struct nl *nl, struct nic *nics, size_t count, bool all, struct nic **failed)
{
	int err = 0;

	for (size_t k = 0; k < count && !err; k++) {
		*failed = &nics[k];
		if (nics[k].was_slow && nics[k].made)
			udev_wait(nics[k].link.ifindex);
		err = is_whole(&nics[k], all) ? verify_link(nl, &nics[k]) :
						verify_address(nl, &nics[k]);
	}
	if (!err)
		err = read_vlans(nl, nics, count);
	for (size_t k = 0; k < count && !err; k++) {
		if (!is_whole(&nics[k], all))
			continue;
		*failed = &nics[k];
		read_entry(nl, &nics[k]);
		err = read_traffic(nl, &nics[k]);
		if (!err)
			err = compare(&nics[k]);
		if (!err)
			err = nic_verify_addresses(nl, &nics[k]);
	}
	return err;
}

/* --- an existing device --- */

/* Both of these kinds may be opened once more, by who then steals some of the frames. */
static bool is_busy(struct nl *nl, const struct nic *nic)
{
	struct holders holders;
	enum use use;

	if (nic->want->kind != NIC_MACVTAP)
		return nic->link.tun.multi_queue && nic->link.tun.queues > 0;
	if (holders_read(&holders) < 0)
		report_forget();
	use = lease_find_use(nl, &nic->link, &holders);
	holders_free(&holders);
	return use == USE_HELD;
}

static bool is_wanted_kind(const struct nic *nic)
{
	const struct link *link = &nic->link;

	if (nic->want->kind == NIC_HOST)
		return record_is_host(link);
	return link_is_tap(link) &&
	       (link->kind == LINK_MACVTAP) == (nic->want->kind == NIC_MACVTAP);
}

int nic_find_existing(struct nl *nl, struct nic *nic, const char *option)
{
	bool opens = nic->record.by == RECORD_BY_EXEC;
	char text[MAC_STRLEN];
	struct record found;
	int err = nl_link_get(nl, nic->name, 0, &nic->link);

	nic->allowed_by = option;
	/* What exec has left behind is as good as gone: its watcher may be about to remove it. */
	if (err == -ENODEV || (!err && lease_is_stale(nl, &nic->link) > 0))
		return 0;
	if (err)
		return report_error(err, "%s: cannot look it up: %s", nic->name, nl_strerror(err));
	if (!is_wanted_kind(nic))
		return report_error(-EEXIST, "%s: %s: is a %s", nic->name, nic->allowed_by,
				    link_kind_word(&nic->link));
	if (record_read(&found, &nic->link) && !found.host && !mac_equal(found.guest, nic->guest))
		return report_error(-EEXIST, "%s: %s: was made for the guest %s", nic->name,
				    nic->allowed_by, mac_format(text, found.guest));
	record_tell_unknown(&found, &nic->link);
	nic->reused = true;
	/* Of what an old record is, nothing says that it goes by itself. */
	nic->record.by = found.by == RECORD_OLD ? RECORD_BY_ADD : found.by;
	err = read_traffic(nl, nic);
	if (!err && nic->want->kind == NIC_OVS)
		err = nic_find_row(nic);
	if (!err)
		err = compare(nic);
	if (!err)
		err = nic_verify_addresses(nl, nic);
	if (!err)
		err = nic_find_node(nl, nic);
	if (!err && opens && is_busy(nl, nic))
		err = nic_refused_errno(nic, NIC_STEP_REUSE, -EBUSY);
	return err;
}

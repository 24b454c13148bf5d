/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "kernel/holders.h"
#include "lib/report.h"
#include "nic/lease.h"
#include "nic/record.h"
#include "nic/verify.h"

static int check_policy(const struct nic *nic)
{
	const struct port_policy *want = &nic->want->policy;
	const struct link *link = &nic->link;
	const char *missing = want->locked && (!link->port.locked || link->port.learning) ?
				      "--lock-mac" :
			      want->isolated && !link->port.isolated ? "--isolated" :
			      want->hairpin && !link->port.hairpin   ? "--hairpin" :
								       NULL;

	if (missing && nic->reused)
		return report_error(-ESTALE,
				    "%s: --reuse: exists without %s: leave that out, or make "
				    "it anew: tapctl del %s",
				    nic->name, missing, nic->name);
	if (missing)
		return report_error(
			-EOPNOTSUPP,
			"%s: %s did not take effect: this kernel's bridges do not support it%s",
			nic->name, missing,
			want->locked && !link->port.locked ? " (it came with Linux 5.18)" : "");
	return 0;
}

/* On a macvlan, as a container's NIC is one, the kernel puts it on that one's own lower device. */
static bool is_on_lower(const struct nic *nic)
{
	const struct link *parent = &nic->parent;

	return nic->link.lower == (parent->kind == LINK_MACVLAN ? parent->lower : parent->ifindex);
}

int nic_compare(const struct nic *nic)
{
	const struct link *link = &nic->link;
	char is[MAC_STRLEN], wanted[MAC_STRLEN];

	if (!mac_equal(link->address, nic->host))
		return report_error(-ESTALE,
				    "%s: its address is %s and not %s: something on this host "
				    "(udev, NetworkManager, systemd-networkd) changed it",
				    nic->name, mac_format(is, link->address),
				    mac_format(wanted, nic->host));
	if (nic->want->kind == NIC_BRIDGED && link->master != nic->parent.ifindex)
		return report_error(-ESTALE, "%s: is not a port of %s%s", nic->name,
				    nic->parent.name,
				    nic->reused ? "" :
						  ": something on this host (NetworkManager, "
						  "systemd-networkd) took it off");
	if (nic->want->kind == NIC_UNATTACHED && link->master)
		return report_error(-ESTALE,
				    "%s: is a port of another link, and --unattached was given",
				    nic->name);
	if (!nic_is_tap(nic) && (!is_on_lower(nic) || link->mode != nic->want->mode))
		return report_error(-ESTALE, "%s: is not a macvtap of %s in mode %s", nic->name,
				    nic->parent.name, macvtap_mode_name(nic->want->mode));
	if (nic->want->mtu && link->mtu != nic->want->mtu)
		return report_error(-ESTALE, "%s: its MTU is %u and not %u", nic->name, link->mtu,
				    nic->want->mtu);
	if (!(link->flags & IFF_UP))
		return report_error(-ENETDOWN, "%s: is down: ip link set %s up", nic->name,
				    nic->name);
	return check_policy(nic);
}

/* --- what is not part of the link --- */

struct nics {
	struct nic *list;
	size_t count;
};

/* One VLAN of a port: whether it was wanted, and tagged as wanted. */
static void check_vlan(struct nic *nic, const struct port_vlan *vlan, unsigned vid)
{
	const struct port_policy *want = &nic->want->policy;
	unsigned i = 0;

	while (i < want->vlan_count && want->vlans[i] != vid)
		i++;
	if (i == want->vlan_count || vlan->pvid != (i == 0) || vlan->untagged != (i == 0))
		nic->has_other_vlan = true;
	else
		nic->vlans_found++;
}

static int keep_vlans(const struct port_vlan *vlan, void *data)
{
	const struct nics *nics = data;

	for (size_t k = 0; k < nics->count; k++)
		if (nics->list[k].link.ifindex == vlan->ifindex)
			for (unsigned vid = vlan->first; vid <= vlan->last; vid++)
				check_vlan(&nics->list[k], vlan, vid);
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
		nics[k].vlans_found = 0;
		nics[k].has_other_vlan = false;
	}
	err = wanted ? bridge_dump_vlans(nl, keep_vlans, &all) : 0;
	return err < 0 ? report_error(err, "cannot read the VLANs: %s", nl_strerror(err)) : 0;
}

static int verify_protections(struct nl *nl, const struct nic *nic)
{
	const struct port_policy *policy = &nic->want->policy;
	int port = 0, err = 0;

	if (policy->locked)
		err = bridge_find_port(nl, nic->parent.ifindex, nic->guest, &port);
	if (policy->locked && (err || port != nic->link.ifindex))
		return report_error(-ENOENT,
				    "%s: --lock-mac: the guest's address is not in %s's "
				    "forwarding table at this port",
				    nic->name, nic->parent.name);
	if (policy->vlan_count && (nic->has_other_vlan || nic->vlans_found != policy->vlan_count))
		return report_error(-EOPNOTSUPP,
				    "%s: --vlan did not take effect: bridge vlan show dev %s",
				    nic->name, nic->name);
	return 0;
}

int nic_verify(struct nl *nl, struct nic *nics, size_t count, bool all, struct nic **failed)
{
	int err = 0;

	for (size_t k = 0; k < count && !err; k++) {
		if (!all && !port_policy_is_set(&nics[k].want->policy))
			continue;
		*failed = &nics[k];
		err = nic_read_back(nl, &nics[k]);
		if (!err)
			err = nic_compare(&nics[k]);
	}
	if (!err)
		err = read_vlans(nl, nics, count);
	for (size_t k = 0; k < count && !err; k++)
		err = verify_protections(nl, &nics[k]);
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

int nic_find_existing(struct nl *nl, struct nic *nic)
{
	char text[MAC_STRLEN];
	struct record found;
	int err = nl_link_get(nl, nic->name, 0, &nic->link);

	/* What exec has left behind is as good as gone: its watcher may be about to remove it. */
	if (err == -ENODEV || (!err && lease_is_stale(nl, &nic->link) > 0))
		return 0;
	if (err)
		return report_error(err, "%s: cannot look it up: %s", nic->name, nl_strerror(err));
	if (!link_is_tap(&nic->link) ||
	    (nic->link.kind == LINK_MACVTAP) != (nic->want->kind == NIC_MACVTAP))
		return report_error(-EEXIST, "%s: --reuse: is a %s", nic->name,
				    link_kind_word(&nic->link));
	if (record_read(&found, &nic->link) && !mac_equal(found.guest, nic->guest))
		return report_error(-EEXIST, "%s: --reuse: was made for the guest %s", nic->name,
				    mac_format(text, found.guest));
	nic->reused = true;
	nic->record.by = found.by;
	err = nic_compare(nic);
	if (!err)
		err = nic_find_node(nl, nic);
	if (!err && is_busy(nl, nic))
		err = nic_refused_errno(nic, NIC_STEP_REUSE, -EBUSY);
	return err;
}

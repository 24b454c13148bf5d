/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/macvtap.h"
#include "kernel/tap.h"
#include "lib/report.h"
#include "nic/nic.h"

bool nic_is_tap(const struct nic *nic)
{
	return nic->want->kind == NIC_BRIDGED || nic->want->kind == NIC_UNATTACHED ||
	       nic->want->kind == NIC_OVS;
}

/* Derive the host side's address from the guest's, or from a random one where that is not known. */
static int derive_addresses(struct nic *nic)
{
	int err = 0;

	memcpy(nic->guest, nic->want->guest, MAC_LEN);
	nic->anonymous = nic_is_tap(nic) && mac_is_zero(nic->guest);
	if (nic->anonymous)
		err = mac_draw(nic->guest);
	if (err)
		return report_error(err, "cannot draw an address: %s", strerror(-err));
	if (nic_is_tap(nic))
		mac_derive_host(nic->host, nic->guest);
	else
		memcpy(nic->host, nic->guest, MAC_LEN);
	return 0;
}

static void derive_name(struct nic *nic)
{
	static const char *const prefixes[] = {
		[NIC_BRIDGED] = "tap", [NIC_UNATTACHED] = "tap", [NIC_OVS] = "tap",
		[NIC_MACVTAP] = "mvt", [NIC_HOST] = "mvl",
	};

	if (nic->want->name[0])
		memcpy(nic->name, nic->want->name, sizeof(nic->name));
	else if (nic->anonymous)
		memcpy(nic->name, "tap%d", sizeof("tap%d"));
	else
		mac_name(nic->name, prefixes[nic->want->kind], nic->guest);
}

int nic_init(struct nic *nic, const struct nic_options *want, enum record_maker by)
{
	int err;

	*nic = (struct nic){
		.want = want,
		.owner = want->owner,
		.group = want->group,
		.lease = -1,
		.record = { .by = by,
			    .host = want->kind == NIC_HOST,
			    .policy = want->policy,
			    .traffic = want->traffic,
			    .mtu = want->mtu },
	};
	nic->fds = malloc((size_t)2 * want->queues * sizeof(*nic->fds));
	if (!nic->fds)
		return report_error(-ENOMEM, "out of memory");
	nic->vhost_fds = nic->fds + want->queues;
	for (unsigned i = 0; i < 2 * want->queues; i++)
		nic->fds[i] = -1;
	err = derive_addresses(nic);
	if (!err)
		derive_name(nic);
	return err;
}

void nic_close_fds(struct nic *nic)
{
	for (unsigned i = 0; nic->fds && i < 2 * nic->want->queues; i++) {
		if (nic->fds[i] >= 0)
			close(nic->fds[i]);
		nic->fds[i] = -1;
	}
}

void nic_release_lease(struct nic *nic)
{
	if (nic->lease >= 0)
		close(nic->lease);
	nic->lease = -1;
}

void nic_free(struct nic *nic)
{
	nic_close_fds(nic);
	nic_release_lease(nic);
	free(nic->fds);
	nic->fds = NULL;
}

int nic_refused(struct nic *nic, enum nic_step step, const struct nl_result *refusal)
{
	nic->step = step;
	nic->refusal = *refusal;
	return refusal->err;
}

int nic_refused_errno(struct nic *nic, enum nic_step step, int err)
{
	return nic_refused(nic, step, &(struct nl_result){ .err = err });
}

int nic_find_node(struct nl *nl, struct nic *nic)
{
	struct link link;
	int err = 0;

	if (nic->want->kind == NIC_MACVTAP && !nic->rdev)
		err = macvtap_find(&nic->rdev, nic->name, nic->link.ifindex);
	if (err && nl_link_get(nl, NULL, nic->link.ifindex, &link) == -ENODEV)
		return nic_refused_errno(nic, NIC_STEP_READ, -ENODEV);
	if (err)
		return report_error(err,
				    "%s: cannot find its character device: this namespace's sysfs "
				    "cannot be read: %s",
				    nic->name, strerror(-err));
	return 0;
}

int nic_lower(const struct nic *nic)
{
	return nic->parent.kind == LINK_MACVLAN ? nic->parent.lower : nic->parent.ifindex;
}

struct search {
	const struct nic *nic;
	bool passthru;
	struct link *found;
};

static int find_rival(const struct link *link, void *data)
{
	const struct search *search = data;
	const struct nic *nic = search->nic;

	if (link->lower_elsewhere || link->lower != nic_lower(nic) ||
	    link->ifindex == nic->link.ifindex)
		return 0;
	if (search->passthru ? link->mode != MODE_PASSTHRU : !mac_equal(link->address, nic->host))
		return 0;
	*search->found = *link;
	return -EEXIST;
}

int nic_find_rival(struct nl *nl, const struct nic *nic, bool passthru, struct link *found)
{
	struct search search = { .nic = nic, .passthru = passthru, .found = found };
	int err = nl_link_dump(nl, LINK_MACVTAP, find_rival, &search);

	return err < 0 ? err : nl_link_dump(nl, LINK_MACVLAN, find_rival, &search);
}

int nic_read_back(struct nl *nl, struct nic *nic)
{
	int err = nl_link_get(nl, NULL, nic->link.ifindex, &nic->link);

	return err ? nic_refused_errno(nic, NIC_STEP_READ, err) : 0;
}

void nic_unmake(struct nl *nl, struct nic *nic)
{
	if (nic->made && nic->persistent)
		tap_persist(nic->fds[0], false);
	nic_close_fds(nic);
	nic_release_lease(nic);
	if (nic->made && !nic_is_tap(nic))
		nl_link_delete(nl, nic->link.ifindex);
	nic->made = false;
}

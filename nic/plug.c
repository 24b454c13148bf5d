/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "lib/report.h"
#include "nic/plug.h"
#include "nic/watcher.h"

#define UNASKED 1 /* seconds for OVN where --wait-installed was not given */

static int wait_installed(struct nic *nic)
{
	const struct nic_options *want = nic->want;
	unsigned seconds = want->wait_installed ? want->wait_installed : UNASKED;
	int err;

	if (!want->iface_id[0])
		return 0;
	err = ovs_wait_installed(nic->ovs, nic->name, (int)seconds);
	if (err != -ETIMEDOUT)
		return err;
	if (want->wait_installed)
		return report_error(
			err,
			"%s: OVN did not wire the logical port %s within %u s\nsee whether there "
			"is one of that name (ovn-nbctl show), and ovn-controller runs here",
			nic->name, want->iface_id, seconds);
	report_tell(REPORT_WARNING,
		    "%s: OVN has not wired the logical port %s within %u s\ntapctl check %s",
		    nic->name, want->iface_id, seconds, nic->name);
	return 0;
}

static int draw_nonce(struct ovs_port *port)
{
	uint64_t drawn;

	if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
		return report_error(-errno, "cannot draw a number: %s", strerror(errno));
	snprintf(port->nonce, sizeof(port->nonce), "%016llx", (unsigned long long)drawn);
	return 0;
}

static int wanted_row(struct ovs_port *row, const char *name, const struct record *record)
{
	*row = (struct ovs_port){ .vlan_count = record->policy.vlan_count };
	memcpy(row->name, name, sizeof(row->name));
	memcpy(row->bridge, record->ovs, sizeof(row->bridge));
	memcpy(row->iface_id, record->iface_id, sizeof(row->iface_id));
	memcpy(row->vlans, record->policy.vlans, sizeof(row->vlans));
	return draw_nonce(row);
}

static int refuse_taken(const struct ovs_port *is)
{
	return report_error(-EEXIST,
			    "%s: Open vSwitch has a port of that name on %s, which tapctl did not "
			    "make%s%s\novs-vsctl del-port %s, or choose another --name",
			    is->name, is->bridge, is->iface_id[0] ? ", for iface-id " : "",
			    is->iface_id, is->name);
}

/*
 * The port's device is not in this namespace, or ovs-vswitchd does not run and does not see that it
 * is gone: it may be a running guest's.
 */
static int refuse_elsewhere(const struct ovs_port *is)
{
	return report_error(
		-EBUSY,
		"%s: Open vSwitch has a port of that name on %s, and another device for "
		"it\nsee whether its guest, or ovs-vswitchd, runs in another network namespace",
		is->name, is->bridge);
}

/*
 * A row of tapctl's under that name is of a device that is gone, as this one is new: it is removed
 * as soon as ovs-vswitchd has seen that, too.
 */
static int clear_name(struct ovs *ovs, const char *name, int ifindex)
{
	struct ovs_port old;
	int err = ovs_find_port(ovs, name, &old);

	for (int tries = 0; !err && old.nonce[0] && old.ifindex && old.ifindex != ifindex;
	     tries++) {
		if (tries == 100)
			return refuse_elsewhere(&old);
		poll(NULL, 0, 20);
		err = ovs_find_port(ovs, name, &old);
	}
	if (!err && !old.nonce[0])
		return refuse_taken(&old);
	if (!err)
		err = ovs_remove_port(ovs, &old);
	return err == -ENOENT ? 0 : err;
}

static int add_row(struct ovs *ovs, struct ovs_port *row, int ifindex, const struct record *record)
{
	int err;

	row->ifindex = ifindex;
	err = ovs_add_port(ovs, row, record->guest, false);
	if (err != -EAGAIN)
		return err;
	err = clear_name(ovs, row->name, ifindex);
	return err ? err : ovs_add_port(ovs, row, record->guest, true);
}

int nic_plug(struct nic *nic)
{
	struct ovs_port *row = &nic->row;
	struct watcher watcher;
	int err = wanted_row(row, nic->name, &nic->record);

	if (!err)
		err = watcher_start_port(&watcher, nic->link.ifindex, row,
					 nic->record.by == RECORD_BY_ADD);
	if (!err)
		err = watcher_wait(&watcher);
	if (!err)
		err = add_row(nic->ovs, row, nic->link.ifindex, &nic->record);
	nic->has_row = !err;
	return err ? err : wait_installed(nic);
}

int nic_replug(struct ovs *ovs, const struct link *link, const struct record *record)
{
	struct ovs_port row;
	int err = wanted_row(&row, link->name, record);

	return err ? err : add_row(ovs, &row, link->ifindex, record);
}

void nic_unplug(struct nic *nic)
{
	struct ovs_port row;

	if (nic->has_row && nic->made && ovs_find_port(nic->ovs, nic->name, &row) == 0 &&
	    strcmp(row.nonce, nic->row.nonce) == 0)
		ovs_remove_port(nic->ovs, &row);
	nic->has_row = false;
}

int nic_find_row(struct nic *nic)
{
	int err = ovs_find_port(nic->ovs, nic->name, &nic->row);

	nic->has_row = !err;
	return err == -ENOENT ? 0 : err;
}

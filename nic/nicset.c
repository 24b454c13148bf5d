/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/tap.h"
#include "lib/privs.h"
#include "lib/report.h"
#include "nic/exists.h"
#include "nic/explain.h"
#include "nic/lease.h"
#include "nic/make.h"
#include "nic/nicset.h"
#include "nic/plug.h"
#include "nic/prepare.h"
#include "nic/record.h"
#include "nic/rehearse.h"
#include "nic/verify.h"

int nicset_begin(struct nicset *set, const struct nic_options *wants, size_t count,
		 enum record_maker by)
{
	int err;

	*set = (struct nicset){ .count = 0 };
	/* The opener of the socket needs the capability, too (net/netlink/af_netlink.c). */
	privs_use(PRIVS_LINKS);
	err = nl_open(&set->nl);
	privs_use(PRIVS_NONE);
	if (err)
		return report_error(err, "cannot open a netlink socket: %s", strerror(-err));
	set->nics = calloc(count, sizeof(*set->nics));
	if (!set->nics)
		return report_error(-ENOMEM, "out of memory");
	while (set->count < count && !err) {
		struct nic *nic = &set->nics[set->count];

		err = nic_init(nic, &wants[set->count++], by);
		if (!err && nic->want->kind == NIC_OVS && !set->ovs)
			err = ovs_open(&set->ovs);
		nic->ovs = set->ovs;
		if (!err)
			err = nic_prepare(set->nl, nic, set->count > 1 ? nic - 1 : NULL);
	}
	return err;
}

/*
 * A guest that is started again at once finds the device of its last run, which its watcher has not
 * removed yet, or never will: it is not waited for.
 */
static bool remove_stale(struct nl *nl, const struct nic *nic)
{
	uint8_t guest[MAC_LEN];
	struct link link;
	int err = nl_link_get(nl, nic->name, 0, &link);

	if (!err && lease_is_stale(nl, &link) > 0 && record_guest(guest, &link) &&
	    mac_equal(guest, nic->guest))
		err = nl_link_delete(nl, link.ifindex).err;
	else if (!err)
		return false;
	/* Its watcher may have been faster. */
	return !err || err == -ENODEV;
}

static int make_macvtap(struct nicset *set, struct nic *nic, bool leased)
{
	int ifindex, err = nic_draw_ifindex(set->nl, &ifindex);

	if (!err && leased)
		err = nic_take_lease(set->nl, nic, ifindex, true);
	if (err)
		return err;
	privs_use(PRIVS_LINKS);
	err = nic_make_macvtap(set->nl, nic, ifindex);
	if (err == -EEXIST &&
	    (remove_stale(set->nl, nic) ||
	     (lease_wait_passing(set->nl, nic->name) && remove_stale(set->nl, nic))))
		err = nic_make_macvtap(set->nl, nic, ifindex);
	privs_use(PRIVS_NONE);
	return err ? err : nic_verify_new(set->nl, nic);
}

static void tell_made(const struct nic *nic)
{
	char host[MAC_STRLEN], guest[MAC_STRLEN];

	report_tell(REPORT_STEP, "%s: %s for the guest %s, address %s, %s%s, MTU %u", nic->name,
		    !nic->reused     ? "made" :
		    nic->fds[0] >= 0 ? "opened" :
				       "exists",
		    mac_format(guest, nic->guest), mac_format(host, nic->host),
		    nic->want->kind == NIC_UNATTACHED ? "unattached" : "on ", nic->want->parent,
		    nic->link.mtu);
}

/* What the kernel refused a nic is worded here. */
static int explained(const struct nicset *set, const struct nic *nic, int err)
{
	return err ? explain_refusal(set->nl, nic, err) : 0;
}

static int verify(struct nicset *set, bool all)
{
	struct nic *failed = set->nics;
	int err = nic_verify(set->nl, set->nics, set->count, all, &failed);

	return explained(set, failed, err);
}

static int make_new(struct nicset *set, struct nic *nic)
{
	int err = nic_is_tap(nic) ? nic_make_tap(set->nl, nic, true) :
				    make_macvtap(set, nic, false);

	return !err && nic->want->kind == NIC_OVS ? nic_plug(nic) : err;
}

/* One that another process makes meanwhile is there already, too. */
static int make_unless_there(struct nicset *set, struct nic *nic)
{
	int err = nic_find_same(set->nl, nic);

	if (err || nic->reused)
		return err;
	err = make_new(set, nic);
	if ((err != -EBUSY && err != -EEXIST) || nic->made || report_line()[0])
		return err;
	nic_close_fds(nic);
	err = nic_find_same(set->nl, nic);
	return err || nic->reused ? err : make_new(set, nic);
}

/* What was there already is not touched, but for a macvtap that is not given to its owner yet. */
static int give(struct nicset *set, struct nic *nic)
{
	if (nic->reused && nic_is_tap(nic))
		return 0;
	return explained(set, nic, nic_give(set->nl, nic));
}

int nicset_make_persistent(struct nicset *set, uid_t owner, bool may_exist)
{
	int err = 0;

	tap_allow_many(set->count);
	for (size_t k = 0; k < set->count && !err; k++) {
		struct nic *nic = &set->nics[k];

		nic_set_owner(nic, owner);
		err = may_exist ? make_unless_there(set, nic) : make_new(set, nic);
		if (err)
			return explain_refusal(set->nl, nic, err);
		tell_made(nic);
	}
	err = verify(set, false);
	for (size_t k = 0; k < set->count && !err; k++)
		err = give(set, &set->nics[k]);
	for (size_t k = 0; k < set->count && !err; k++)
		err = set->nics[k].reused ?
			      0 :
			      explained(set, &set->nics[k], nic_persist(&set->nics[k]));
	return err;
}

static int open_tap(struct nicset *set, struct nic *nic)
{
	int err;

	privs_use(PRIVS_LINKS);
	err = nic_make_tap(set->nl, nic, false);
	privs_use(PRIVS_NONE);
	if (!err && nic->want->kind == NIC_OVS && !nic->reused)
		err = nic_plug(nic);
	return err;
}

static int open_macvtap(struct nicset *set, struct nic *nic)
{
	int err = nic->reused ? nic_take_lease(set->nl, nic, nic->link.ifindex, false) :
				make_macvtap(set, nic, true);

	return err ? err : nic_open_macvtap(set->nl, nic);
}

static int make_open(struct nicset *set, struct nic *nic, bool reuse)
{
	int err = reuse ? nic_find_existing(set->nl, nic, "--reuse") : 0;

	if (err)
		return err;
	nic_set_owner(nic, geteuid());
	return nic_is_tap(nic) ? open_tap(set, nic) : open_macvtap(set, nic);
}

int nicset_make_open(struct nicset *set, bool reuse)
{
	for (size_t k = 0; k < set->count; k++) {
		struct nic *nic = &set->nics[k];
		int err;

		set->tried = k + 1;
		err = make_open(set, nic, reuse);
		if (!err)
			err = nic_open_vhost(nic);
		if (err)
			return explain_refusal(set->nl, nic, err);
		tell_made(nic);
	}
	return verify(set, true);
}

int nicset_rehearse(struct nicset *set, uid_t owner, const char *existing)
{
	int err = 0;

	for (size_t k = 0; k < set->count && !err; k++) {
		nic_set_owner(&set->nics[k], owner);
		err = explained(set, &set->nics[k], nic_rehearse(set->nl, &set->nics[k], existing));
	}
	return err;
}

int nicset_read_back(struct nicset *set)
{
	int err = 0;

	for (size_t k = 0; k < set->count && !err; k++)
		err = explained(set, &set->nics[k], nic_read_back(set->nl, &set->nics[k]));
	return err;
}

/*
 * Remove what was made in one pass of the kernel: closing taps one by one waits for each. What this
 * leaves, nic_unmake() removes.
 */
static void remove_made(struct nicset *set)
{
	struct link *made = calloc(set->count, sizeof(*made));
	size_t count = 0;

	for (size_t k = 0; k < set->count && made; k++)
		if (set->nics[k].made && set->nics[k].link.ifindex)
			made[count++] = set->nics[k].link;
	if (count > 1)
		nl_links_delete(set->nl, made, count);
	free(made);
}

void nicset_unmake(struct nicset *set)
{
	if (!set->nl || !set->count)
		return;
	for (size_t k = set->count; k-- > 0;)
		nic_unplug(&set->nics[k]);
	privs_use(PRIVS_LINKS);
	remove_made(set);
	for (size_t k = set->count; k-- > 0;)
		nic_unmake(set->nl, &set->nics[k]);
	privs_use(PRIVS_NONE);
}

void nicset_end(struct nicset *set)
{
	for (size_t k = 0; k < set->count; k++)
		nic_free(&set->nics[k]);
	free(set->nics);
	nl_close(set->nl);
	ovs_close(set->ovs);
}

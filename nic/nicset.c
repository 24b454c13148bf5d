/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

#include "lib/privs.h"
#include "inspect/select.h"
#include "nic/nicset.h"

int nicset_begin(struct nicset *set, const struct nic_options *wants, size_t count)
{
	int err;

	/* The kernel looks at who opened the socket, too (net/netlink/af_netlink.c). */
	privs_use(PRIVS_LINKS);
	err = nl_open(&set->nl);
	privs_use(PRIVS_NONE);
	set->count = set->tried = 0;
	set->nics = calloc(count, sizeof(*set->nics));
	set->watchers = malloc(count * sizeof(*set->watchers));
	if (err)
		return report_error(err, "cannot open a netlink socket: %s", strerror(-err));
	if (!set->nics || !set->watchers)
		return report_error(-ENOMEM, "out of memory");
	for (size_t k = 0; k < count; k++) {
		struct nic *nic = &set->nics[k];

		set->watchers[k] = (struct watcher){ .inotify = -1, .control = -1 };
		err = nic_init(nic, &wants[k]);
		if (err)
			return err;
		set->count++;
		err = nic_prepare(&set->nl, nic, k ? nic - 1 : NULL);
		if (err)
			return err;
	}
	return 0;
}

/* Each tap is held open until all are complete, and there may be more of them than fds. */
static void allow_fds(size_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < count + 16) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int make_macvtap(struct nicset *set, size_t k, bool watched)
{
	struct nic *nic = &set->nics[k];
	int ifindex, err = nic_draw_ifindex(&set->nl, &ifindex);

	if (!err && watched)
		err = watcher_start(&set->watchers[k], ifindex, nic->name, nic->want.guest);
	return err ? err : nic_make_macvtap(&set->nl, nic, ifindex);
}

static void tell_made(const struct nic *nic)
{
	char host[MAC_STRLEN], guest[MAC_STRLEN];

	report_tell(REPORT_STEP, "%s: %s for the guest %s, address %s, %s%s, MTU %u", nic->name,
		    nic->reused ? "opened" : "made", mac_format(guest, nic->want.guest),
		    mac_format(host, nic->host),
		    nic->want.kind == NIC_UNATTACHED ? "unattached" : "on ", nic->want.parent,
		    nic->link.mtu);
}

int nicset_make_lasting(struct nicset *set, uid_t owner)
{
	int err = 0;

	if (set->count > 64)
		allow_fds(set->count);
	for (size_t k = 0; k < set->count && !err; k++) {
		nic_set_owner(&set->nics[k], owner);
		err = set->nics[k].want.kind == NIC_MACVTAP ?
			      make_macvtap(set, k, false) :
			      nic_make_tap(&set->nl, &set->nics[k], true);
		if (!err)
			tell_made(&set->nics[k]);
	}
	for (size_t k = 0; k < set->count && !err; k++)
		err = nic_give(&set->nics[k]);
	for (size_t k = 0; k < set->count && !err; k++)
		err = nic_persist(&set->nics[k]);
	return err;
}

static int make_open(struct nicset *set, size_t k, bool reuse)
{
	struct nic *nic = &set->nics[k];
	int err = reuse ? nic_find_existing(&set->nl, nic) : 0;

	if (err)
		return err;
	nic_set_owner(nic, geteuid());
	privs_use(PRIVS_LINKS);
	if (nic->want.kind != NIC_MACVTAP)
		err = nic_make_tap(&set->nl, nic, false);
	else if (!nic->reused)
		err = make_macvtap(set, k, true);
	privs_use(PRIVS_NONE);
	if (err || nic->want.kind != NIC_MACVTAP)
		return err;
	privs_use(PRIVS_NODES);
	err = nic_open_macvtap(nic, set->watchers[k].inotify);
	privs_use(PRIVS_NONE);
	return err;
}

int nicset_make_open(struct nicset *set, bool reuse)
{
	int err = 0;

	for (size_t k = 0; k < set->count && !err; k++) {
		set->tried = k + 1;
		err = make_open(set, k, reuse);
		if (!err)
			err = nic_open_vhost(&set->nics[k]);
		if (!err)
			tell_made(&set->nics[k]);
	}
	return err;
}

int nicset_verify(struct nicset *set)
{
	int err = 0;

	for (size_t k = 0; k < set->count && !err; k++)
		err = nic_verify(&set->nl, &set->nics[k]);
	return err;
}

/*
 * Remove what was made in one pass of the kernel: closing the taps one by one is a wait for each.
 * Where this fails they go so all the same.
 */
static void remove_made(struct nicset *set)
{
	struct selection made = { .count = 0 };
	int err = 0;

	for (size_t k = 0; k < set->count && !err; k++)
		if (set->nics[k].made && set->nics[k].link.ifindex)
			err = select_link(&made, &set->nics[k].link);
	if (!err && made.count > 1)
		select_delete(&set->nl, &made);
	free(made.links);
}

void nicset_unmake(struct nicset *set)
{
	privs_use(PRIVS_LINKS);
	remove_made(set);
	for (size_t k = set->count; k-- > 0;) {
		nic_unmake(&set->nl, &set->nics[k]);
		watcher_finish(&set->watchers[k]);
	}
	privs_use(PRIVS_NONE);
}

void nicset_end(struct nicset *set)
{
	for (size_t k = 0; k < set->count; k++)
		nic_free(&set->nics[k]);
	free(set->nics);
	free(set->watchers);
	nl_close(&set->nl);
}

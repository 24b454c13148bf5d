/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

#include "lib/privs.h"
#include "inspect/select.h"
#include "nic/nicset.h"

int wire_begin(struct wire *wire, const struct nic_options *wants, size_t count)
{
	int err;

	/* The kernel looks at who opened the socket, too (net/netlink/af_netlink.c). */
	privs_use(PRIVS_LINKS);
	err = nl_open(&wire->nl);
	privs_use(PRIVS_NONE);
	wire->count = wire->tried = 0;
	wire->nics = calloc(count, sizeof(*wire->nics));
	wire->watchers = malloc(count * sizeof(*wire->watchers));
	if (err)
		return report_error(err, "cannot open a netlink socket: %s", strerror(-err));
	if (!wire->nics || !wire->watchers)
		return report_error(-ENOMEM, "out of memory");
	for (size_t k = 0; k < count; k++) {
		struct nic *nic = &wire->nics[k];

		wire->watchers[k] = (struct watcher){ .inotify = -1, .control = -1 };
		err = nic_init(nic, &wants[k]);
		if (err)
			return err;
		wire->count++;
		err = nic_prepare(&wire->nl, nic, k ? nic - 1 : NULL);
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

static int make_macvtap(struct wire *wire, size_t k, bool watched)
{
	struct nic *nic = &wire->nics[k];
	int ifindex, err = nic_draw_ifindex(&wire->nl, &ifindex);

	if (!err && watched)
		err = watcher_start(&wire->watchers[k], ifindex, nic->name, nic->want.guest);
	return err ? err : nic_make_macvtap(&wire->nl, nic, ifindex);
}

static void tell_made(const struct nic *nic)
{
	char host[MAC_STRLEN], guest[MAC_STRLEN];

	report_tell(REPORT_STEP, "%s: %s for the guest %s, address %s, %s%s, MTU %u", nic->name,
		    nic->reused ? "opened" : "made", mac_format(guest, nic->want.guest),
		    mac_format(host, nic->host),
		    nic->want.kind == NIC_UNATTACHED ? "unattached" : "on ", nic->want.attach,
		    nic->link.mtu);
}

int wire_make_lasting(struct wire *wire, uid_t owner)
{
	int err = 0;

	if (wire->count > 64)
		allow_fds(wire->count);
	for (size_t k = 0; k < wire->count && !err; k++) {
		nic_set_owner(&wire->nics[k], owner);
		err = wire->nics[k].want.kind == NIC_MACVTAP ?
			      make_macvtap(wire, k, false) :
			      nic_make_tap(&wire->nl, &wire->nics[k], true);
		if (!err)
			tell_made(&wire->nics[k]);
	}
	for (size_t k = 0; k < wire->count && !err; k++)
		err = nic_give(&wire->nics[k]);
	for (size_t k = 0; k < wire->count && !err; k++)
		err = nic_persist(&wire->nics[k]);
	return err;
}

static int make_open(struct wire *wire, size_t k, bool reuse)
{
	struct nic *nic = &wire->nics[k];
	int err = reuse ? nic_find_existing(&wire->nl, nic) : 0;

	if (err)
		return err;
	nic_set_owner(nic, geteuid());
	privs_use(PRIVS_LINKS);
	if (nic->want.kind != NIC_MACVTAP)
		err = nic_make_tap(&wire->nl, nic, false);
	else if (!nic->reused)
		err = make_macvtap(wire, k, true);
	privs_use(PRIVS_NONE);
	if (err || nic->want.kind != NIC_MACVTAP)
		return err;
	privs_use(PRIVS_NODES);
	err = nic_open_macvtap(nic, wire->watchers[k].inotify);
	privs_use(PRIVS_NONE);
	return err;
}

int wire_make_open(struct wire *wire, bool reuse)
{
	int err = 0;

	for (size_t k = 0; k < wire->count && !err; k++) {
		wire->tried = k + 1;
		err = make_open(wire, k, reuse);
		if (!err)
			err = nic_open_vhost(&wire->nics[k]);
		if (!err)
			tell_made(&wire->nics[k]);
	}
	return err;
}

int wire_verify(struct wire *wire)
{
	int err = 0;

	for (size_t k = 0; k < wire->count && !err; k++)
		err = nic_verify(&wire->nl, &wire->nics[k]);
	return err;
}

/*
 * Remove what was made in one pass of the kernel: closing the taps one by one is a wait for each.
 * Where this fails they go so all the same.
 */
static void remove_made(struct wire *wire)
{
	struct selection made = { .count = 0 };
	int err = 0;

	for (size_t k = 0; k < wire->count && !err; k++)
		if (wire->nics[k].made && wire->nics[k].link.ifindex)
			err = select_link(&made, &wire->nics[k].link);
	if (!err && made.count > 1)
		select_delete(&wire->nl, &made);
	free(made.links);
}

void wire_unmake(struct wire *wire)
{
	privs_use(PRIVS_LINKS);
	remove_made(wire);
	for (size_t k = wire->count; k-- > 0;) {
		nic_unmake(&wire->nl, &wire->nics[k]);
		watcher_finish(&wire->watchers[k]);
	}
	privs_use(PRIVS_NONE);
}

void wire_end(struct wire *wire)
{
	for (size_t k = 0; k < wire->count; k++)
		nic_free(&wire->nics[k]);
	free(wire->nics);
	free(wire->watchers);
	nl_close(&wire->nl);
}

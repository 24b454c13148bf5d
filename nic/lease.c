/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/netns.h"
#include "lib/privs.h"
#include "lib/report.h"
#include "nic/lease.h"
#include "nic/record.h"

int lease_number(int ifindex)
{
	return ifindex < IFINDEX_HIGH ? ifindex + IFINDEX_HIGH : ifindex;
}

static int refuse_namespace(struct nl *nl, int ifindex, int err)
{
	char others[64] = " and --user $USER (other ways: tapctl(8), ACCESS)";
	struct link link;

	/* Another namespace is known, and numbered, by it alone (net/core/net_namespace.c). */
	if (err == -EPERM && !privs_suffice(PRIVS_LINKS)) {
		if (nl_link_get(nl, NULL, ifindex, &link) == 0)
			snprintf(others, sizeof(others),
				 "; the owner of /dev/tap%d may open that without tapctl", ifindex);
		return report_error(err,
				    "--link: the lease of a macvtap needs CAP_NET_ADMIN over this "
				    "network namespace\nrun it with sudo%s",
				    others);
	}
	if (err == -ENOSPC)
		return report_error(err,
				    "--link: no network namespace for the lease of a macvtap: as "
				    "many are in use as sysctl user.max_net_namespaces allows");
	return report_error(err, "--link: no network namespace for the lease of a macvtap: %s\n%s",
			    strerror(-err),
			    err == -EPERM || err == -ENOSYS || err == -EINVAL ?
				    "it needs CAP_SYS_ADMIN, or user namespaces, which a container "
				    "or a unit (RestrictNamespaces=) may forbid" :
				    "");
}

/*
 * A lease that has ended keeps its number until the kernel has cleaned up, some 0 to 66 ms. -EBUSY:
 * it has not ended.
 */
static int set_number(struct nl *nl, int lease, int number)
{
	int err = netns_set_number(nl, lease, number);

	for (int tries = 0; tries < 200 && err == -EEXIST; tries++) {
		if (netns_find_number(nl, number) != -ENOENT)
			return -EBUSY;
		poll(NULL, 0, 5);
		err = netns_set_number(nl, lease, number);
	}
	return err;
}

int lease_take(struct nl *nl, int ifindex)
{
	int lease, err;

	privs_use(PRIVS_NAMESPACES);
	lease = netns_make(nl);
	err = lease < 0 ? lease : set_number(nl, lease, lease_number(ifindex));
	privs_use(PRIVS_NONE);
	if (lease < 0)
		return refuse_namespace(nl, ifindex, lease);
	if (!err)
		return lease;
	close(lease);
	return err == -EBUSY ? err :
			       report_error(err, "cannot number the lease of a macvtap: %s",
					    nl_strerror(err));
}

/* With the rights to open a node, and with no others. */
static int open_queues(void *queues)
{
	int err;

	privs_use(PRIVS_NODES);
	err = macvtap_open_queues(queues);
	privs_use(PRIVS_NAMESPACES);
	return err;
}

int lease_open_queues(struct macvtap_queues *queues, void *data)
{
	const struct lessee *lessee = data;
	int err;

	privs_use(PRIVS_NAMESPACES);
	err = netns_run(lessee->nl, lessee->lease, open_queues, queues);
	privs_use(PRIVS_NONE);
	return err;
}

/* Whether it is a macvtap of exec's whose lease would be found here. */
static bool is_leased(const struct link *link)
{
	struct record record;

	return link->kind == LINK_MACVTAP && !link->lower_elsewhere && record_read(&record, link) &&
	       record.by == RECORD_BY_EXEC;
}

static enum use find_macvtap_use(struct nl *nl, const struct link *link,
				 const struct holders *holders)
{
	dev_t rdev;

	if (netns_find_number(nl, lease_number(link->ifindex)) != -ENOENT)
		return USE_HELD;
	if (is_leased(link))
		return USE_NONE;
	rdev = holders ? macvtap_rdev(link) : 0;
	if (rdev && holders_next(holders, NULL, "", rdev))
		return USE_HELD;
	return !rdev || holders->incomplete || holders->nested ? USE_UNKNOWN : USE_NONE;
}

enum use lease_find_use(struct nl *nl, const struct link *link, const struct holders *holders)
{
	if (link->kind == LINK_MACVTAP)
		return find_macvtap_use(nl, link, holders);
	/* One that is not persistent is there because somebody has it. */
	if (link->kind == LINK_TUN)
		return link->tun.queues || !link->tun.persistent ? USE_HELD : USE_NONE;
	return USE_NONE;
}

static bool is_passing(struct nl *nl, const char *name)
{
	struct holders holders;
	struct link link;
	bool passing = false;

	if (nl_link_get(nl, name, 0, &link) == 0 && holders_read(&holders) == 0) {
		passing = holders_are_passing(&holders, name, macvtap_rdev(&link));
		holders_free(&holders);
	}
	report_forget();
	return passing;
}

bool lease_wait_passing(struct nl *nl, const char *name)
{
	struct link link;

	for (int tries = 0; tries < 50 && is_passing(nl, name); tries++)
		poll(NULL, 0, 10);
	return nl_link_get(nl, name, 0, &link) == -ENODEV || lease_is_stale(nl, &link) > 0;
}

int lease_is_stale(struct nl *nl, const struct link *link)
{
	int err;

	if (!is_leased(link))
		return 0;
	err = netns_find_number(nl, lease_number(link->ifindex));
	return err == -ENOENT ? 1 : err;
}

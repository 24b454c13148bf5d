/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "kernel/macvtap.h"
#include "lib/report.h"
#include "nic/exists.h"
#include "nic/lease.h"
#include "nic/verify.h"

/* A tap becomes persistent when all the rest of it is done; another device comes up last. */
static bool is_complete(const struct link *link)
{
	struct record record;

	if (link->kind == LINK_TUN)
		return link->tun.persistent;
	return record_read(&record, link) && link->flags & IFF_UP;
}

/* Another add may be at work on it. */
static int get_complete(struct nl *nl, const struct nic *nic, struct link *link)
{
	int err = nl_link_get(nl, nic->name, 0, link);

	for (int tries = 0; tries < 10 && !err && !is_complete(link); tries++) {
		if (link->kind != LINK_TUN)
			poll(NULL, 0, 5);
		else
			lease_wait_passing(nl, nic->name);
		err = nl_link_get(nl, nic->name, 0, link);
	}
	return err;
}

/* The record has what was asked for, in words: also those of which this file knows nothing. */
static int check_record(const struct nic *nic, const struct link *link)
{
	char is[LINK_ALIAS], wanted[LINK_ALIAS];
	struct record record;

	if (!record_read(&record, link))
		return report_error(-EEXIST,
				    "%s: already exists, a %s that tapctl did not make\nchoose "
				    "another --name",
				    nic->name, link_kind_word(link));
	memcpy(is, link->alias, sizeof(is));
	memcpy(wanted, nic->alias, sizeof(wanted));
	/* Of an old record only the guest is known. */
	if (record.by == RECORD_OLD || !record_differs(is, wanted))
		return 0;
	if (!record.host && !mac_equal(record.guest, nic->guest))
		return report_error(-EEXIST,
				    "%s: already exists, made for the guest %s\nchoose another "
				    "--name",
				    nic->name, is);
	return report_error(
		-ESTALE,
		"%s: already exists, and was made %s%s%s%s%s\nask for the same, or make "
		"it anew: tapctl del %s",
		nic->name, is[0] ? "with " : "", is, is[0] && wanted[0] ? " and " : "",
		wanted[0] ? "without " : "", wanted, nic->name);
}

static int refuse_owner(const struct nic *nic, const char *kind, unsigned is, const char *option)
{
	return report_error(-ESTALE,
			    "%s: already exists, and belongs to %s %u\nsay --%s %u, or make it "
			    "anew: tapctl del %s",
			    nic->name, kind, is, option, is, nic->name);
}

/* Who may open it, as nic_give() would set it: with (uid_t)-1 and (gid_t)-1 nobody. */
static int check_owner(struct nic *nic, uid_t uid, gid_t gid)
{
	if (nic->owner == uid && nic->group == gid)
		return 0;
	if (uid != (uid_t)-1 && nic->owner != uid)
		return refuse_owner(nic, "uid", uid, "owner");
	if (gid != (gid_t)-1 && nic->group != gid)
		return refuse_owner(nic, "gid", gid, "group");
	return report_error(-ESTALE,
			    "%s: already exists, and not with this owner and group\nmake it anew: "
			    "tapctl del %s",
			    nic->name, nic->name);
}

static int check_macvtap(struct nic *nic)
{
	struct node_owner node;

	if (!nic->rdev || !macvtap_node_is(nic->link.ifindex, nic->rdev, &node))
		return 0;
	/* An add that was killed, or is at work, has not given it to its owner. */
	if (node.uid == 0 && node.gid == (gid_t)-1)
		return 0;
	/* A group alone leaves root as the owner. */
	return check_owner(nic, node.uid == 0 && nic->owner == (uid_t)-1 ? (uid_t)-1 : node.uid,
			   node.gid);
}

static int check_tap(struct nic *nic)
{
	const struct link *link = &nic->link;
	int err = check_owner(nic, link->tun.has_owner ? link->tun.owner : (uid_t)-1,
			      link->tun.has_group ? link->tun.group : (gid_t)-1);

	if (!err && link->tun.multi_queue != (nic->want->queues > 1))
		err = report_error(-ESTALE,
				   "%s: already exists, made %s several queues\n--queues has to "
				   "agree",
				   nic->name, link->tun.multi_queue ? "for" : "without");
	if (!err && link->tun.vnet_hdr == nic->want->no_vnet_hdr)
		err = report_error(-ESTALE,
				   "%s: already exists, made %s IFF_VNET_HDR\n--no-vnet-hdr has to "
				   "agree",
				   nic->name, link->tun.vnet_hdr ? "with" : "without");
	return err;
}

int nic_find_same(struct nl *nl, struct nic *nic)
{
	struct link link;
	int err;

	if (strchr(nic->name, '%'))
		return report_error(-EINVAL,
				    "%s: --may-exist: the kernel chooses this name, and never one "
				    "that exists",
				    nic->name);
	err = get_complete(nl, nic, &link);
	/* What exec has left behind is as good as gone. */
	if (err == -ENODEV || (!err && lease_is_stale(nl, &link) > 0))
		return 0;
	if (err)
		return report_error(err, "%s: cannot look it up: %s", nic->name, nl_strerror(err));
	err = check_record(nic, &link);
	if (!err)
		err = nic_find_existing(nl, nic, "--may-exist");
	if (err || !nic->reused)
		return err;
	return nic_is_tap(nic)		      ? check_tap(nic) :
	       nic->want->kind == NIC_MACVTAP ? check_macvtap(nic) :
						0;
}

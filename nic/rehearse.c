/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kernel/tap.h"
#include "nic/exists.h"
#include "nic/lease.h"
#include "nic/make.h"
#include "nic/rehearse.h"
#include "nic/verify.h"

static int find_existing(struct nl *nl, struct nic *nic, const char *existing)
{
	if (!existing)
		return 0;
	return nic->record.by == RECORD_BY_ADD ? nic_find_same(nl, nic) :
						 nic_find_existing(nl, nic, existing);
}

/* Refused as the kernel would refuse it. */
static int check_name(struct nl *nl, struct nic *nic)
{
	const struct nl_result taken = { .err = -EEXIST, .step = NL_CREATE };
	struct link link;
	int err = strchr(nic->name, '%') ? -ENODEV : nl_link_get(nl, nic->name, 0, &link);

	if (err == -ENODEV || (!err && lease_is_stale(nl, &link) > 0))
		return 0;
	if (err)
		return nic_refused_errno(nic, NIC_STEP_READ, err);
	if (nic_is_tap(nic))
		return nic_refused_errno(nic, NIC_STEP_QUEUE, -EBUSY);
	return nic_refused(nic, NIC_STEP_CREATE, &taken);
}

static int check_tap(struct nl *nl, const struct nic *nic)
{
	int fd, err = tap_open(&fd);

	if (err)
		return err;
	close(fd);
	return nic->want->kind == NIC_BRIDGED ? nic_check_address(nl, nic) : 0;
}

static int check_macvtap(struct nl *nl, struct nic *nic)
{
	const struct nl_result in_use = { .err = -EADDRINUSE, .step = NL_UP };
	struct link rival;
	int err = nic_find_rival(nl, nic, false, &rival);

	if (err == -EEXIST || mac_equal(nic->parent.address, nic->host))
		return nic_refused(nic, NIC_STEP_CREATE, &in_use);
	return err < 0 ? nic_refused_errno(nic, NIC_STEP_READ, err) : 0;
}

int nic_rehearse(struct nl *nl, struct nic *nic, const char *existing)
{
	int err = find_existing(nl, nic, existing);

	if (err || nic->reused)
		return err;
	err = check_name(nl, nic);
	if (err)
		return err;
	return nic_is_tap(nic) ? check_tap(nl, nic) : check_macvtap(nl, nic);
}

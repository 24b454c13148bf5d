/* SPDX-License-Identifier: MIT */
/*
 * tapctl bridge-helper, in place of qemu's: make a tap on a bridge that the access file allows, and
 * send its fd through a Unix socket. The tap lives as long as that fd.
 */
#include <stdlib.h>

#include "commands/command.h"
#include "lib/access.h"
#include "nic/nicset.h"
#include "vmm/audit.h"
#include "vmm/fds.h"

static int run_bridgehelper(struct run *run)
{
	const struct options *options = &run->options;
	struct nicset set;
	int err = fds_check_socket(options->fd);

	if (err)
		return err;
	err = nicset_begin(&set, options->nics, 1, RECORD_BY_EXEC);
	if (!err)
		err = access_check(set.nics[0].parent.name, false);
	if (err)
		goto out;
	err = nicset_make_open(&set, false);
	if (!err)
		err = fds_send(options->fd, set.nics[0].fds[0]);
	if (!options->no_audit)
		audit_nics(set.nics, set.tried, !err);
out:
	/* A tap that qemu did not get is removed with its last fd. */
	nicset_end(&set);
	return err;
}

/* qemu knows only one exit status of a failure. */
const struct command command_bridgehelper = {
	.name = "bridge-helper",
	.words = "",
	.summary = "act as qemu's helper for -netdev bridge",
	.options = FOR_HELPER,
	.unprivileged = true,
	.misuse = EXIT_FAILURE,
	.run = run_bridgehelper,
};

/* SPDX-License-Identifier: MIT */
/*
 * tapctl add: make persistent devices.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/dryrun.h"
#include "inspect/show.h"
#include "lib/parse.h"
#include "lib/report.h"
#include "nic/nicset.h"

/* The user who ran sudo, which only root may claim, else the caller. */
static uid_t find_caller(void)
{
	const char *sudo = geteuid() == 0 ? getenv("SUDO_UID") : NULL;
	unsigned long uid;

	return sudo && parse_number(&uid, sudo, 0, (uid_t)-2) ? (uid_t)uid : getuid();
}

static int print_json(struct nicset *set)
{
	struct lookups lookups = { .nl = set->nl, .whole = true };
	struct show show = { .out = stdout, .json = true };
	/* They got their owner and became persistent after they were read last. */
	int err = nicset_read_back(set);

	if (err)
		return err;
	show_begin(&show);
	for (size_t k = 0; k < set->count; k++) {
		struct device device;

		/* tapctl has closed its own when this is read. */
		if (!set->nics[k].reused)
			set->nics[k].link.tun.queues = 0;
		device_look_up(&lookups, &set->nics[k].link, &device);
		show_device(&show, &device);
	}
	if (show_end(&show) < 0)
		lookups.err = -ENOMEM;
	lookups_free(&lookups);
	return lookups.err ? report_error(lookups.err, "cannot look up what the devices are on: %s",
					  nl_strerror(lookups.err)) :
			     0;
}

static int print_added(const struct run *run, struct nicset *set)
{
	int err = run->options.json ? print_json(set) : 0;

	for (size_t k = 0; k < set->count && !run->options.json; k++)
		puts(set->nics[k].link.name);
	return err ? err : command_flush_output();
}

/* Everything but making them. */
static int rehearse(const struct run *run, struct nicset *set)
{
	int err = nicset_rehearse(set, find_caller(),
				  run->options.may_exist ? "--may-exist" : NULL);

	if (err)
		return err;
	dry_run_print(stdout, set, run->options.netns);
	return command_flush_output();
}

static int make(const struct run *run, struct nicset *set)
{
	int err = nicset_make_persistent(set, find_caller(), run->options.may_exist);

	return err ? err : print_added(run, set);
}

static int run_add(struct run *run)
{
	struct nicset set;
	sigset_t signals;
	int err;

	/* All or nothing: a signal that would end this half-way waits until it is done. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGPIPE);
	sigaddset(&signals, SIGXFSZ);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	err = nicset_begin(&set, run->options.nics, run->options.nic_count, RECORD_BY_ADD);
	if (!err)
		err = run->options.dry_run ? rehearse(run, &set) : make(run, &set);
	if (err)
		nicset_unmake(&set);
	nicset_end(&set);
	return err;
}

const struct command command_add = {
	.name = "add",
	.words = "",
	.summary = "make persistent devices",
	.notes = "Options after a --mac are for that NIC, those before the first for all.\n\n"
		 "  tapctl add --bridge br0 --mac 52:54:00:84:e3:62 --owner alice\n",
	.options = FOR_ADD,
	.run = run_add,
};

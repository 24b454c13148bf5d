/* SPDX-License-Identifier: MIT */
/*
 * tapctl del: remove devices.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "commands/command.h"
#include "inspect/select.h"
#include "kernel/holders.h"
#include "kernel/macvtap.h"
#include "lib/report.h"
#include "nic/lease.h"
#include "nic/record.h"

static int check_deletable(const struct link *link, bool force)
{
	uint8_t guest[MAC_LEN];

	if (!link_is_tap(link) && link->kind != LINK_MACVLAN)
		return report_error(-EOPNOTSUPP,
				    "%s: is not a tap, macvtap or macvlan: tapctl does not "
				    "remove it",
				    link->name);
	if (!record_guest(guest, link) && !record_is_host(link) && !force)
		return report_error(-EPERM,
				    "%s: tapctl did not make it: --force removes it all the same",
				    link->name);
	return 0;
}

/* The VMM may be just ending: wait for it up to two seconds. */
static enum use wait_for_use(struct nl *nl, struct link *link)
{
	const struct timespec moment = { .tv_nsec = 20000000 };
	enum use use = USE_NONE;
	struct holders holders;

	for (int tries = 0; tries < 100; tries++) {
		use = lease_find_use(nl, link, NULL);
		/* /proc is read only for what the kernel does not tell. */
		if (use == USE_UNKNOWN && holders_read(&holders) == 0) {
			use = lease_find_use(nl, link, &holders);
			holders_free(&holders);
		}
		if (use != USE_HELD)
			break;
		nanosleep(&moment, NULL);
		if (nl_link_get(nl, NULL, link->ifindex, link) < 0)
			return USE_NONE;
	}
	return use;
}

static int refuse_use(const struct link *link, enum use use)
{
	const struct holder *holder = NULL;
	struct holders holders = { .count = 0 };
	char words[64] = "";

	if (use == USE_UNKNOWN)
		return report_error(
			-EBUSY,
			"%s: whether it is in use is not known: processes that cannot be "
			"looked into may have it open: run it as root and outside of "
			"containers, or with --force",
			link->name);
	if (holders_read(&holders) == 0)
		holder = holders_next(&holders, NULL, link->name, macvtap_rdev(link));
	report_forget();
	if (holder)
		snprintf(words, sizeof(words), " by %s (pid %d)", holder->command,
			 (int)holder->pid);
	holders_free(&holders);
	return report_error(-EBUSY,
			    "%s: in use%s: end its guest first, or remove it all the same with "
			    "--force",
			    link->name, words);
}

static int check_unused(struct nl *nl, const struct selection *selection)
{
	int err = 0;

	for (size_t i = 0; i < selection->count && !err; i++) {
		enum use use = wait_for_use(nl, &selection->links[i]);

		if (use != USE_NONE)
			err = refuse_use(&selection->links[i], use);
	}
	return err;
}

static int delete_links(struct nl *nl, const struct selection *selection)
{
	struct nl_result result = nl_links_delete(nl, selection->links, selection->count);
	const char *remedy = result.err == -EPERM ? ": run it with sudo" : "";

	if (result.err && selection->count == 1)
		return report_error(result.err, "%s: cannot remove it: %s%s",
				    selection->links[0].name, nl_result_text(&result), remedy);
	if (result.err)
		return report_error(result.err, "%s and %zu more: cannot remove them: %s%s",
				    selection->links[0].name, selection->count - 1,
				    nl_result_text(&result), remedy);
	for (size_t i = 0; i < selection->count; i++)
		report_tell(REPORT_STEP, "%s: removed", selection->links[i].name);
	return 0;
}

static int run_del(struct run *run)
{
	struct selection selection = { .count = 0 };
	int err;

	if (run->options.stale == (run->words[0] != NULL)) {
		report_error(-EINVAL, "del: give names or guest addresses, or --stale");
		return EXIT_USAGE;
	}
	err = run->options.stale ? select_stale(run->nl, &selection) :
				   select_words(run->nl, &selection, run->words);
	for (size_t i = 0; i < selection.count && !err; i++)
		err = check_deletable(&selection.links[i], run->options.force);
	if (!err && !run->options.force && !run->options.stale)
		err = check_unused(run->nl, &selection);
	if (!err)
		err = delete_links(run->nl, &selection);
	free(selection.links);
	return err;
}

const struct command command_del = {
	.name = "del",
	.words = "NAME|MAC...",
	.summary = "remove devices",
	.options = FOR_DEL,
	.max_words = -1,
	.wants_netlink = true,
	.run = run_del,
};

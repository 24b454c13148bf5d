/* SPDX-License-Identifier: MIT */
/*
 * tapctl del: remove devices.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/command.h"
#include "inspect/select.h"
#include "kernel/holders.h"
#include "kernel/macvtap.h"
#include "kernel/tap.h"
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

/* /proc is read only for what the kernel does not tell. */
static enum use find_use(struct nl *nl, const struct link *link)
{
	enum use use = lease_find_use(nl, link, NULL);
	struct holders holders;

	if (use != USE_UNKNOWN || holders_read(&holders) < 0)
		return use;
	use = lease_find_use(nl, link, &holders);
	holders_free(&holders);
	return use;
}

/* One that disappeared is in nobody's way. */
static void read_again(struct nl *nl, struct link *link)
{
	if (nl_link_get(nl, NULL, link->ifindex, link) < 0)
		link->kind = LINK_OTHER;
}

/* The VMM may be just ending: wait for it until @deadline. */
static enum use wait_for_use(struct nl *nl, struct link *link, const struct timespec *deadline,
			     bool *waited)
{
	const struct timespec moment = { .tv_nsec = 20000000 };
	enum use use = find_use(nl, link);
	struct timespec now;

	while (use == USE_HELD) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > deadline->tv_sec ||
		    (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec))
			break;
		*waited = true;
		nanosleep(&moment, NULL);
		read_again(nl, link);
		use = find_use(nl, link);
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

/* All of them at one look: while one was waited for, somebody may have taken another. */
static int check_unused(struct nl *nl, const struct selection *selection)
{
	struct timespec deadline;
	bool waited = true;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += 2;
	while (waited) {
		waited = false;
		for (size_t i = 0; i < selection->count; i++) {
			struct link *link = &selection->links[i];
			enum use use = wait_for_use(nl, link, &deadline, &waited);

			if (use != USE_NONE)
				return refuse_use(link, use);
		}
		for (size_t i = 0; i < selection->count && waited; i++)
			read_again(nl, &selection->links[i]);
	}
	return 0;
}

/*
 * Hold a device until it is removed, so that nobody opens it meanwhile: a macvtap of add's by its
 * lease, a tap by its one queue. Returns a descriptor, -EBUSY, or another negative errno where the
 * look before has to do.
 */
static int hold_device(struct nl *nl, const struct link *link)
{
	const struct queue_flags flags = { .vnet_hdr = link->tun.vnet_hdr };
	char name[IFNAMSIZ];
	struct record record;
	int fd, err;

	if (link->kind == LINK_MACVTAP && record_read(&record, link) && record.by == RECORD_BY_ADD)
		return lease_take(nl, link->ifindex);
	if (link->kind != LINK_TUN || !link->tun.persistent || link->tun.multi_queue)
		return -EOPNOTSUPP;
	err = tap_open(&fd);
	if (err)
		return err;
	memcpy(name, link->name, sizeof(name));
	err = tap_connect(fd, name, &flags);
	if (err)
		close(fd);
	return err ? err : fd;
}

static int hold_devices(struct nl *nl, const struct selection *selection, int holds[])
{
	for (size_t i = 0; i < selection->count; i++) {
		holds[i] = hold_device(nl, &selection->links[i]);
		if (holds[i] == -EBUSY)
			return refuse_use(&selection->links[i], USE_HELD);
		report_forget();
	}
	return 0;
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

static int delete_unused(struct nl *nl, const struct selection *selection)
{
	int *holds, err;

	if (!selection->count)
		return 0;
	holds = malloc(selection->count * sizeof(*holds));
	if (!holds)
		return report_error(-ENOMEM, "out of memory");
	for (size_t i = 0; i < selection->count; i++)
		holds[i] = -1;
	err = check_unused(nl, selection);
	if (!err)
		err = hold_devices(nl, selection, holds);
	if (!err)
		err = delete_links(nl, selection);
	for (size_t i = 0; i < selection->count; i++)
		if (holds[i] >= 0)
			close(holds[i]);
	free(holds);
	return err;
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
	if (!err)
		err = run->options.force || run->options.stale ? delete_links(run->nl, &selection) :
								 delete_unused(run->nl, &selection);
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

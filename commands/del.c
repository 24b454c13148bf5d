/* SPDX-License-Identifier: MIT */
/*
 * tapctl del: remove devices.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/command.h"
#include "inspect/inventory.h"
#include "inspect/select.h"
#include "kernel/holders.h"
#include "kernel/macvtap.h"
#include "kernel/ovs.h"
#include "kernel/tap.h"
#include "lib/report.h"
#include "nic/lease.h"
#include "nic/record.h"

#define MOMENT 20 /* ms, until it is looked again */

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
				    "%s: tapctl did not make it\n--force removes it all the same",
				    link->name);
	return 0;
}

/* One that disappeared is in nobody's way. */
static void read_again(struct nl *nl, struct link *link)
{
	if (nl_link_get(nl, NULL, link->ifindex, link) < 0)
		link->kind = LINK_OTHER;
}

static bool is_past(const struct timespec *deadline)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > deadline->tv_sec ||
	       (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

/* The VMM may be just ending: wait for it until @deadline. */
static enum use wait_for_use(struct lookups *lookups, struct link *link,
			     const struct timespec *deadline, bool *waited)
{
	enum use use = lookups_find_use(lookups, link);

	while (use == USE_HELD && !is_past(deadline)) {
		if (!*waited)
			report_tell(REPORT_STEP, "%s: in use: waiting for the end of its guest",
				    link->name);
		*waited = true;
		poll(NULL, 0, MOMENT);
		read_again(lookups->nl, link);
		lookups_forget_holders(lookups);
		use = lookups_find_use(lookups, link);
	}
	return use;
}

static int refuse_use(const struct link *link, enum use use)
{
	char words[HOLDER_TEXT];

	if (use == USE_UNKNOWN)
		return report_error(
			-EBUSY,
			"%s: whether it is in use is not known: processes that cannot be "
			"looked into may have it open\nrun it as root and outside of "
			"containers, or with --force",
			link->name);
	return report_error(
		-EBUSY, "%s: in use%s\nend its guest first, or remove it all the same with --force",
		link->name,
		holders_look_up(words, " by %s (pid %d)", link->name, macvtap_rdev(link)));
}

static void read_all_again(struct nl *nl, const struct selection *selection)
{
	for (size_t i = 0; i < selection->count; i++)
		read_again(nl, &selection->links[i]);
}

/* All of them at one look: while one was waited for, somebody may have taken another. */
static int check_unused(struct nl *nl, const struct selection *selection,
			const struct timespec *deadline)
{
	struct lookups lookups = { .nl = nl };
	bool waited = true;
	int err = 0;

	while (waited && !err) {
		waited = false;
		for (size_t i = 0; i < selection->count && !err; i++) {
			struct link *link = &selection->links[i];
			enum use use = wait_for_use(&lookups, link, deadline, &waited);

			if (use != USE_NONE)
				err = refuse_use(link, use);
		}
		if (waited)
			read_all_again(nl, selection);
		lookups_forget_holders(&lookups);
	}
	return err;
}

/* Whoever sees no other queue after opening one has the tap; exec --reuse decides the same way. */
static int check_alone(struct nl *nl, const struct link *link)
{
	struct link now;
	int err = link->tun.multi_queue ? nl_link_get(nl, NULL, link->ifindex, &now) : 0;

	return !err && link->tun.multi_queue && now.tun.queues > 1 ? -EBUSY : err;
}

static int hold_tap(struct nl *nl, const struct link *link)
{
	const struct queue_flags flags = { .vnet_hdr = link->tun.vnet_hdr,
					   .multi_queue = link->tun.multi_queue };
	char name[IFNAMSIZ];
	int fd, err;

	err = tap_open(&fd);
	if (err)
		return err;
	memcpy(name, link->name, sizeof(name));
	err = tap_connect(fd, name, &flags);
	if (!err)
		err = check_alone(nl, link);
	if (err)
		close(fd);
	return err ? err : fd;
}

/*
 * Hold a device until it is removed, so that nobody opens it meanwhile: a macvtap of add's by its
 * lease, a tap by a queue. Returns a descriptor, -EBUSY, or another negative errno where the look
 * before has to do.
 */
static int hold_device(struct nl *nl, const struct link *link)
{
	struct record record;

	if (link->kind == LINK_MACVTAP && record_read(&record, link) && record.by == RECORD_BY_ADD)
		return lease_take(nl, link->ifindex);
	if (link->kind == LINK_TUN && link->tun.persistent)
		return hold_tap(nl, link);
	return -EOPNOTSUPP;
}

static void release(const struct selection *selection, int holds[])
{
	for (size_t i = 0; i < selection->count; i++) {
		if (holds[i] >= 0)
			close(holds[i]);
		holds[i] = -1;
	}
}

/* Hold all of them. -EBUSY, and none is held: @busy is one that somebody was faster to open. */
static int hold_devices(struct nl *nl, const struct selection *selection, int holds[],
			const struct link **busy)
{
	for (size_t i = 0; i < selection->count; i++) {
		holds[i] = hold_device(nl, &selection->links[i]);
		if (holds[i] == -EBUSY) {
			*busy = &selection->links[i];
			release(selection, holds);
			return -EBUSY;
		}
		report_forget();
		if (holds[i] >= 0)
			report_tell(REPORT_STEP, "%s: open, so that nobody else opens it",
				    selection->links[i].name);
	}
	return 0;
}

/* Hold all of them, unused, as soon as that can be: another del may be at work on one. */
static int take_devices(struct nl *nl, const struct selection *selection, int holds[])
{
	const struct link *busy = NULL;
	struct timespec deadline;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += 2;
	for (;;) {
		err = check_unused(nl, selection, &deadline);
		if (!err)
			err = hold_devices(nl, selection, holds, &busy);
		if (err != -EBUSY || report_line()[0])
			return err;
		if (is_past(&deadline))
			return refuse_use(busy, USE_HELD);
		poll(NULL, 0, MOMENT);
		read_all_again(nl, selection);
	}
}

/* --- ports of Open vSwitch --- */

/* A port that outlives its device would be a trap for the next one. */
static int remove_port(struct ovs **ovs, const struct link *link)
{
	struct ovs_port port;
	int err = *ovs ? 0 : ovs_open(ovs);

	if (!err)
		err = ovs_find_port(*ovs, link->name, &port);
	if (!err && port.nonce[0])
		err = ovs_remove_port(*ovs, &port);
	return err == -ENOENT && !report_line()[0] ? 0 : err;
}

static int remove_ports(const struct selection *selection, bool force)
{
	struct ovs *ovs = NULL;
	int err = 0;

	for (size_t i = 0; i < selection->count && !err; i++) {
		const struct link *link = &selection->links[i];
		struct record record;

		if (!record_read(&record, link) || !record.ovs[0])
			continue;
		err = remove_port(&ovs, link);
		if (!err || !force)
			continue;
		report_tell(REPORT_WARNING, "%s: its port on %s may be left: %s", link->name,
			    record.ovs, report_line());
		report_forget();
		err = 0;
	}
	ovs_close(ovs);
	return err;
}

static int remove_stale_ports(struct nl *nl)
{
	struct ovs_ports ports = { .count = 0 };
	struct ovs *ovs = NULL;
	struct link link;
	int err = ovs_open(&ovs);

	if (!err)
		err = ovs_read_ports(ovs, "", &ports);
	/* Most hosts have no Open vSwitch, some not the library that reads its answers. */
	if (!ovs || err == -ELIBACC) {
		report_tell(REPORT_STEP, "%s", report_line());
		report_forget();
		err = 0;
	}
	for (size_t i = 0; i < ports.count && !err; i++) {
		const struct ovs_port *port = &ports.list[i];

		if (!ovs_is_stale(port) || nl_link_get(nl, port->name, 0, &link) != -ENODEV)
			continue;
		err = ovs_remove_port(ovs, port);
		if (!err)
			report_tell(REPORT_STEP, "%s: removed its port on %s", port->name,
				    port->bridge);
	}
	free(ports.list);
	ovs_close(ovs);
	return err;
}

/* --- links --- */

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
	tap_allow_many(selection->count);
	err = take_devices(nl, selection, holds);
	if (!err)
		err = remove_ports(selection, false);
	if (!err)
		err = delete_links(nl, selection);
	release(selection, holds);
	free(holds);
	return err;
}

static int run_del(struct run *run)
{
	struct selection selection = { .count = 0 };
	int err;

	if (run->options.stale ? run->words[0] != NULL :
				 !run->words[0] && !run->options.if_exists) {
		report_error(-EINVAL, "del: takes either devices or --stale\ngive names or "
				      "guest addresses, or --stale");
		return EXIT_USAGE;
	}
	err = run->options.stale     ? select_stale(run->nl, &selection) :
	      run->options.if_exists ? select_existing(run->nl, &selection, run->words) :
				       select_words(run->nl, &selection, run->words);
	if (!err)
		report_tell(REPORT_STEP, "devices found: %zu", selection.count);
	for (size_t i = 0; i < selection.count && !err; i++)
		err = check_deletable(&selection.links[i], run->options.force);
	if (!err && run->options.stale)
		err = remove_stale_ports(run->nl);
	else if (!err && run->options.force)
		err = remove_ports(&selection, true);
	if (!err && selection.count)
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

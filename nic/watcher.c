/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/event.h"
#include "kernel/netns.h"
#include "lib/libc.h"
#include "lib/privs.h"
#include "lib/report.h"
#include "netlink.h"
#include "nic/lease.h"
#include "nic/watcher.h"

enum { CHANNEL = 3 }; /* the descriptor by which it speaks with tapctl */

/* What a watcher waits for, and is to remove then. */
struct watched {
	int ifindex;
	struct ovs_port row; /* of a tap */
	pid_t maker; /* the watcher ends with it, if the device stays; 0: not */
};

/*
 * How long the process's arguments are, which lie in one piece behind the first one (fs/exec.c). 0:
 * that is not known.
 */
static size_t measure_arguments(const char *first)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	char part[4096];
	ssize_t len;

	while (fd >= 0 && (len = read(fd, part, sizeof(part))) > 0) {
		/* Behind a loader that was called by its name, it begins with that one's. */
		if (!size && strncmp(part, first, (size_t)len) != 0)
			break;
		size += (size_t)len;
	}
	if (fd >= 0)
		close(fd);
	return size;
}

/*
 * Whoever looks for the guest's process by its arguments (pgrep -f) is not to find the watcher. The
 * arguments are this process's own copy, and the caller's stay as they are.
 */
static void rename_process(int ifindex)
{
	char *arguments = program_invocation_name;
	size_t size = measure_arguments(arguments);

	prctl(PR_SET_NAME, "tapctl-watcher");
	if (!size)
		return;
	memset(arguments, 0, size);
	snprintf(arguments, size, "tapctl-watcher ifindex %d", ifindex);
}

/*
 * Nothing of the caller's is kept: no fd, argument, terminal, directory or signal, and no
 * capability but those for @use. False: could not.
 */
static bool become_daemon(int ifindex, int channel, enum privs_use use)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* What tapctl has open goes first: the lease of another NIC would never end. */
	if (dup2(channel, CHANNEL) < 0)
		return false;
	libc_close_from(CHANNEL + 1);
	close(STDIN_FILENO);
	if (open("/dev/null", O_RDWR) != STDIN_FILENO || dup2(STDIN_FILENO, STDOUT_FILENO) < 0 ||
	    dup2(STDIN_FILENO, STDERR_FILENO) < 0)
		return false;
	rename_process(ifindex);
	return chdir("/") == 0 && privs_keep(use) == 0;
}

/* Until there is something to wait for. False: tapctl is gone. */
static bool hear_maker(void)
{
	char byte;

	return read(CHANNEL, &byte, 1) == 1;
}

/* From now on what happens is heard. False: tapctl is gone. */
static bool tell_maker(void)
{
	return write(CHANNEL, "", 1) == 1 && close(CHANNEL) == 0;
}

/* --- a macvtap --- */

/*
 * Until the lease has ended. Where memory is short the event may be lost, and the question refused:
 * it is asked again, as nobody else waits for the device.
 */
static void wait_for_end(struct nl *nl, const struct nl *watch, int number)
{
	while (event_wait(watch) < 0 && netns_find_number(nl, number) != -ENOENT)
		poll(NULL, 0, 100);
}

/*
 * By index and kind: while the lease lived, the index was nobody else's, and the name and the alias
 * anybody may have changed. 0 or a negative errno, after which another try is worth it.
 */
static int remove_device(struct nl *nl, int ifindex)
{
	struct link link;
	int err = nl_link_get(nl, NULL, ifindex, &link);

	if (!err && link.kind == LINK_MACVTAP)
		err = nl_link_delete(nl, ifindex).err;
	return err == -ENODEV ? 0 : err;
}

static void watch_lease(struct nl *nl, const struct watched *watched)
{
	int ifindex = watched->ifindex, number = lease_number(ifindex);
	struct nl *watch;

	/* It may have ended before, when tapctl was killed. */
	if (event_watch_netns(&watch, number) < 0 || !hear_maker() ||
	    netns_find_number(nl, number) == -ENOENT || !tell_maker())
		return;
	wait_for_end(nl, watch, number);
	for (int tries = 0; tries < 50 && remove_device(nl, ifindex) < 0; tries++)
		poll(NULL, 0, 100);
	nl_close(watch);
}

/* --- a tap on Open vSwitch --- */

static bool is_there(struct nl *nl, int ifindex, struct link *link)
{
	int err;

	while ((err = nl_link_get(nl, NULL, ifindex, link)) && err != -ENODEV)
		poll(NULL, 0, 100);
	return !err;
}

static bool has_ended(pid_t maker)
{
	return kill(maker, 0) < 0 && errno == ESRCH;
}

/*
 * Until the link is gone from here. Where its maker has ended and it is persistent, there is
 * nothing more to do; one that is not may be held a moment longer by the watcher of another.
 */
static void wait_for_link(struct nl *nl, const struct nl *watch, const struct watched *watched)
{
	pid_t maker = watched->maker;
	int process = maker ? (int)syscall(SYS_pidfd_open, maker, 0) : -1;
	/* A container may forbid pidfd_open(2), and the maker may have ended. */
	bool no_pidfd = maker && process < 0, ended = false;
	struct pollfd events[] = {
		{ .fd = nl_fd(watch), .events = POLLIN },
		{ .fd = process, .events = POLLIN },
	};
	struct link link = { .ifindex = 0 };
	/* A link that was gone before we listened is looked for after 100 ms: at once it would slow
	 * its maker. */
	int patience = 100;

	do {
		if (ended && link.tun.persistent)
			_exit(0);
		if (poll(events, 2, patience) < 0)
			poll(NULL, 0, 100);
		if (events[0].revents)
			event_wait(watch);
		if (events[1].revents || (no_pidfd && has_ended(maker))) {
			events[1].fd = -1;
			ended = true;
		}
		patience = no_pidfd ? 100 : -1;
	} while (is_there(nl, watched->ifindex, &link));
}

/*
 * Ours, or the one that attach has made for our link. The row is read first: if there is no link of
 * its name then, there was none when the row was made.
 */
static bool is_for_us(struct nl *nl, const struct watched *watched, const struct ovs_port *row)
{
	struct link link;

	if (strcmp(row->nonce, watched->row.nonce) == 0)
		return true;
	return row->nonce[0] && (!row->ifindex || row->ifindex == watched->ifindex) &&
	       nl_link_get(nl, row->name, 0, &link) == -ENODEV;
}

static int remove_row(struct nl *nl, const struct watched *watched)
{
	struct ovs_port row;
	struct ovs *ovs;
	int err = ovs_open(&ovs);

	if (err)
		return err;
	err = ovs_find_port(ovs, watched->row.name, &row);
	if (!err && is_for_us(nl, watched, &row))
		err = ovs_remove_port(ovs, &row);
	ovs_close(ovs);
	return err == -ENOENT ? 0 : err;
}

static void watch_port(struct nl *nl, const struct watched *watched)
{
	struct nl *watch;

	if (event_watch_link(&watch, watched->ifindex) < 0 || !hear_maker() || !tell_maker())
		return;
	wait_for_link(nl, watch, watched);
	/* The database may be restarting. */
	for (int tries = 0; tries < 600 && remove_row(nl, watched) < 0; tries++)
		poll(NULL, 0, 100);
	nl_close(watch);
}

/* --- both --- */

typedef void watch_fn(struct nl *nl, const struct watched *watched);

static int refuse(int err)
{
	return report_error(err, "cannot start the process that removes the device in the end: %s",
			    err == -ECHILD ? "it ended early" : strerror(-err));
}

/* @use: the rights that @watch needs. */
static int start(struct watcher *watcher, const struct watched *watched, enum privs_use use,
		 watch_fn *watch)
{
	struct nl *nl;
	int ends[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return refuse(-errno);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		/* Forked twice: the watcher is nobody's child, and COMMAND never has to wait for
		 * it. */
		if (setsid() < 0 || (child = fork()) < 0)
			_exit(1);
		if (child == 0 && become_daemon(watched->ifindex, ends[1], use) &&
		    nl_open(&nl) == 0) {
			watch(nl, watched);
			nl_close(nl);
		}
		_exit(0);
	}
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return refuse(-errno);
	}
	*watcher = (struct watcher){ .fd = ends[0], .child = child };
	return 0;
}

int watcher_start(struct watcher *watcher, int ifindex)
{
	const struct watched watched = { .ifindex = ifindex };

	return start(watcher, &watched, PRIVS_LINKS, watch_lease);
}

int watcher_start_port(struct watcher *watcher, int ifindex, const struct ovs_port *row,
		       bool persists)
{
	const struct watched watched = {
		.ifindex = ifindex,
		.row = *row,
		.maker = persists ? getpid() : 0,
	};

	/* The socket of the database may be that of another user than root. */
	return start(watcher, &watched, PRIVS_NODES, watch_port);
}

int watcher_wait(struct watcher *watcher)
{
	char byte;
	bool waits = send(watcher->fd, "", 1, MSG_NOSIGNAL) == 1 &&
		     TEMP_FAILURE_RETRY(read(watcher->fd, &byte, 1)) == 1;

	watcher_let_go(watcher);
	return waits ? 0 : refuse(-ECHILD);
}

void watcher_let_go(struct watcher *watcher)
{
	close(watcher->fd);
	TEMP_FAILURE_RETRY(waitpid(watcher->child, NULL, 0));
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "kernel/tap.h"
#include "lib/privs.h"
#include "lib/report.h"
#include "nic/record.h"
#include "nic/watcher.h"

/* The descriptors of the watcher: all it has beside /dev/null. */
enum { CONTROL = 3, INOTIFY = 4, NETLINK = 5 };

struct watch {
	int ifindex;
	const char *name;
	const uint8_t *mac;
	int open[QUEUES_MAX + 1]; /* of each inotify watch: they count from 1 */
};

/* Events for one watch that are equal to the one before melt together; each queue has a watch. */
static void count_event(struct watch *watch, const struct inotify_event *event)
{
	if (event->wd < 1 || event->wd > QUEUES_MAX)
		return;
	if (event->mask & IN_OPEN)
		watch->open[event->wd]++;
	if (event->mask & IN_CLOSE)
		watch->open[event->wd]--;
	if (event->mask & IN_IGNORED)
		watch->open[event->wd] = 0;
}

/* Whether all that has happened was read. */
static bool read_events(struct watch *watch)
{
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t n;

	while ((n = read(INOTIFY, buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR)) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			count_event(watch, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	return n < 0 && errno == EAGAIN;
}

static bool is_held(const struct watch *watch)
{
	for (int wd = 1; wd <= QUEUES_MAX; wd++)
		if (watch->open[wd] > 0)
			return true;
	return false;
}

/* Until COMMAND runs or tapctl has died, and no queue is open. */
static void wait_for_end(struct watch *watch)
{
	struct pollfd fds[] = {
		{ .fd = CONTROL, .events = POLLIN },
		{ .fd = INOTIFY, .events = POLLIN },
	};

	while (fds[0].fd >= 0 || is_held(watch)) {
		/* Short of memory, the kernel may refuse even this: nobody else waits for the
		 * device. */
		if (poll(fds, 2, -1) < 0) {
			poll(NULL, 0, 100);
			continue;
		}
		if (fds[0].revents)
			fds[0].fd = -1;
		/* After the control: whatever was opened before it ended is in the queue now. */
		while (!read_events(watch))
			poll(NULL, 0, 100);
	}
}

/*
 * The device may have been deleted by somebody else, and its index be another one's by now.
 * Returns 0 or a negative errno, after which another try is worth it.
 */
static int remove_device(struct nl *nl, const struct watch *watch)
{
	uint8_t guest[MAC_LEN];
	struct link link;
	int err = nl_link_get(nl, NULL, watch->ifindex, &link);

	if (err)
		return err == -ENODEV ? 0 : err;
	if (link.kind != LINK_MACVTAP || !record_guest(guest, &link) ||
	    !mac_equal(guest, watch->mac))
		return 0;
	if (!strchr(watch->name, '%') && strcmp(link.name, watch->name) != 0)
		return 0;
	return nl_link_delete(nl, watch->ifindex).err;
}

/*
 * Nothing of the caller's is kept: no fd, terminal, directory or signal, and no capability but the
 * one that removing a link needs. False: could not.
 */
static bool become_daemon(int control, int inotify)
{
	/* Those of a terminal do not stop a process whose group is orphaned. */
	static const int ignored[] = { SIGHUP,	SIGINT,	 SIGQUIT, SIGTERM,
				       SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	/* First above all, then down into place: the numbers may cross. */
	control = fcntl(control, F_DUPFD, NETLINK + 1);
	inotify = fcntl(inotify, F_DUPFD, NETLINK + 1);
	if (control < 0 || inotify < 0 || dup2(control, CONTROL) < 0 || dup2(inotify, INOTIFY) < 0)
		return false;
	closefrom(NETLINK);
	close(STDIN_FILENO);
	if (open("/dev/null", O_RDWR) != STDIN_FILENO || dup2(STDIN_FILENO, STDOUT_FILENO) < 0 ||
	    dup2(STDIN_FILENO, STDERR_FILENO) < 0)
		return false;
	prctl(PR_SET_NAME, "tapctl-watcher");
	return chdir("/") == 0 && privs_keep_links() == 0;
}

static _Noreturn void watch_device(struct watch *watch, int control, int inotify)
{
	struct nl *nl;

	if (!become_daemon(control, inotify) || nl_open(&nl) < 0 || write(CONTROL, "", 1) != 1)
		_exit(1);
	wait_for_end(watch);
	/* Nobody else will do it: when memory is short, try again. */
	for (int tries = 0; tries < 50 && remove_device(nl, watch) < 0; tries++)
		poll(NULL, 0, 100);
	_exit(0);
}

/* Wait for the watcher's one byte, or for its end (0). */
static ssize_t read_control(int control)
{
	char ready;

	return TEMP_FAILURE_RETRY(read(control, &ready, 1));
}

int watcher_start(struct watcher *watcher, int ifindex, const char *name,
		  const uint8_t mac[static MAC_LEN])
{
	struct watch watch = { .ifindex = ifindex, .name = name, .mac = mac };
	int control[2], inotify;
	pid_t child;

	inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (inotify < 0)
		return report_error(-errno, "cannot watch the device: inotify: %s",
				    strerror(errno));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0) {
		close(inotify);
		return report_error(-errno, "cannot watch the device: socketpair: %s",
				    strerror(errno));
	}
	child = fork();
	if (child == 0) {
		/* Forked twice: the watcher is nobody's child, and COMMAND never has to wait for
		 * it. */
		close(control[0]);
		if (setsid() < 0 || (child = fork()) < 0)
			_exit(1);
		if (child == 0)
			watch_device(&watch, control[1], inotify);
		_exit(0);
	}
	close(control[1]);
	watcher->inotify = inotify;
	watcher->control = control[0];
	if (child > 0) {
		bool ready = read_control(control[0]) == 1;

		TEMP_FAILURE_RETRY(waitpid(child, NULL, 0));
		if (ready)
			return 0;
	}
	report_error(-ECHILD, "cannot start the process that removes the device in the end: %s",
		     child < 0 ? strerror(errno) : "it died");
	watcher_finish(watcher);
	return -ECHILD;
}

void watcher_finish(struct watcher *watcher)
{
	if (watcher->control < 0)
		return;
	shutdown(watcher->control, SHUT_WR);
	read_control(watcher->control);
	close(watcher->control);
	close(watcher->inotify);
	watcher->control = watcher->inotify = -1;
}

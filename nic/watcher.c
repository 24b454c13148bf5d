/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kernel/netns.h"
#include "lib/libc.h"
#include "lib/privs.h"
#include "lib/report.h"
#include "netlink.h"
#include "nic/lease.h"
#include "nic/watcher.h"

enum { READY = 3 }; /* the descriptor by which tapctl hears that it waits */

/*
 * Nothing of the caller's is kept: no fd, terminal, directory or signal, and no capability but the
 * one that removing a link needs. False: could not.
 */
static bool become_daemon(int ready)
{
	/* Those of a terminal do not stop a process whose group is orphaned. */
	static const int ignored[] = { SIGHUP,	SIGINT,	 SIGQUIT, SIGTERM,
				       SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	if (ready != READY && dup2(ready, READY) < 0)
		return false;
	libc_close_from(READY + 1);
	close(STDIN_FILENO);
	if (open("/dev/null", O_RDWR) != STDIN_FILENO || dup2(STDIN_FILENO, STDOUT_FILENO) < 0 ||
	    dup2(STDIN_FILENO, STDERR_FILENO) < 0)
		return false;
	prctl(PR_SET_NAME, "tapctl-watcher");
	return chdir("/") == 0 && privs_keep_links() == 0;
}

/*
 * Until the lease has ended. Whoever is short of memory may lose what was to be heard, and even be
 * refused the question: nobody else waits for the device.
 */
static void wait_for_end(struct nl *nl, const struct nl *watch, int number)
{
	while (netns_wait_end(watch) < 0 && netns_find_number(nl, number) != -ENOENT)
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

static _Noreturn void watch_lease(int ifindex, int ready)
{
	int number = lease_number(ifindex);
	struct nl *nl, *watch;

	/* What tapctl has open goes first: the lease would never end. */
	if (!become_daemon(ready) || nl_open(&nl) < 0 || netns_watch_end(&watch, number) < 0)
		_exit(1);
	/* From now on its end is heard; it may have ended before, when tapctl was killed. */
	if (netns_find_number(nl, number) == -ENOENT)
		_exit(0);
	if (write(READY, "", 1) != 1)
		_exit(1);
	close(READY);
	wait_for_end(nl, watch, number);
	for (int tries = 0; tries < 50 && remove_device(nl, ifindex) < 0; tries++)
		poll(NULL, 0, 100);
	_exit(0);
}

int watcher_start(int ifindex, int lease)
{
	int ready[2], err = 0;
	pid_t child;
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return report_error(-errno, "cannot watch the device: pipe: %s", strerror(errno));
	child = fork();
	if (child == 0) {
		close(lease);
		close(ready[0]);
		/* Forked twice: the watcher is nobody's child, and COMMAND never has to wait for
		 * it. */
		if (setsid() < 0 || (child = fork()) < 0)
			_exit(1);
		if (child == 0)
			watch_lease(ifindex, ready[1]);
		_exit(0);
	}
	if (child < 0)
		err = -errno;
	close(ready[1]);
	if (!err && TEMP_FAILURE_RETRY(read(ready[0], &byte, 1)) != 1)
		err = -ECHILD;
	close(ready[0]);
	if (child > 0)
		TEMP_FAILURE_RETRY(waitpid(child, NULL, 0));
	if (err)
		return report_error(err,
				    "cannot start the process that removes the device in the end: "
				    "%s",
				    err == -ECHILD ? "it ended early" : strerror(-err));
	return 0;
}

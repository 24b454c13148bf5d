/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/netns.h"

static int report_netns(const char *which, const char *path)
{
	int err = -errno;

	switch (err) {
	case -ENOENT:
		return report_error(err, "--netns %s: there is no %s%s", which, path,
				    strncmp(path, "/run/netns/", 11) == 0 ?
					    ": ip netns list shows the names" :
					    "");
	case -EINVAL:
		return report_error(err, "--netns %s: %s is not a network namespace", which, path);
	case -EPERM:
	case -EACCES:
		return report_error(
			err,
			"--netns %s: entering %s is forbidden: it needs CAP_SYS_ADMIN, here "
			"and over that namespace",
			which, path);
	default:
		return report_error(err, "--netns %s: cannot enter %s: %s", which, path,
				    strerror(-err));
	}
}

int netns_enter(const char *which, int *previous)
{
	char path[PATH_MAX];
	int fd, here, err = 0;

	if (strchr(which, '/'))
		snprintf(path, sizeof(path), "%s", which);
	else if (which[strspn(which, "0123456789")] == '\0')
		snprintf(path, sizeof(path), "/proc/%s/ns/net", which);
	else
		snprintf(path, sizeof(path), "/run/netns/%s", which);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return report_netns(which, path);
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (here < 0)
		err = report_error(-errno, "/proc/self/ns/net: cannot open it: %s",
				   strerror(errno));
	else if (setns(fd, CLONE_NEWNET) < 0)
		err = report_netns(which, path);
	close(fd);
	if (err && here >= 0)
		close(here);
	if (!err)
		*previous = here;
	return err;
}

int netns_leave(int previous)
{
	int err = 0;

	if (setns(previous, CLONE_NEWNET) < 0)
		err = report_error(-errno, "--netns: cannot return from it: %s", strerror(errno));
	close(previous);
	return err;
}

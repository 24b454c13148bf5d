/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"

static int report_taken(int fd, struct report *report)
{
	char self[32], path[128];
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return report_error(report, -EBUSY,
			    "fd %d: it is open already, as %s: close it (%d>&-) or begin "
			    "elsewhere with --fd N",
			    fd, n > 0 ? path : "something", fd);
}

int launch_reserve(int first, unsigned count, struct report *report)
{
	int last = first + (int)count - 1, place;

	for (int fd = first; fd <= last; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return report_taken(fd, report);
	place = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (place < 0)
		return report_error(report, -errno, "/dev/null: cannot open it: %s",
				    strerror(errno));
	for (int fd = first; fd <= last; fd++)
		if (fd != place && dup3(place, fd, O_CLOEXEC) < 0)
			return report_error(report, -errno, "fd %d: cannot use it: %s", fd,
					    errno == EBADF ? "it is beyond the limit (ulimit -n)" :
							     strerror(errno));
	if (place < first || place > last)
		close(place);
	return 0;
}

/* Move *@fd to the number @to and let it stay open across the exec. */
static int move_fd(int *fd, int to, struct report *report)
{
	if (dup2(*fd, to) < 0)
		return report_error(report, -errno, "fd %d: cannot use it: %s", to,
				    strerror(errno));
	close(*fd);
	*fd = to;
	return 0;
}

int launch_place(struct nic *nics, size_t count, int first, struct report *report)
{
	int err = 0;

	for (size_t k = 0; k < count; k++)
		for (unsigned i = 0; i < 2 * nics[k].want.queues && !err; i++)
			if (nics[k].fds[i] >= 0)
				err = move_fd(&nics[k].fds[i], first++, report);
	return err;
}

/* "3:4:5", or NULL when none of @fds is open. The caller frees it. */
static int join_fds(char **text, const int *fds, unsigned count)
{
	size_t size, at = 0;

	*text = NULL;
	if (fds[0] < 0)
		return 0;
	size = count * sizeof("2147483647");
	*text = malloc(size);
	if (!*text)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		at += (size_t)snprintf(*text + at, size - at, "%s%d", i ? ":" : "", fds[i]);
	return 0;
}

/* Set TAPCTL_@name of the nic @k, or take away what an outer tapctl left there when @value is NULL.
 */
static int set_variable(size_t k, const char *name, const char *value)
{
	char variable[64];

	if (k == 0)
		snprintf(variable, sizeof(variable), "TAPCTL_%s", name);
	else
		snprintf(variable, sizeof(variable), "TAPCTL_%s_%zu", name, k + 1);
	if ((value ? setenv(variable, value, 1) : unsetenv(variable)) < 0)
		return -errno;
	return 0;
}

static int set_nic_variables(const struct nic *nic, size_t k)
{
	char mac[MAC_STRLEN], number[16], *fds = NULL, *vhost_fds = NULL;
	int err = join_fds(&fds, nic->fds, nic->want.queues);

	if (!err)
		err = join_fds(&vhost_fds, nic->vhost_fds, nic->want.queues);
	snprintf(number, sizeof(number), "%d", nic->fds[0]);
	if (!err)
		err = set_variable(k, "FD", number);
	if (!err)
		err = set_variable(k, "FDS", fds);
	if (!err)
		err = set_variable(k, "VHOSTFDS", vhost_fds);
	if (!err)
		err = set_variable(k, "IFNAME", nic->link.name);
	if (!err)
		err = set_variable(k, "GUEST_MAC", mac_format(mac, nic->want.guest));
	if (!err)
		err = set_variable(k, "HOST_MAC", mac_format(mac, nic->host));
	snprintf(number, sizeof(number), "%u", nic->link.mtu);
	if (!err)
		err = set_variable(k, "MTU", number);
	free(fds);
	free(vhost_fds);
	return err;
}

int launch_environment(const struct nic *nics, size_t count, struct report *report)
{
	int err = 0;

	for (size_t k = 0; k < count && !err; k++)
		err = set_nic_variables(&nics[k], k);
	if (err)
		return report_error(report, err, "cannot set the environment: %s", strerror(-err));
	return 0;
}

int launch_exec(char *const command[], struct report *report)
{
	execvp(command[0], command);
	return report_error(report, -errno, "%s: cannot run it: %s", command[0], strerror(errno));
}

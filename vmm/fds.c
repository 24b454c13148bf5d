/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "lib/libc.h"
#include "lib/report.h"
#include "vmm/fds.h"

static int report_taken(int fd)
{
	char self[32], path[128];
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return report_failure("fd-in-use", -EBUSY,
			      "fd %d: already open, as %s\nclose it (%d>&-) or begin "
			      "elsewhere with --fd N",
			      fd, n > 0 ? path : "something", fd);
}

unsigned fds_count(const struct nic_options *want)
{
	return want->queues * (want->vhost == VHOST_OFF ? 1 : 2);
}

int fds_reserve(int first, unsigned count)
{
	int last = first + (int)count - 1, place;

	for (int fd = first; fd <= last; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return report_taken(fd);
	place = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (place < 0)
		return report_error(-errno, "/dev/null: cannot open it: %s", strerror(errno));
	for (int fd = first; fd <= last; fd++)
		if (fd != place && dup3(place, fd, O_CLOEXEC) < 0)
			return report_error(-errno, "fd %d: cannot use it: %s", fd,
					    errno == EBADF ? "it is beyond the limit (ulimit -n)" :
							     strerror(errno));
	if (place < first || place > last)
		close(place);
	return 0;
}

/* Move *@fd to the number @to and let it stay open across the exec. */
static int move_fd(int *fd, int to)
{
	if (dup2(*fd, to) < 0)
		return report_error(-errno, "fd %d: cannot use it: %s", to, strerror(errno));
	close(*fd);
	*fd = to;
	return 0;
}

int fds_place(struct nic *nics, size_t count, int first)
{
	int err = 0;

	for (size_t k = 0; k < count; k++)
		for (unsigned i = 0; i < fds_count(nics[k].want) && !err; i++, first++)
			if (nics[k].fds[i] >= 0)
				err = move_fd(&nics[k].fds[i], first);
	return err;
}

int fds_keep_streams(void)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO },
				{ .fd = STDOUT_FILENO },
				{ .fd = STDERR_FILENO } };

	if (poll(fds, 3, 0) <= 0)
		return 0;
	for (int fd = 0; fd < 3; fd++)
		if (fds[fd].revents & POLLNVAL && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			return report_error(-errno, "/dev/null: cannot open it: %s",
					    strerror(errno));
	return 0;
}

int fds_check_socket(int fd)
{
	socklen_t len = sizeof(int);
	int domain;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return report_error(-errno, "--fd %d: is not a socket: %s", fd, strerror(errno));
	if (domain != AF_UNIX)
		return report_error(-EINVAL, "--fd %d: is not a Unix socket", fd);
	return 0;
}

int fds_send(int socket, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(fd))];
		struct cmsghdr align;
	} control = { .bytes = "" };
	/* An fd alone does not arrive; qemu's own helper sends this byte (net/tap.c, recv_fd). */
	struct iovec data = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	if (TEMP_FAILURE_RETRY(sendmsg(socket, &message, MSG_NOSIGNAL)) == 1)
		return 0;
	return report_error(-errno, "--fd %d: failed to write fd to unix socket: %s", socket,
			    strerror(errno));
}

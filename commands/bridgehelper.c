/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "lib/access.h"
#include "vmm/audit.h"
#include "commands/bridgehelper.h"
#include "nic/nicset.h"

static int check_socket(int fd)
{
	socklen_t len = sizeof(int);
	int domain;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return report_error(-errno, "--fd %d: it is no socket: %s", fd, strerror(errno));
	if (domain != AF_UNIX)
		return report_error(-EINVAL, "--fd %d: it is no Unix socket", fd);
	return 0;
}

/* One byte of data, as qemu's own helper sends it (net/tap.c, recv_fd): an fd alone does not
 * arrive. */
static int send_fd(int socket, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(fd))];
		struct cmsghdr align;
	} control = { .bytes = "" };
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

int bridgehelper_serve(const struct nic_options *want, int socket, bool audit)
{
	struct nicset set = { .count = 0 };
	int err = check_socket(socket);

	if (err)
		return err;
	err = nicset_begin(&set, want, 1);
	if (!err)
		err = access_check(set.nics[0].parent.name, false);
	if (err)
		goto out;
	err = nicset_make_open(&set, false);
	if (!err)
		err = nicset_verify(&set);
	if (!err)
		err = send_fd(socket, set.nics[0].fds[0]);
	if (audit)
		audit_nics(set.nics, set.tried, !err);
out:
	/* What qemu has not got goes with its last fd. */
	nicset_end(&set);
	return err;
}

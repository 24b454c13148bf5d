/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/access.h"
#include "vmm/audit.h"
#include "vmm/args.h"
#include "commands/exec.h"
#include "kernel/netns.h"
#include "lib/privs.h"
#include "nic/nicset.h"

static int report_taken(int fd)
{
	char self[32], path[128];
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return report_error(-EBUSY,
			    "fd %d: it is open already, as %s: close it (%d>&-) or begin "
			    "elsewhere with --fd N",
			    fd, n > 0 ? path : "something", fd);
}

/*
 * Take the fds @first to @first + @count - 1 before anything else is opened, so that nothing of
 * tapctl's own gets one of these numbers. Fails when one is open: it is somebody's.
 */
static int reserve_fds(int first, unsigned count)
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

/* Put the queues and then the vhost fds of each nic in their places, open across the exec. */
static int place_fds(struct nic *nics, size_t count, int first)
{
	int err = 0;

	for (size_t k = 0; k < count; k++)
		for (unsigned i = 0; i < 2 * nics[k].want.queues && !err; i++)
			if (nics[k].fds[i] >= 0)
				err = move_fd(&nics[k].fds[i], first++);
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

/* TAPCTL_FD and the others of the nic @k. */
static const char *const variables[] = { "FD",	      "FDS",	  "VHOSTFDS", "IFNAME",
					 "GUEST_MAC", "HOST_MAC", "MTU" };

enum { VARIABLES = sizeof(variables) / sizeof(*variables) };

static void name_variable(char name[static 64], size_t k, unsigned i)
{
	int n = snprintf(name, 64, "TAPCTL_%s", variables[i]);

	if (k > 0)
		snprintf(name + n, 64 - (size_t)n, "_%zu", k + 1);
}

/* Set those of the nic @k, or take away what an outer tapctl left there where the value is NULL. */
static int set_variables(size_t k, const char *const values[static VARIABLES])
{
	char name[64];
	int result = 0;

	for (unsigned i = 0; i < VARIABLES && result == 0; i++) {
		name_variable(name, k, i);
		result = values[i] ? setenv(name, values[i], 1) : unsetenv(name);
	}
	return result < 0 ? -errno : 0;
}

static bool has_variables(size_t k)
{
	char name[64];

	name_variable(name, k, 0);
	return getenv(name);
}

static int describe_nic(const struct nic *nic, size_t k)
{
	char guest[MAC_STRLEN], host[MAC_STRLEN], fd[16], mtu[16], *fds = NULL, *vhost_fds = NULL;
	int err = join_fds(&fds, nic->fds, nic->want.queues);

	if (!err)
		err = join_fds(&vhost_fds, nic->vhost_fds, nic->want.queues);
	snprintf(fd, sizeof(fd), "%d", nic->fds[0]);
	snprintf(mtu, sizeof(mtu), "%u", nic->link.mtu);
	if (!err)
		err = set_variables(
			k, (const char *const[VARIABLES]){ fd, fds, vhost_fds, nic->link.name,
							   mac_format(guest, nic->want.guest),
							   mac_format(host, nic->host), mtu });
	free(fds);
	free(vhost_fds);
	return err;
}

/* Tell COMMAND what it got, and nothing of an outer tapctl's that had more nics. */
static int put_environment(const struct nic *nics, size_t count)
{
	static const char *const none[VARIABLES];
	int err = 0;

	for (size_t k = 0; !err && (k < count || has_variables(k)); k++)
		err = k < count ? describe_nic(&nics[k], k) : set_variables(k, none);
	if (err)
		return report_error(err, "cannot set the environment: %s", strerror(-err));
	return 0;
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

static int first_fd(const struct options *options)
{
	return options->fd >= 0 ? options->fd : 3;
}

/* What is probably a mistake and still may be meant. */
static void warn_of_command(const struct options *options, char *const command[])
{
	const char *closing = args_close_fds(command);
	uint8_t found[1][MAC_LEN];
	char mac[MAC_STRLEN];

	if (closing)
		report_tell(REPORT_WARNING,
			    "%s closes all fds from 3 upwards: put it in front: "
			    "%s ... tapctl exec ... -- COMMAND",
			    closing, closing);
	if (args_lack_fd(command))
		report_tell(REPORT_WARNING,
			    "%s: none of its arguments says fd=, so its guest is not on this "
			    "device: write -netdev tap,id=ID,fd=%d",
			    command[0], first_fd(options));
	for (size_t k = 0; k < options->nic_count; k++) {
		mac_format(mac, options->nics[k].guest);
		if (args_lack_mac(command))
			report_tell(REPORT_WARNING,
				    "%s: none of its arguments says mac=, so its guest gets qemu's "
				    "default address and no frame: write mac=%s behind its -device",
				    command[0], mac);
		else if (args_find_macs(command, found, 1) > 0 &&
			 !args_mention_mac(command, options->nics[k].guest))
			report_tell(REPORT_WARNING,
				    "%s: the guest's address is not among those that %s's "
				    "arguments give it: a guest with another one gets no frame",
				    mac, command[0]);
	}
}

/* Where a caller without privilege of its own may have a device. */
static int check_access(const struct nicset *set)
{
	int err = 0;

	if (!privs_are_lent())
		return 0;
	for (size_t k = 0; k < set->count && !err; k++) {
		err = access_check(set->nics[k].parent.name, set->nics[k].want.kind == NIC_MACVTAP);
		if (!err && set->nics[k].want.kind == NIC_MACVTAP && !privs_suffice(PRIVS_NODES))
			err = report_error(
				-EPERM, "--link: the character device of a macvtap is root's: this "
					"program needs cap_dac_override to open it");
	}
	return err;
}

/* Everything until COMMAND runs, in the namespace of --netns and back from it. */
static int prepare(struct nicset *set, const struct options *options, char *const command[])
{
	int first = first_fd(options), previous = -1, err;
	unsigned fds = 0;

	for (size_t k = 0; k < options->nic_count; k++)
		fds += options->nics[k].queues * (options->nics[k].vhost == VHOST_OFF ? 1 : 2);
	err = reserve_fds(first, fds);
	if (!err)
		err = fds_keep_streams();
	if (!err && options->netns[0])
		err = netns_enter(options->netns, &previous);
	if (!err)
		err = nicset_begin(set, options->nics, options->nic_count);
	if (!err)
		err = check_access(set);
	if (err)
		return err;
	warn_of_command(options, command);
	err = nicset_make_open(set, options->reuse);
	if (!err)
		err = nicset_verify(set);
	if (!err && options->netns[0])
		err = netns_leave(previous);
	if (!err)
		err = place_fds(set->nics, set->count, first);
	if (!err)
		err = put_environment(set->nics, set->count);
	/* The last moment at which it may be told. */
	if (!options->no_audit)
		audit_nics(set->nics, set->tried, !err);
	if (!err)
		err = privs_clear_inherited();
	if (!err && options->user.wanted)
		err = privs_become(&options->user);
	return err;
}

enum exec_end exec_run(const struct options *options, char *const command[])
{
	static struct nicset set;
	enum exec_end end = EXEC_FAILED;

	if (prepare(&set, options, command) == 0) {
		report_tell(REPORT_STEP, "%s: running it", command[0]);
		execvp(command[0], command);
		end = errno == ENOENT ? EXEC_NOT_FOUND : EXEC_CANNOT_RUN;
		report_error(-errno, "%s: cannot run it: %s", command[0], strerror(errno));
	}
	nicset_unmake(&set);
	nicset_end(&set);
	return end;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <libmnl/libmnl.h>
#include <linux/net_namespace.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "kernel/netns.h"
#include "lib/libc.h"
#include "lib/report.h"
#include "netlink.h"

static int report_netns(const char *which, const char *path)
{
	int err = -errno;

	switch (err) {
	case -ENOENT:
		return report_failure(
			"no-such-netns", err, "--netns %s: there is no %s\n%s", which, path,
			strncmp(path, "/run/netns/", 11) == 0 ? "ip netns list shows the names" :
								"");
	case -EINVAL:
	case -ENXIO:
	case -ENODEV:
		return report_failure("no-such-netns", err,
				      "--netns %s: %s is not a network namespace", which, path);
	case -EPERM:
	case -EACCES:
		return report_error(
			err,
			"--netns %s: entering %s is forbidden: it needs CAP_SYS_ADMIN, here "
			"and over that namespace\nrun it with sudo",
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
	/* Whatever it is: a pipe would keep us waiting. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
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

/* --- made, and run in --- */

static int socket_netns(int socket)
{
	int ns = ioctl(socket, SIOCGSKNS);

	return ns < 0 ? -errno : ns;
}

/* What is to be done in another namespace; a child that does it has its parent's memory and
 * descriptors. */
struct task {
	int ns; /* to go to; -1: a new one */
	netns_fn *work;
	void *data;
	int result;
};

/* Of the namespace in which this runs, into the int @data; a socket knows it, without /proc. */
static int tell_netns(void *data)
{
	int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), *ns = data;

	if (socket_fd < 0)
		return -errno;
	*ns = socket_netns(socket_fd);
	close(socket_fd);
	return *ns < 0 ? *ns : 0;
}

/* The user namespace first, which gives the right to enter the other. */
static int enter_both(int ns)
{
	int user = ioctl(ns, NS_GET_USERNS), err = 0;

	if (user < 0)
		return -errno;
	if (setns(user, CLONE_NEWUSER) < 0 || setns(ns, CLONE_NEWNET) < 0)
		err = -errno;
	close(user);
	return err;
}

static int run_task(void *data)
{
	struct task *task = data;

	task->result = task->ns < 0 ? 0 : enter_both(task->ns);
	if (!task->result)
		task->result = task->work(task->data);
	return 0;
}

/* This process waits for the child (CLONE_VFORK), as the memory is the same. */
static int run_child(struct task *task)
{
	_Alignas(16) char stack[65536];
	int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD |
		    (task->ns < 0 ? CLONE_NEWUSER | CLONE_NEWNET : 0);
	pid_t child = clone(run_task, stack + sizeof(stack), flags, task);

	if (child < 0)
		return -errno;
	TEMP_FAILURE_RETRY(waitpid(child, NULL, 0));
	return task->result;
}

static bool move_to(int ns)
{
	return (ns < 0 ? unshare(CLONE_NEWNET) : setns(ns, CLONE_NEWNET)) == 0;
}

/* Do @task in its namespace and come back to that of @nl; a child does, where this one may not. */
static int do_task(const struct nl *nl, struct task *task)
{
	int home = socket_netns(nl_fd(nl)), result;

	if (home < 0)
		return home;
	/* Only who may come back may go. */
	if (move_to(home) && move_to(task->ns)) {
		result = task->work(task->data);
		/* If it cannot, its sockets are still at home: all can be unmade. */
		if (!move_to(home))
			result = -errno;
	} else {
		result = run_child(task);
	}
	close(home);
	return result;
}

int netns_make(const struct nl *nl)
{
	int ns = -1;
	struct task task = { .ns = -1, .work = tell_netns, .data = &ns };
	int err = do_task(nl, &task);

	if (err && ns >= 0)
		close(ns);
	return err ? err : ns;
}

int netns_run(const struct nl *nl, int ns, netns_fn *work, void *data)
{
	struct task task = { .ns = ns, .work = work, .data = data };

	return do_task(nl, &task);
}

/* --- numbers --- */

static struct nlmsghdr *number_message(struct nl *nl, uint16_t type, uint16_t flags, int number)
{
	struct rtgenmsg family = { .rtgen_family = AF_UNSPEC };
	struct nlmsghdr *m = nl_message(nl, NL_LOOKUP, type, flags, sizeof(family), &family);

	mnl_attr_put_u32(m, NETNSA_NSID, (uint32_t)number);
	return m;
}

int netns_set_number(struct nl *nl, int ns, int number)
{
	struct nlmsghdr *m;

	nl_begin(nl);
	m = number_message(nl, RTM_NEWNSID, NLM_F_ACK, number);
	mnl_attr_put_u32(m, NETNSA_FD, (uint32_t)ns);
	nl_message_end(nl, m);
	return nl_commit(nl, NULL, NULL).err;
}

static int read_number(const struct nlmsghdr *m, void *data)
{
	(void)data;
	return m->nlmsg_type == RTM_NEWNSID ? 0 : -EPROTO;
}

int netns_find_number(struct nl *nl, int number)
{
	nl_begin(nl);
	nl_message_end(nl, number_message(nl, RTM_GETNSID, 0, number));
	return nl_commit(nl, read_number, NULL).err;
}

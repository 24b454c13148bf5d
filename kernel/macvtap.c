/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "kernel/macvtap.h"
#include "kernel/sysfs.h"
#include "lib/libc.h"
#include "lib/report.h"

#define NODE_PATH 32 /* "/dev/tap2147483647" and its NUL, with room */

static int open_node(int dir, const char *path, int flags)
{
	int fd = (int)TEMP_FAILURE_RETRY(openat(dir, path, flags | O_CLOEXEC));

	return fd < 0 ? -errno : fd;
}

/* --- made and set up --- */

static void put_macvtap(struct nl *nl, const struct macvtap_setup *setup)
{
	struct nlmsghdr *m = nl_link_message(nl, NL_CREATE, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					     setup->ifindex);
	struct nlattr *info, *data;

	mnl_attr_put_strz(m, IFLA_IFNAME, setup->name);
	mnl_attr_put(m, IFLA_ADDRESS, MAC_LEN, setup->address);
	if (setup->mtu)
		mnl_attr_put_u32(m, IFLA_MTU, setup->mtu);
	mnl_attr_put_u32(m, IFLA_LINK, (uint32_t)setup->lower);
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND,
			  nl_kind_name(setup->for_host ? LINK_MACVLAN : LINK_MACVTAP));
	data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	mnl_attr_put_u32(m, IFLA_MACVLAN_MODE, nl_mode_number(setup->mode));
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
	nl_message_end(nl, m);
}

static void put_macvtap_config(struct nl *nl, const struct macvtap_setup *setup, bool no_ipv6)
{
	struct nlmsghdr *m = nl_link_message(nl, NL_CONFIGURE, RTM_NEWLINK, 0, setup->ifindex);

	/*
	 * In mode passthru the device is created with the lower one's address. The lower one
	 * follows this change, and gets its own back in the end (drivers/net/macvlan.c).
	 */
	if (setup->mode == MODE_PASSTHRU)
		mnl_attr_put(m, IFLA_ADDRESS, MAC_LEN, setup->address);
	if (no_ipv6)
		nl_put_no_ipv6(m);
	nl_message_end(nl, m);
	traffic_put(nl, setup->ifindex, true, setup->address, setup->traffic);
	/* Without IFF_ALLMULTI the guest never sees a multicast frame that the host did not ask
	 * for. */
	nl_put_up(nl, setup->ifindex, setup->for_host ? IFF_UP : IFF_ALLMULTI | IFF_UP,
		  setup->alias, 0);
	nl_link_request(nl, NL_READ, NULL, setup->ifindex);
}

struct nl_result macvtap_create(struct nl *nl, const struct macvtap_setup *setup, struct link *link)
{
	struct nl_result result;

	nl_begin(nl);
	put_macvtap(nl, setup);
	put_macvtap_config(nl, setup, !setup->for_host);
	result = nl_commit(nl, nl_read_link, link);
	if (result.err == -EAFNOSUPPORT && result.step == NL_CONFIGURE) {
		nl_begin(nl);
		put_macvtap_config(nl, setup, false);
		result = nl_commit(nl, nl_read_link, link);
	}
	return result;
}

struct nl_result macvtap_repair(struct nl *nl, const struct macvtap_repair *repair,
				struct link *link)
{
	struct nlmsghdr *m;

	nl_begin(nl);
	if (repair->address || repair->mtu || repair->no_ipv6) {
		m = nl_link_message(nl, NL_CONFIGURE, RTM_NEWLINK, 0, repair->ifindex);
		if (repair->address)
			mnl_attr_put(m, IFLA_ADDRESS, MAC_LEN, repair->address);
		if (repair->mtu)
			mnl_attr_put_u32(m, IFLA_MTU, repair->mtu);
		if (repair->no_ipv6)
			nl_put_no_ipv6(m);
		nl_message_end(nl, m);
	}
	traffic_put_again(nl, repair->ifindex, true, repair->guest, repair->traffic);
	if (repair->flags)
		nl_put_up(nl, repair->ifindex, repair->flags, "", 0);
	nl_link_request(nl, NL_READ, NULL, repair->ifindex);
	return nl_commit(nl, nl_read_link, link);
}

/* --- which device --- */

int macvtap_find(dev_t *rdev, const char *name, int ifindex)
{
	unsigned major_number, minor_number;
	char path[NODE_PATH];
	int numbers, dir = sysfs_open_link(name, ifindex);

	if (dir < 0)
		return dir;
	snprintf(path, sizeof(path), "tap%d/dev", ifindex);
	numbers = sysfs_read_numbers(dir, path, &major_number, &minor_number);
	close(dir);
	if (numbers != 2)
		return -ENODEV;
	*rdev = makedev(major_number, minor_number);
	return 0;
}

dev_t macvtap_rdev(const struct link *link)
{
	dev_t rdev = 0;

	if (link->kind != LINK_MACVTAP || macvtap_find(&rdev, link->name, link->ifindex) < 0)
		return 0;
	return rdev;
}

static bool node_is(const char *path, dev_t rdev, struct stat *st)
{
	return lstat(path, st) == 0 && S_ISCHR(st->st_mode) && st->st_rdev == rdev;
}

static const char *node_path(char path[static NODE_PATH], int ifindex)
{
	snprintf(path, NODE_PATH, "/dev/tap%d", ifindex);
	return path;
}

bool macvtap_node_is(int ifindex, dev_t rdev, struct node_owner *owner)
{
	char path[NODE_PATH];
	struct stat st;

	if (!node_is(node_path(path, ifindex), rdev, &st))
		return false;
	owner->uid = st.st_uid;
	owner->gid = (st.st_mode & (S_IRGRP | S_IWGRP)) ? st.st_gid : (gid_t)-1;
	return true;
}

int macvtap_node_give(int ifindex, dev_t rdev, uid_t uid, gid_t gid)
{
	char path[NODE_PATH], self[NODE_PATH];
	struct stat st;
	int fd, err = 0;

	/* O_PATH: the node is looked at and given away, the device is not opened. */
	fd = open_node(AT_FDCWD, node_path(path, ifindex), O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return report_error(fd, "%s: cannot give it to its owner: %s", path, strerror(-fd));
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != rdev)
		err = report_error(
			-ENODEV,
			"%s: this is not the device just made, but another one of that name", path);
	else if (chmod(self, gid == (gid_t)-1 ? 0600 : 0660) < 0 ||
		 fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		err = report_error(-errno, "%s: cannot give it to its owner: %s\n%s", path,
				   strerror(errno),
				   errno == EPERM ? "run it with sudo (other ways: tapctl(8), "
						    "ACCESS)" :
						    "");
	close(fd);
	return err;
}

/* --- queues --- */

/*
 * A directory for nodes that only this process sees. A tmpfs that is mounted nowhere leaves nothing
 * behind even when the process is killed; where mounting is not allowed, a fresh directory in /dev,
 * whose name is then in @path for the caller to remove (else path[0] is NUL).
 */
static int node_directory(char path[static NODE_PATH])
{
	int dir = libc_mount_detached("tmpfs");

	path[0] = '\0';
	if (dir >= 0)
		return dir;
	snprintf(path, NODE_PATH, "/dev/.tapctl-XXXXXX");
	if (!mkdtemp(path))
		return -errno;
	dir = open_node(AT_FDCWD, path, O_PATH | O_DIRECTORY);
	if (dir < 0)
		rmdir(path);
	return dir;
}

/* The open device is asked who it is, as the node could have been swapped. */
static int check_queue(int fd, const char *name, const uint8_t *address)
{
	struct ifreq ifr = { 0 };
	int err = tap_ioctl(fd, TUNGETIFF, &ifr);

	if (err)
		return err;
	if (strncmp(ifr.ifr_name, name, IFNAMSIZ) != 0)
		return -ENODEV;
	err = tap_ioctl(fd, SIOCGIFHWADDR, &ifr);
	if (err)
		return err;
	return memcmp(ifr.ifr_hwaddr.sa_data, address, MAC_LEN) == 0 ? 0 : -ENODEV;
}

/* A fresh queue has IFF_VNET_HDR and one queue (drivers/net/tap.c, tap_open): say what differs. */
static int set_queue_flags(int fd, const char *name, const struct queue_flags *flags)
{
	char ignored[IFNAMSIZ] = "";

	if (flags->vnet_hdr && !flags->multi_queue)
		return 0;
	memcpy(ignored, name, strnlen(name, IFNAMSIZ - 1));
	return tap_connect(fd, ignored, flags);
}

int macvtap_open_queues(const struct macvtap_queues *queues)
{
	int err = 0;

	for (unsigned i = 0; i < queues->count && !err; i++) {
		int fd = open_node(queues->dir, queues->path, O_RDWR);

		queues->fds[i] = fd;
		err = fd < 0 ? fd : check_queue(fd, queues->name, queues->address);
		if (!err)
			err = set_queue_flags(fd, queues->name, &queues->flags);
	}
	for (unsigned i = 0; i < queues->count && err; i++) {
		if (queues->fds[i] >= 0)
			close(queues->fds[i]);
		queues->fds[i] = -1;
	}
	return err;
}

/* A node of our own, which is removed again when its queues are open. */
static int make_node(struct macvtap_queues *queues, char directory[static NODE_PATH], dev_t rdev)
{
	/*
	 * Any other user would be the owner of a private node, and of its directory: could swap it
	 * before it is opened, and keep it to open whatever macvtap gets this number later.
	 */
	if (geteuid() != 0)
		return -ENOENT;
	queues->dir = node_directory(directory);
	queues->path = "queue";
	if (queues->dir < 0)
		return queues->dir;
	return mknodat(queues->dir, queues->path, S_IFCHR | 0600, rdev) < 0 ? -errno : 0;
}

static int report_queues(int err, const struct macvtap_queues *queues, dev_t rdev, int ifindex)
{
	char path[NODE_PATH];

	node_path(path, ifindex);
	if (link_disappeared(err))
		return report_failure("disappeared", err,
				      "%s: it disappeared: something removed it in the meantime",
				      queues->name);
	if (err == -ENOENT)
		return report_error(-EPERM,
				    "%s: it has no device node %s, and only root may make one",
				    queues->name, path);
	if (err == -EPERM || err == -EACCES)
		return report_error(err,
				    "%s: opening its character device %u:%u (%s) is forbidden, by "
				    "the node's mode, a device cgroup or a missing CAP_MKNOD\n%s",
				    queues->name, major(rdev), minor(rdev), path,
				    geteuid() == 0 ? "" :
						     "run it with sudo and --user $USER (other "
						     "ways: tapctl(8), ACCESS)");
	return report_error(err, "%s: cannot open its character device %u:%u (%s): %s",
			    queues->name, major(rdev), minor(rdev), path, strerror(-err));
}

int macvtap_open_drawn(struct macvtap_queues *queues, int ifindex, macvtap_open_fn *open,
		       void *data)
{
	char path[NODE_PATH];
	struct stat st;

	queues->dir = AT_FDCWD;
	queues->path = node_path(path, ifindex);
	if (lstat(path, &st) < 0)
		return -errno;
	return S_ISCHR(st.st_mode) ? open(queues, data) : -ENODEV;
}

int macvtap_open(struct macvtap_queues *queues, int ifindex, dev_t rdev, macvtap_open_fn *open,
		 void *data)
{
	char public_path[NODE_PATH], directory[NODE_PATH] = "";
	struct stat st;
	bool found;
	int err;

	queues->dir = AT_FDCWD;
	queues->path = node_path(public_path, ifindex);
	found = node_is(public_path, rdev, &st);
	err = found ? open(queues, data) : 0;
	/* In a user namespace root may open only what is its own. */
	if (!found || (err == -EACCES && geteuid() == 0)) {
		err = make_node(queues, directory, rdev);
		if (!err)
			err = open(queues, data);
	}
	if (queues->dir >= 0) {
		unlinkat(queues->dir, queues->path, 0);
		close(queues->dir);
	}
	if (directory[0])
		rmdir(directory);
	return err ? report_queues(err, queues, rdev, ifindex) : 0;
}

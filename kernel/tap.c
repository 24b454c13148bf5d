/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>

#include "kernel/address.h"
#include "kernel/tap.h"
#include "lib/libc.h"
#include "lib/report.h"

static int report_open(int err, const char *path, const char *driver, const char *missing)
{
	struct utsname kernel;

	switch (err) {
	case -ENOENT:
		return report_failure(
			missing, err,
			"%s: there is no such device here\na container needs --device %s "
			"and the capability NET_ADMIN; elsewhere: modprobe %s",
			path, path, driver);
	case -ENODEV:
	case -ENXIO:
		uname(&kernel);
		return report_failure(
			missing, err,
			"%s: the running kernel %s has no driver %s\nwas the kernel updated "
			"and not rebooted? else: modprobe %s",
			path, kernel.release, driver, driver);
	case -EPERM:
		return report_error(err,
				    "%s: opening it is forbidden, as by a device cgroup\nallow "
				    "the device there (a container: --device %s)",
				    path, path);
	case -EACCES:
		return report_error(
			err,
			"%s: opening it is forbidden by its mode or by a security module\n"
			"run as root or as its owner",
			path);
	default:
		return report_error(err, "%s: cannot open it: %s", path, strerror(-err));
	}
}

static int open_device(int *fd, const char *path, const char *driver, const char *missing)
{
	int n = (int)TEMP_FAILURE_RETRY(open(path, O_RDWR | O_CLOEXEC));

	if (n < 0)
		return report_open(-errno, path, driver, missing);
	*fd = n;
	return 0;
}

int vhost_open(int *fd)
{
	return open_device(fd, "/dev/vhost-net", "vhost_net", "no-vhost");
}

/* --- tap --- */

void tap_allow_many(size_t count)
{
	struct rlimit limit;

	if (count > 64 && getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < count + 16) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int tap_open(int *fd)
{
	return open_device(fd, "/dev/net/tun", "tun", "no-tun");
}

/* ifr_flags is a short, which the kernel reads as unsigned. */
static short flag_bits(const struct queue_flags *flags)
{
	unsigned bits = IFF_TAP | IFF_NO_PI;

	if (flags->exclusive)
		bits |= IFF_TUN_EXCL;
	if (flags->multi_queue)
		bits |= IFF_MULTI_QUEUE;
	if (flags->vnet_hdr)
		bits |= IFF_VNET_HDR;
	return (short)bits;
}

int tap_ioctl(int fd, unsigned long request, void *arg)
{
	return TEMP_FAILURE_RETRY(ioctl(fd, request, arg)) < 0 ? -errno : 0;
}

/* The same for requests that take a number instead of a pointer. */
static int ioctl_number(int fd, unsigned long request, unsigned long number)
{
	return TEMP_FAILURE_RETRY(ioctl(fd, request, number)) < 0 ? -errno : 0;
}

int tap_connect(int fd, char name[static IFNAMSIZ], const struct queue_flags *flags)
{
	struct ifreq ifr = { .ifr_flags = flag_bits(flags) };
	int err;

	memcpy(ifr.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	err = tap_ioctl(fd, TUNSETIFF, &ifr);
	if (!err)
		memcpy(name, ifr.ifr_name, IFNAMSIZ);
	return err;
}

int tap_reset_offload(int fd)
{
	return ioctl_number(fd, TUNSETOFFLOAD, 0);
}

int tap_set_owner(int fd, uid_t uid, gid_t gid)
{
	int err = 0;

	if (uid != (uid_t)-1)
		err = ioctl_number(fd, TUNSETOWNER, uid);
	if (!err && gid != (gid_t)-1)
		err = ioctl_number(fd, TUNSETGROUP, gid);
	return err;
}

int tap_persist(int fd, bool persistent)
{
	return ioctl_number(fd, TUNSETPERSIST, persistent);
}

/* --- set up by rtnetlink --- */

static struct nl_result set_up(struct nl *nl, const struct tap_setup *setup, bool no_ipv6,
			       int *owner)
{
	const struct link *bridge = setup->bridge;
	struct nlmsghdr *m;

	nl_begin(nl);
	m = nl_link_message(nl, NL_CONFIGURE, RTM_NEWLINK, 0, setup->ifindex);
	mnl_attr_put(m, IFLA_ADDRESS, MAC_LEN, setup->address);
	if (setup->mtu)
		mnl_attr_put_u32(m, IFLA_MTU, setup->mtu);
	if (bridge)
		mnl_attr_put_u32(m, IFLA_MASTER, (uint32_t)bridge->ifindex);
	if (setup->no_carrier) {
		mnl_attr_put_u8(m, IFLA_CARRIER, 0);
		/* Else it is unknown until linkwatch has run, which a bridge takes for up. */
		mnl_attr_put_u8(m, IFLA_OPERSTATE, IF_OPER_DORMANT);
	}
	if (no_ipv6)
		nl_put_no_ipv6(m);
	nl_message_end(nl, m);
	if (bridge)
		bridge_put_policy(nl, setup->ifindex, setup->policy, setup->guest,
				  bridge->bridge.default_pvid);
	for (unsigned i = 0; i < setup->address_count; i++)
		address_put(nl, setup->ifindex, &setup->addresses[i]);
	traffic_put(nl, setup->ifindex, false, setup->guest, setup->traffic);
	nl_put_up(nl, setup->ifindex, IFF_UP, setup->alias, bridge ? 0 : NLM_F_ACK);
	if (!bridge)
		return nl_commit(nl, NULL, NULL);
	bridge_put_fdb_request(nl, NL_READ, bridge->ifindex, setup->address);
	return nl_commit(nl, bridge_read_fdb, owner);
}

struct nl_result tap_set_up(struct nl *nl, const struct tap_setup *setup, int *owner)
{
	struct nl_result result = set_up(nl, setup, setup->no_ipv6, owner);

	/* Where IPv6 is off, in the kernel or by a small MTU, there is nothing to switch off. */
	if (result.err == -EAFNOSUPPORT && setup->no_ipv6)
		result = set_up(nl, setup, false, owner);
	return result;
}

/* --- while it is in use --- */

static void put_operstate(struct nlmsghdr *m, uint8_t mode, uint8_t state)
{
	mnl_attr_put_u8(m, IFLA_OPERSTATE, state);
	mnl_attr_put_u8(m, IFLA_LINKMODE, mode);
}

struct nl_result tap_join(struct nl *nl, const struct tap_setup *setup, struct link *link)
{
	const struct link *bridge = setup->bridge;
	struct nlmsghdr *m;

	nl_begin(nl);
	/* In a message of its own: the master of one message is set before its state. */
	m = nl_link_message(nl, NL_CONFIGURE, RTM_NEWLINK, 0, setup->ifindex);
	put_operstate(m, IF_LINK_MODE_DORMANT, IF_OPER_DORMANT);
	nl_message_end(nl, m);
	m = nl_link_message(nl, NL_CONFIGURE, RTM_NEWLINK, 0, setup->ifindex);
	if (setup->address)
		mnl_attr_put(m, IFLA_ADDRESS, MAC_LEN, setup->address);
	if (setup->mtu)
		mnl_attr_put_u32(m, IFLA_MTU, setup->mtu);
	mnl_attr_put_u32(m, IFLA_MASTER, (uint32_t)bridge->ifindex);
	nl_message_end(nl, m);
	bridge_put_policy(nl, setup->ifindex, setup->policy, setup->guest,
			  bridge->bridge.default_pvid);
	traffic_put_again(nl, setup->ifindex, false, setup->guest, setup->traffic);
	nl_link_request(nl, NL_READ, NULL, setup->ifindex);
	return nl_commit(nl, nl_read_link, link);
}

struct nl_result tap_open_port(struct nl *nl, int ifindex, const char *alias)
{
	struct ifinfomsg info = { .ifi_index = ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct nlmsghdr *m;

	nl_begin(nl);
	nl_put_alias(nl, ifindex, alias);
	m = nl_message(nl, NL_UP, RTM_NEWLINK, NLM_F_ACK, sizeof(info), &info);
	put_operstate(m, IF_LINK_MODE_DEFAULT, IF_OPER_UP);
	nl_message_end(nl, m);
	return nl_commit(nl, NULL, NULL);
}

struct nl_result tap_leave(struct nl *nl, int ifindex)
{
	struct nlmsghdr *m;

	nl_begin(nl);
	m = nl_link_message(nl, NL_CONFIGURE, RTM_NEWLINK, 0, ifindex);
	mnl_attr_put_u32(m, IFLA_MASTER, 0);
	nl_message_end(nl, m);
	m = nl_link_message(nl, NL_CONFIGURE, RTM_NEWLINK, NLM_F_ACK, ifindex);
	put_operstate(m, IF_LINK_MODE_DEFAULT, IF_OPER_UP);
	nl_message_end(nl, m);
	return nl_commit(nl, NULL, NULL);
}

struct nl_result tap_repair(struct nl *nl, const struct tap_repair *repair, struct link *link)
{
	struct nlmsghdr *m;

	nl_begin(nl);
	if (repair->address || repair->mtu) {
		m = nl_link_message(nl, NL_CONFIGURE, RTM_NEWLINK, 0, repair->ifindex);
		if (repair->address)
			mnl_attr_put(m, IFLA_ADDRESS, MAC_LEN, repair->address);
		if (repair->mtu)
			mnl_attr_put_u32(m, IFLA_MTU, repair->mtu);
		nl_message_end(nl, m);
	}
	if (repair->flags || repair->vlans || repair->entry)
		bridge_put_policy_again(nl, repair->ifindex, repair->policy, repair->guest,
					repair->flags, repair->vlans);
	traffic_put_again(nl, repair->ifindex, false, repair->guest, repair->traffic);
	nl_put_alias(nl, repair->ifindex, repair->alias);
	nl_link_request(nl, NL_READ, NULL, repair->ifindex);
	return nl_commit(nl, nl_read_link, link);
}

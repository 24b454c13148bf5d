/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/random.h>

#include <linux/if_ether.h>

#include "kernel/macvtap.h"
#include "kernel/tap.h"
#include "lib/report.h"
#include "nic/lease.h"
#include "nic/make.h"
#include "nic/watcher.h"

int nic_draw_ifindex(struct nl *nl, int *ifindex)
{
	struct link link;
	uint32_t drawn;
	int err = 0;

	for (int tries = 0; tries < 16 && !err; tries++) {
		if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
			return report_error(-errno, "cannot draw a number: %s", strerror(errno));
		*ifindex = (int)(drawn % IFINDEX_HIGH) + IFINDEX_HIGH;
		/* If it is taken, the messages after a failed creation would go to another link. */
		err = nl_link_get(nl, NULL, *ifindex, &link);
	}
	if (err == -ENODEV)
		return 0;
	return report_error(err ? err : -EBUSY, "cannot find a free interface index: %s",
			    err ? nl_strerror(err) : "all that were tried are taken");
}

/* --- taps --- */

/* Warn of what joining did to the bridge; it works all the same. */
static void tell_bridge(struct nl *nl, const struct nic *nic)
{
	const struct link *bridge = &nic->parent;
	char text[MAC_STRLEN];
	uint8_t mac[MAC_LEN];
	int mtu;

	if (nl_link_address(nl, bridge->name, mac) == 0 && mac_equal(mac, nic->host) &&
	    !mac_equal(bridge->address, nic->host))
		report_tell(REPORT_WARNING,
			    "%s: the bridge follows its lowest port and now has the "
			    "address %s of this guest's tap, and will change it when the tap is "
			    "removed: tapctl pin %s",
			    bridge->name, mac_format(text, nic->host), bridge->name);
	if (!nic->want->mtu || nic->want->mtu >= bridge->mtu)
		return;
	mtu = nl_link_mtu(nl, bridge->name);
	/* If it is lower still, another port is the cause. */
	if (mtu >= 0 && (unsigned)mtu == nic->want->mtu)
		report_tell(REPORT_WARNING,
			    "%s: the bridge's MTU went from %u down to %d with this "
			    "port: ip link set %s mtu %u",
			    bridge->name, bridge->mtu, mtu, bridge->name, bridge->mtu);
}

/* Two ports of a bridge may have the same address, and only one of them gets the frames. */
static int refuse_duplicate(struct nl *nl, const struct nic *nic, int port)
{
	char mac[MAC_STRLEN];
	struct link other;

	if (nl_link_get(nl, NULL, port, &other) < 0)
		other = nic->parent;
	return report_failure("address-in-use", -EEXIST,
			      "%s: another port of %s, %s, has the address %s\n"
			      "use that device, if it is for this guest: tapctl list %s",
			      nic->name, nic->parent.name, other.name, mac_format(mac, nic->host),
			      other.name);
}

int nic_check_address(struct nl *nl, const struct nic *nic)
{
	int port, err = bridge_find_port(nl, nic->parent.ifindex, nic->host, &port);

	if (err == -ENOENT || (!err && port == nic->parent.ifindex))
		return 0;
	return err ? report_error(err, "%s: cannot look for its address: %s", nic->parent.name,
				  nl_strerror(err)) :
		     refuse_duplicate(nl, nic, port);
}

/*
 * Until give_tap() every user may open one more queue of the tap, and so get a share of its guest's
 * frames.
 */
static int check_alone(struct nl *nl, struct nic *nic)
{
	int err = nic_read_back(nl, nic);

	if (err || nic->link.tun.queues == 1)
		return err;
	nl_link_delete(nl, nic->link.ifindex);
	return report_error(-EBUSY, "%s: another process has opened a queue of it", nic->name);
}

int nic_set_address_again(struct nl *nl, struct nic *nic)
{
	struct nl_result result = nl_link_set_address(nl, nic->link.ifindex, nic->host);

	if (result.err)
		return nic_refused(nic, NIC_STEP_ADDRESS, &result);
	report_tell(REPORT_STEP, "%s: its address was changed by another program: set once more",
		    nic->name);
	return 0;
}

/*
 * The bridge does not know the address that was just set: somebody has changed it. Once more, and
 * @port becomes the one that has it.
 */
static struct nl_result find_port_again(struct nl *nl, struct nic *nic, int *port)
{
	struct nl_result result = { .step = NL_READ };

	result.err = nic_set_address_again(nl, nic);
	if (result.err)
		return nic->refusal;
	result.err = bridge_find_port(nl, nic->parent.ifindex, nic->host, port);
	return result;
}

static int set_up_tap(struct nl *nl, struct nic *nic, bool no_carrier)
{
	bool bridged = nic->want->kind == NIC_BRIDGED;
	struct tap_setup setup = {
		.ifindex = nl_link_index(nl, nic->name),
		.address = nic->host,
		.guest = nic->guest,
		.alias = nic->alias,
		/* Where the MTU is taken over from the bridge. */
		.mtu = nic->want->mtu ? nic->want->mtu : nic->parent.mtu,
		.no_ipv6 = nic->want->kind != NIC_UNATTACHED,
		.no_carrier = no_carrier,
		.bridge = bridged ? &nic->parent : NULL,
		.policy = &nic->want->policy,
		.traffic = &nic->want->traffic,
		.addresses = nic->want->addresses.list,
		.address_count = nic->want->addresses.count,
	};
	struct nl_result result;
	int port = 0;

	if (setup.ifindex < 0)
		return nic_refused_errno(nic, NIC_STEP_READ, setup.ifindex);
	nic->link.ifindex = setup.ifindex;
	nic->link.kind = LINK_TUN;
	memcpy(nic->link.name, nic->name, sizeof(nic->link.name));
	nic->link.mtu = setup.mtu ? setup.mtu : ETH_DATA_LEN;
	result = tap_set_up(nl, &setup, &port);
	if (result.err == -ENOENT && result.step == NL_READ)
		result = find_port_again(nl, nic, &port);
	if (result.err)
		return nic_refused(nic, NIC_STEP_SETUP, &result);
	if (bridged && port != nic->link.ifindex && port != nic->parent.ifindex)
		return refuse_duplicate(nl, nic, port);
	if (bridged)
		tell_bridge(nl, nic);
	return nic->want->queues > 1 ? check_alone(nl, nic) : 0;
}

static int reset_offload(struct nic *nic)
{
	int err = tap_reset_offload(nic->fds[0]);

	return err ? nic_refused_errno(nic, NIC_STEP_OFFLOAD, err) : 0;
}

static int give_tap(struct nic *nic)
{
	int err = tap_set_owner(nic->fds[0], nic->owner, nic->group);

	return err ? nic_refused_errno(nic, NIC_STEP_OWNER, err) : 0;
}

/* What a tap needs once its first queue is open. */
static int begin_tap(struct nl *nl, struct nic *nic, bool one_queue)
{
	int err = 0;

	if (nic->reused)
		return reset_offload(nic);
	/* Not later: a holder could make it persistent, and so open to every user. */
	if (!one_queue)
		err = give_tap(nic);
	return err ? err : set_up_tap(nl, nic, one_queue);
}

/*
 * udev looks for the kernel's own address first, and sets another one a little later, which may be
 * after ours was read back. It needs longer than this until it looks.
 */
#define UDEV_NS 500000

static bool is_slow(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000000000L + now.tv_nsec - since->tv_nsec > UDEV_NS;
}

static int open_queues(struct nl *nl, struct nic *nic, bool one_queue)
{
	struct queue_flags flags = {
		.exclusive = !nic->reused,
		.multi_queue = nic->want->queues > 1,
		.vnet_hdr = !nic->want->no_vnet_hdr,
	};
	unsigned count = one_queue ? 1 : nic->want->queues;
	struct timespec begin;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned i = 0; i < count; i++) {
		err = tap_open(&nic->fds[i]);
		if (err)
			return err;
		err = tap_connect(nic->fds[i], nic->name, &flags);
		/* Its last run may have ended while somebody looked. */
		if (err == -EBUSY && flags.exclusive && lease_wait_passing(nl, nic->name))
			err = tap_connect(nic->fds[i], nic->name, &flags);
		if (err)
			return nic_refused_errno(nic, NIC_STEP_QUEUE, err);
		nic->made = !nic->reused;
		flags.exclusive = false;
		if (i == 0) {
			err = begin_tap(nl, nic, one_queue);
			nic->was_slow = is_slow(&begin);
		}
		if (err)
			return err;
	}
	return 0;
}

/* For a random time, so that of two who met one comes back first. */
static void wait_apart(void)
{
	uint8_t drawn = 0;

	(void)!getrandom(&drawn, sizeof(drawn), 0);
	poll(NULL, 0, 1 + drawn / 10);
}

/*
 * A tap of several queues takes ever more of them: two that open it at once each see the other's,
 * and both step back. Who comes back first has it.
 */
static int be_alone(struct nl *nl, struct nic *nic)
{
	int err = nic_read_back(nl, nic);

	for (int tries = 0; tries < 16 && !err && nic->link.tun.queues > nic->want->queues;
	     tries++) {
		nic_close_fds(nic);
		wait_apart();
		err = nic_read_back(nl, nic);
		if (!err && nic->link.tun.queues)
			break;
		if (!err)
			err = open_queues(nl, nic, false);
		if (!err)
			err = nic_read_back(nl, nic);
	}
	if (!err && (nic->fds[0] < 0 || nic->link.tun.queues > nic->want->queues))
		err = nic_refused_errno(nic, NIC_STEP_REUSE, -EBUSY);
	return err;
}

int nic_make_tap(struct nl *nl, struct nic *nic, bool one_queue)
{
	int err = open_queues(nl, nic, one_queue);

	return !err && nic->reused && nic->want->queues > 1 ? be_alone(nl, nic) : err;
}

/* --- macvtaps --- */

static int take_lease(struct nl *nl, struct nic *nic, int ifindex)
{
	int lease = lease_take(nl, ifindex);

	if (lease == -EBUSY)
		return nic_refused_errno(nic, NIC_STEP_REUSE, -EBUSY);
	if (lease < 0)
		return lease;
	nic->lease = lease;
	return 0;
}

int nic_take_lease(struct nl *nl, struct nic *nic, int ifindex, bool watched)
{
	struct watcher watcher;
	int err;

	if (!watched)
		return take_lease(nl, nic, ifindex);
	err = watcher_start(&watcher, ifindex);
	if (err)
		return err;
	err = take_lease(nl, nic, ifindex);
	if (!err)
		return watcher_wait(&watcher);
	watcher_let_go(&watcher);
	return err;
}

int nic_make_macvtap(struct nl *nl, struct nic *nic, int ifindex)
{
	const struct macvtap_setup setup = {
		.ifindex = ifindex,
		.name = nic->name,
		.address = nic->host,
		.alias = nic->alias,
		.mtu = nic->want->mtu,
		.lower = nic->parent.ifindex,
		.mode = nic->want->mode,
		.for_host = nic->want->kind == NIC_HOST,
		.traffic = &nic->want->traffic,
	};
	struct nl_result result;

	result = macvtap_create(nl, &setup, &nic->link);
	nic->made = !result.err || result.step != NL_CREATE;
	nic->link.ifindex = ifindex;
	if (result.err)
		return nic_refused(nic, NIC_STEP_CREATE, &result);
	memcpy(nic->name, nic->link.name, sizeof(nic->name));
	return 0;
}

int nic_open_macvtap(struct nl *nl, struct nic *nic)
{
	struct macvtap_queues queues = {
		.fds = nic->fds,
		.count = nic->want->queues,
		.name = nic->name,
		.address = nic->host,
		.flags = { .multi_queue = nic->want->queues > 1,
			   .vnet_hdr = !nic->want->no_vnet_hdr },
	};
	struct lessee lessee = { .nl = nl, .lease = nic->lease };
	int err = -ENODEV;

	if (!nic->reused)
		err = macvtap_open_drawn(&queues, nic->link.ifindex, lease_open_queues, &lessee);
	if (err) {
		report_forget();
		err = nic_find_node(nl, nic);
		if (!err)
			err = macvtap_open(&queues, nic->link.ifindex, nic->rdev, lease_open_queues,
					   &lessee);
	}
	/* From now on the queues hold it. */
	nic_release_lease(nic);
	return !err && nic->reused ? reset_offload(nic) : err;
}

/* --- both --- */

int nic_open_vhost(struct nic *nic)
{
	bool automatic = nic->want->vhost == VHOST_AUTO;

	if (nic->want->vhost == VHOST_OFF)
		return 0;
	for (unsigned i = 0; i < nic->want->queues; i++) {
		int err = vhost_open(&nic->vhost_fds[i]);

		if (!err)
			continue;
		if (!automatic)
			return err;
		while (i-- > 0) {
			close(nic->vhost_fds[i]);
			nic->vhost_fds[i] = -1;
		}
		report_tell(REPORT_WARNING, "%s: going on without vhost: %s", nic->name,
			    report_line());
		report_forget();
		return 0;
	}
	return 0;
}

void nic_set_owner(struct nic *nic, uid_t owner)
{
	/* With both set the kernel wants both to match: --group alone must not get an owner, too.
	 */
	if (nic->owner == (uid_t)-1 && nic->group == (gid_t)-1)
		nic->owner = owner;
}

int nic_give(struct nl *nl, struct nic *nic)
{
	int err;

	if (nic_is_tap(nic))
		return give_tap(nic);
	if (nic->want->kind == NIC_HOST)
		return 0;
	err = nic_find_node(nl, nic);
	return err ? err : macvtap_node_give(nic->link.ifindex, nic->rdev, nic->owner, nic->group);
}

int nic_persist(struct nic *nic)
{
	int err;

	if (!nic_is_tap(nic))
		return 0;
	err = tap_persist(nic->fds[0], true);
	if (err)
		return nic_refused_errno(nic, NIC_STEP_PERSIST, err);
	nic->persistent = true;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * One guest's NIC: what is wanted, and what was made.
 *
 * Its steps are prepare.h, make.h and verify.h; nicset.h takes all NICs of one command line through
 * them. Functions return 0 or a negative errno, with a line of error, or with nic->refusal for
 * explain_refusal() to word.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/bridge.h"
#include "kernel/qdisc.h"
#include "lib/ip.h"
#include "macutil.h"
#include "netlink.h"
#include "nic/compare.h"
#include "nic/record.h"

enum nic_kind {
	NIC_NONE,
	NIC_BRIDGED, /* a tap on a bridge */
	NIC_UNATTACHED, /* a tap on no bridge */
	NIC_OVS, /* a tap on a bridge of Open vSwitch */
	NIC_MACVTAP,
	NIC_HOST, /* a macvlan, for the host itself */
};

/* As --address has them: the record does not. */
struct ip_addresses {
	unsigned count;
	struct ip_address list[8];
};

enum vhost_mode { VHOST_OFF, VHOST_ON, VHOST_AUTO };

/* What the user wants. All zeros but queues, owner and group is a valid beginning. */
struct nic_options {
	enum nic_kind kind;
	char parent[IFNAMSIZ]; /* the bridge or lower device */
	enum macvtap_mode mode;
	uint8_t guest[MAC_LEN]; /* zeros: not given */
	char name[IFNAMSIZ]; /* "": derived from the guest's address */
	uint32_t mtu; /* 0: the parent's */
	unsigned queues; /* from 1 */
	enum vhost_mode vhost;
	bool no_vnet_hdr;
	struct port_policy policy;
	struct traffic traffic;
	struct ip_addresses addresses; /* of the host's, on a tap on no bridge */
	char iface_id[OVS_ID]; /* the logical port of OVN; "": none */
	unsigned wait_installed; /* seconds until OVN has to have wired it; 0: not given */
	uid_t owner; /* (uid_t)-1 and (gid_t)-1: not given */
	gid_t group;
	uint64_t said; /* which options were given: bits of commands/options.c */
};

/* Where the kernel refused something. */
enum nic_step {
	NIC_STEP_ANY,
	NIC_STEP_REUSE, /* an existing device */
	NIC_STEP_QUEUE, /* tap_connect() */
	NIC_STEP_SETUP, /* tap_set_up() */
	NIC_STEP_CREATE, /* macvtap_create() */
	NIC_STEP_OFFLOAD,
	NIC_STEP_OWNER,
	NIC_STEP_PERSIST,
	NIC_STEP_ADDRESS, /* set once more */
	NIC_STEP_READ, /* back from the kernel */
};

struct nic {
	const struct nic_options *want;
	/* derived */
	uint8_t guest[MAC_LEN];
	uint8_t host[MAC_LEN]; /* the address of the device on this side */
	char name[IFNAMSIZ];
	bool anonymous; /* a tap for a guest whose address nobody told: without record */
	struct record record; /* complete once it is prepared */
	char alias[LINK_ALIAS]; /* the record as it is written, or "" */
	uid_t owner; /* (uid_t)-1 and (gid_t)-1: nobody */
	gid_t group;
	/* found and made */
	struct link parent; /* the bridge or lower device, before the device was there */
	struct link link; /* the device as the kernel has it; of a new tap only ifindex, kind, name
			     and MTU until it is read back */
	bool made; /* it is ours to unmake */
	bool was_slow; /* udev may have seen a new tap before it had its address */
	bool reused; /* it was there already */
	const char *allowed_by; /* the option by which it may be: "--reuse" ...; NULL: none */
	bool persistent;
	dev_t rdev; /* of a macvtap, after nic_find_node(); else 0 */
	struct port_state port; /* once it is verified */
	struct traffic_state traffic;
	struct ovs *ovs; /* the nicset's */
	struct ovs_port row; /* of Open vSwitch */
	bool has_row; /* and it was made, or found */
	int lease; /* of a macvtap: its namespace until the queues are open, or -1 */
	int *fds; /* want->queues of them, -1 where not open */
	int *vhost_fds; /* the same, or all -1 */
	enum nic_step step; /* where the kernel refused something */
	struct nl_result refusal;
};

/* Whether a kind is a tap, as opposed to a macvtap or macvlan. */
bool nic_is_tap(const struct nic *nic);

/* Begin a NIC: derive its name and addresses. Every nic ends with nic_free(), which closes its fds.
 */
int nic_init(struct nic *nic, const struct nic_options *want, enum record_maker by);
void nic_free(struct nic *nic);

/* Close the queues, and behind them the vhost fds. */
void nic_close_fds(struct nic *nic);

/* Keep what the kernel refused. Returns the errno in it. */
int nic_refused(struct nic *nic, enum nic_step step, const struct nl_result *refusal);
int nic_refused_errno(struct nic *nic, enum nic_step step, int err);

/* Let go of the lease, which the queues hold, if there are any. */
void nic_release_lease(struct nic *nic);

/* Find the character device of a macvtap; 0 for other kinds. */
int nic_find_node(struct nl *nl, struct nic *nic);

/* The ifindex that a macvtap is on: of a macvlan, as a container's NIC is one, that one's own lower
 * device. */
int nic_lower(const struct nic *nic);

/*
 * Look there for another macvtap or macvlan that has its address or, @passthru, is in mode
 * passthru. -EEXIST: there is one; 0 or more: none.
 */
int nic_find_rival(struct nl *nl, const struct nic *nic, bool passthru, struct link *found);

/* Read the device back into nic->link. */
int nic_read_back(struct nl *nl, struct nic *nic);

/* Close the fds, and remove the device if this process made it. Failures are not reported. */
void nic_unmake(struct nl *nl, struct nic *nic);

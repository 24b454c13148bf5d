/* SPDX-License-Identifier: MIT */
/*
 * rtnetlink on raw libmnl: links, bridge ports, their VLANs and forwarding entries. And the way to
 * the audit log, which is netlink too.
 *
 * The only room that knows RTM_*, IFLA_* and libmnl. It prints nothing. Every function returns 0
 * or a negative errno; nl_strerror() then has the kernel's own sentence and nl->failed tells at
 * which step of a transaction it happened.
 *
 * A transaction is one sendmsg(2) of several messages. The kernel works through all of them before
 * sendmsg returns (net/netlink/af_netlink.c, netlink_rcv_skb), so a SIGKILL falls before or after
 * it and never in between, and every answer is there when it is asked for: the socket never
 * blocks, and an answer that is missing is an error (-EPROTO) and no endless wait.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/if.h>

#include "macutil.h"

struct mnl_socket;

#define NL_BUFFER 32768 /* the most the kernel puts into one datagram of a dump */
#define NL_MESSAGES 128 /* in one transaction; so many errors still fit a default rcvbuf */
#define LINK_ALIAS 256 /* IFALIASZ */
#define VLAN_MAX 4094

enum nl_step {
	NL_LOOKUP,
	NL_CREATE,
	NL_CONFIGURE,
	NL_PORT,
	NL_VLAN,
	NL_FDB,
	NL_QDISC,
	NL_UP,
	NL_READ,
	NL_DELETE,
};

struct nl {
	struct mnl_socket *socket;
	uint32_t seq; /* of the newest message */
	enum nl_step failed; /* where the last error came from */
	char text[160]; /* the kernel's own words for it, or "" */
	/* the transaction under construction */
	unsigned count;
	size_t len;
	struct {
		enum nl_step step;
		int tolerate; /* an errno that is no failure here, or 0 */
	} steps[NL_MESSAGES];
	_Alignas(8) char buffer[NL_BUFFER];
};

enum link_kind { LINK_OTHER, LINK_TUN, LINK_MACVTAP, LINK_MACVLAN, LINK_BRIDGE };

enum macvtap_mode { MODE_BRIDGE, MODE_VEPA, MODE_PRIVATE, MODE_PASSTHRU, MODE_COUNT };

/* What the port of a bridge lets through. */
struct port_policy {
	bool locked; /* only the address of its static entry may be a source */
	bool isolated, hairpin;
	unsigned vlan_count;
	uint16_t vlans[64]; /* the first one is untagged and the PVID, the others are tagged */
};

/* A link as the kernel describes it. What does not apply to its kind is zero. */
struct link {
	int ifindex;
	char name[IFNAMSIZ];
	enum link_kind kind;
	char kind_name[IFNAMSIZ]; /* "veth"; "" for a plain device */
	unsigned flags; /* IFF_* */
	bool carrier;
	bool ethernet; /* an Ethernet device that carries an address */
	uint8_t address[MAC_LEN];
	uint32_t mtu;
	uint32_t group;
	int master; /* ifindex or 0 */
	int lower; /* IFLA_LINK: ifindex or 0 */
	bool lower_elsewhere; /* the lower device is in another network namespace */
	char alias[LINK_ALIAS];
	bool no_ipv6; /* address generation none: tapctl's mark on what it made for a bridge */
	enum macvtap_mode mode;
	struct {
		bool is_tap, persistent, multi_queue, vnet_hdr, packet_info;
		bool has_owner, has_group;
		uint32_t owner, group;
		uint32_t queues; /* that are open now */
	} tun;
	struct {
		bool of_bridge; /* the master is a bridge */
		bool locked, isolated, hairpin, learning;
		uint8_t state; /* BR_STATE_* of linux/if_bridge.h */
		unsigned delay; /* until it changes, in 1/100 s */
	} port;
	struct {
		bool can_filter; /* the kernel has VLAN filtering */
		bool filters; /* and it is on */
		uint16_t default_pvid;
		bool calls_iptables; /* for itself; the sysctl is for all bridges */
		unsigned forward_delay; /* in 1/100 s */
	} bridge;
};

/* Opens a socket in the calling thread's network namespace. Close it with nl_close(). */
int nl_open(struct nl *nl);
void nl_close(struct nl *nl);

/* The kernel's sentence for the last failure when it gave one, else strerror of @err. */
const char *nl_strerror(const struct nl *nl, int err);

/* "bridge", "vepa" ...: the words of --mode, ip-link(8) and list. */
const char *macvtap_mode_name(enum macvtap_mode mode);
bool macvtap_mode_parse(enum macvtap_mode *mode, const char *name);

/* Look up one link by @name, or by @ifindex when @name is NULL. -ENODEV: there is none. */
int nl_link_get(struct nl *nl, const char *name, int ifindex, struct link *link);

/* The ifindex, the MTU or the address of the link @name (netdevice(7)), or a negative errno. A
 * third of nl_link_get()'s cost. */
int nl_link_index(const struct nl *nl, const char name[static IFNAMSIZ]);
int nl_link_mtu(const struct nl *nl, const char name[static IFNAMSIZ]);
int nl_link_address(const struct nl *nl, const char name[static IFNAMSIZ],
		    uint8_t address[static MAC_LEN]);

/*
 * Call @each for every link of @kind (the kernel filters; LINK_OTHER: all), until it returns
 * something other than 0, which is handed on. Memory does not grow with the number of links.
 * Returns 1 when links came or went meanwhile: what was seen may lack one. Whoever needs the
 * whole truth starts again. @each must not use @nl.
 */
typedef int nl_link_fn(const struct link *link, void *data);
int nl_link_dump(struct nl *nl, enum link_kind kind, nl_link_fn *each, void *data);

/* How a tap is to be set up. */
struct tap_setup {
	int ifindex;
	const uint8_t *address, *guest; /* the host side's, the guest's */
	const char *alias; /* NULL: none */
	uint32_t mtu; /* 0: as it is */
	bool no_carrier; /* nobody will hold it: the kernel is spared what a carrier sets off */
	const struct link *bridge; /* NULL: on no bridge */
	const struct port_policy *policy;
};

/*
 * Set up a tap, one transaction: address, MTU and alias, the bridge, on it no IPv6 of the host's
 * own; the port's policy; no queueing discipline; up. On a bridge, @owner becomes the ifindex of
 * the port that owns the tap's address there: another one's when two ports have the same address,
 * which the kernel accepts silently.
 */
int nl_tap_setup(struct nl *nl, const struct tap_setup *setup, int *owner);

/* How a macvtap is to be made. */
struct macvtap_setup {
	int ifindex; /* chosen by the caller, which then knows what was made */
	const char *name; /* may hold one %d */
	const uint8_t *address;
	const char *alias;
	uint32_t mtu; /* 0: the lower device's */
	int lower;
	enum macvtap_mode mode;
	bool for_host; /* a macvlan: no character device, and the host's own IPv6 */
};

/*
 * Make a macvtap, complete and up, in one transaction, and read it into @link. On failure the
 * caller deletes what may have been made, unless nl->failed is NL_CREATE: then nothing was.
 */
int nl_macvtap_create(struct nl *nl, const struct macvtap_setup *setup, struct link *link);

/* Delete one link. */
int nl_link_delete(struct nl *nl, int ifindex);

/*
 * Delete @count links in one pass of the kernel: they are moved into @group, which no other link
 * is in, and deleted as a group. A link that has gone meanwhile is no error. On failure those
 * that are left are put back into the group that they came from.
 */
int nl_links_delete(struct nl *nl, const struct link *links, size_t count, uint32_t group);

/*
 * Set a link's address to the one that it has. For a bridge that makes it explicit
 * (addr_assign_type 3), and the kernel no longer takes it from the ports (net/bridge/br_stp_if.c).
 */
int nl_link_set_address(struct nl *nl, int ifindex, const uint8_t address[static MAC_LEN]);

/* Which port of @bridge has @mac in its forwarding table, into @ifindex; -ENOENT: none has. */
int nl_fdb_get(struct nl *nl, int bridge, const uint8_t mac[static MAC_LEN], int *ifindex);

/* Call @each for every entry in the forwarding tables of all bridges. */
struct fdb_entry {
	int bridge, port; /* ifindexes; an address of the bridge itself has it as its port */
	uint8_t mac[MAC_LEN];
	bool learned; /* from a frame, and not set by somebody */
};
typedef int nl_fdb_fn(const struct fdb_entry *entry, void *data);
int nl_fdb_dump(struct nl *nl, nl_fdb_fn *each, void *data);

/* Call @each for every IP address of wider use than its own link (AF_INET and AF_INET6). */
typedef int nl_address_fn(int ifindex, int family, void *data);
int nl_address_dump(struct nl *nl, nl_address_fn *each, void *data);

/*
 * Whether a forward chain of nftables drops, by its policy, the IPv4 packets that no rule accepts.
 * Also what iptables(8) has set, unless it is the legacy one. Needs CAP_NET_ADMIN (-EPERM).
 */
int nl_forward_drops(bool *drops);

/* Call @each for every VLAN range of every port of every bridge. */
struct port_vlan {
	int ifindex;
	uint16_t first, last;
	bool pvid, untagged;
};
typedef int nl_vlan_fn(const struct port_vlan *vlan, void *data);
int nl_vlan_dump(struct nl *nl, nl_vlan_fn *each, void *data);

/*
 * The kernel's audit log: open a socket, put the texts of virtual machine resource records, send
 * them, all in one call as long as there are not hundreds. Close it with nl_close(). Nobody waits
 * for an answer: the kernel throws the records away when audit is off.
 */
int nl_audit_open(struct nl *nl);
void nl_audit_put(struct nl *nl, const char *text);
void nl_audit_send(struct nl *nl);

/* SPDX-License-Identifier: MIT */
/*
 * rtnetlink on libmnl: links looked up, listed and deleted; and, in the second half, the messages
 * that kernel/ builds its own requests with.
 *
 * A transaction is one sendmsg(2) of several messages. The kernel handles all of them before
 * sendmsg returns (net/netlink/af_netlink.c, netlink_rcv_skb), so a SIGKILL falls before or after
 * it and never in between, and every answer can be read at once: the socket never blocks, and a
 * missing answer is an error (-EPROTO), not an endless wait.
 *
 * Nothing is printed. Look-ups and dumps return 0 or a negative errno, for nl_strerror(); what
 * changes something returns a struct nl_result.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/if.h>

#include "macutil.h"

#define LINK_ALIAS 256 /* IFALIASZ */
#define NL_TEXT 128

struct nl; /* a socket, and the transaction that is under construction */

enum nl_step {
	NL_LOOKUP,
	NL_CREATE,
	NL_CONFIGURE,
	NL_PORT,
	NL_VLAN,
	NL_FDB,
	NL_QDISC,
	NL_SHAPE,
	NL_CLSACT,
	NL_FILTER,
	NL_POLICE,
	NL_ADDRESS,
	NL_UP,
	NL_READ,
	NL_DELETE,
};

/* What came of a transaction. */
struct nl_result {
	int err; /* 0 or a negative errno */
	enum nl_step step; /* at which that happened */
	char text[NL_TEXT]; /* the kernel's own message, or "" */
};

enum link_kind { LINK_OTHER, LINK_TUN, LINK_MACVTAP, LINK_MACVLAN, LINK_BRIDGE };

enum macvtap_mode { MODE_BRIDGE, MODE_VEPA, MODE_PRIVATE, MODE_PASSTHRU, MODE_COUNT };

/* A link as the kernel describes it. What does not apply to its kind is zero. */
struct link {
	int ifindex;
	char name[IFNAMSIZ];
	enum link_kind kind;
	char kind_name[IFNAMSIZ]; /* "veth"; "" for a plain device */
	bool ethernet; /* with an address of six octets */
	uint8_t address[MAC_LEN];
	unsigned flags; /* IFF_UP ... */
	bool carrier;
	uint32_t mtu, group;
	uint32_t queue_length; /* frames for who has it open (txqueuelen) */
	int master; /* ifindex or 0 */
	int lower; /* IFLA_LINK: ifindex or 0 */
	bool lower_elsewhere; /* the lower device is in another network namespace */
	char alias[LINK_ALIAS];
	bool makes_ipv6; /* it makes itself IPv6 addresses (address generation is not none) */
	bool dormant; /* its link mode: a bridge lets nothing through such a port */
	enum macvtap_mode mode;
	uint8_t bond_mode; /* BOND_MODE_* of linux/if_bonding.h */
	struct {
		bool is_tap, persistent, multi_queue, vnet_hdr, packet_info;
		bool has_owner, has_group;
		uint32_t owner, group;
		uint32_t queues; /* how many are open now */
	} tun;
	struct {
		bool of_bridge; /* the master is a bridge */
		bool locked, isolated, hairpin, learning;
		bool guarded; /* a BPDU switches it off */
		bool floods, broadcasts; /* unicast to unknown addresses; what is for everybody */
		bool multicasts; /* to groups that nobody there has asked for */
		bool suppresses; /* the bridge answers ARP itself */
		uint8_t state; /* BR_STATE_* of linux/if_bridge.h */
		uint64_t delay; /* until it changes, in 1/100 s */
	} port;
	struct {
		bool can_filter; /* the kernel has VLAN filtering */
		bool filters; /* and it is on */
		uint16_t default_pvid;
		bool calls_iptables; /* for itself; the sysctl is for all bridges */
		unsigned stp; /* 0: none, 1: the kernel's, 2: a program's */
		bool snoops; /* it forwards multicast by what was asked for */
		uint8_t querier[16]; /* the IPv6 address of who asks; zeros: nobody */
		unsigned forward_delay; /* in 1/100 s */
	} bridge;
};

/* Open a socket in the calling thread's network namespace. nl_close() takes NULL, too. */
int nl_open(struct nl **nl);
void nl_close(struct nl *nl);

/* strerror(3) of @err, which may be netlink's own -EPROTO; for a result, the kernel's own message
 * if there is one. */
const char *nl_strerror(int err);
const char *nl_result_text(const struct nl_result *result);

/* A tap or macvtap, also one that tapctl did not make. */
bool link_is_tap(const struct link *link);

/* What a link is, for "is a ...": its kind, or "plain device". */
const char *link_kind_word(const struct link *link);

/* A tap removed by another process leaves an fd without a device (-EBADFD), and no link (-ENODEV).
 */
bool link_disappeared(int err);

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
 * something other than 0, which is returned. Memory does not grow with the number of links.
 * Returns 1 when links came or went meanwhile: what was seen may lack one. @each must not use @nl.
 */
typedef int nl_link_fn(const struct link *link, void *data);
int nl_link_dump(struct nl *nl, enum link_kind kind, nl_link_fn *each, void *data);

/*
 * The same, repeated when links came or went meanwhile: a dump may lack a link, but hardly the same
 * one each time. @each then sees most of them twice. Where guests come and go all the time, it
 * gives up after a few dumps and returns 0.
 */
int nl_link_dump_whole(struct nl *nl, enum link_kind kind, nl_link_fn *each, void *data);

/*
 * Set a link's address, by which it is explicit (addr_assign_type 3), also when it is the one that
 * it has: the kernel no longer takes that of a bridge from the ports (net/bridge/br_stp_if.c).
 */
struct nl_result nl_link_set_address(struct nl *nl, int ifindex,
				     const uint8_t address[static MAC_LEN]);

/* Delete one link. */
struct nl_result nl_link_delete(struct nl *nl, int ifindex);

/*
 * Delete @count links in one pass of the kernel: they are moved into a group that no other link is
 * in, which is deleted. A link that disappeared meanwhile is not an error. On failure those that
 * are left are put back into the groups that they came from.
 */
struct nl_result nl_links_delete(struct nl *nl, const struct link *links, size_t count);

/* --- for kernel/, which builds messages with libmnl --- */

#define NL_MESSAGES 128 /* in one transaction; so many errors still fit a default rcvbuf */

struct nlmsghdr;
struct nlattr;

/* A socket of another @protocol of netlink(7), with the @flags of socket(2). */
int nl_open_protocol(struct nl **nl, int protocol, int flags);

/* Its descriptor, which stays its own. */
int nl_fd(const struct nl *nl);

/* Begin a transaction. */
void nl_begin(struct nl *nl);

/* Begin a message with the family's @header of @extra bytes; its attributes come next. */
struct nlmsghdr *nl_message(struct nl *nl, enum nl_step step, uint16_t type, uint16_t flags,
			    size_t extra, const void *header);

/* The same for one about a link. */
struct nlmsghdr *nl_link_message(struct nl *nl, enum nl_step step, uint16_t type, uint16_t flags,
				 int ifindex);

/* Every message ends with this: the next one starts after it. */
void nl_message_end(struct nl *nl, const struct nlmsghdr *m);

/* The errno @err is not a failure of the message that was begun last. */
void nl_tolerate(struct nl *nl, int err);

/* Whether one more message with @size bytes of payload does not fit. */
bool nl_is_full(const struct nl *nl, size_t size);

/* Ask for a link, as part of a transaction: the answer is an RTM_NEWLINK, for nl_read_link(). */
void nl_link_request(struct nl *nl, enum nl_step step, const char *name, int ifindex);

/* Keep the host from giving the link an IPv6 address: not after it is up (net/ipv6/addrconf.c). */
void nl_put_no_ipv6(struct nlmsghdr *m);

/* The message that gives a link its alias; none when it is empty. */
void nl_put_alias(struct nl *nl, int ifindex, const char *alias);

/*
 * The last messages of a set-up: the link's @alias (none when it is empty), which is not taken when
 * it is created, and its @flags (IFF_UP ...); @ack: NLM_F_ACK or 0. Not one message: an alias
 * beside IFF_UP announces a change of a link that is up, for which a bridge looks at all its ports
 * (half a millisecond).
 */
void nl_put_up(struct nl *nl, int ifindex, unsigned flags, const char *alias, uint16_t ack);

/* What one answer means: 0 or a negative errno. */
typedef int nl_reply_fn(const struct nlmsghdr *m, void *data);

/* Read an RTM_NEWLINK into the struct link @link. */
int nl_read_link(const struct nlmsghdr *m, void *link);

/*
 * Send what was built and read every answer. Only the last message is acknowledged, or it is a
 * request, whose reply ends the transaction: the kernel reports the errors of the others all the
 * same. The first error is the result.
 */
struct nl_result nl_commit(struct nl *nl, nl_reply_fn *reply, void *data);

/*
 * The same for a dump. Returns what @reply returned when that is not 0, else 1 if the kernel marked
 * the dump as interrupted or a part of it was lost, else 0.
 */
int nl_dump(struct nl *nl, nl_reply_fn *reply, void *data);

/* The same for one of @type that has the family's @header of @size bytes and no attributes. */
int nl_dump_plain(struct nl *nl, uint16_t type, size_t size, const void *header, nl_reply_fn *reply,
		  void *data);

/* Send what was built, without waiting for an answer. 0 or a negative errno. */
int nl_send(struct nl *nl);

/*
 * Read one datagram that comes unasked. Returns what @reply made of its last message, 1 when there
 * is none in it, -ENOBUFS when some were lost, and -EPROTO when there is none now.
 */
int nl_hear(struct nl *nl, nl_reply_fn *reply, void *data);

/*
 * The attributes of @m after @offset bytes of payload, or those in @nest (NULL: none), up to type
 * @max, into @tb[@max + 1]; NULL where there is none. libmnl stops at the first one that is longer
 * than what is left.
 */
void nl_parse(const struct nlmsghdr *m, size_t offset, const struct nlattr **tb, uint16_t max);
void nl_parse_nested(const struct nlattr *nest, const struct nlattr **tb, uint16_t max);

/* The value of an attribute, which may be NULL: false or 0 when it is not of that size. */
bool nl_attr_number(const struct nlattr *attr, size_t size, void *value);
uint32_t nl_attr_u32(const struct nlattr *attr);

/* A string, which need not end with NUL, cut to @size; "" for NULL. */
void nl_attr_text(const struct nlattr *attr, char *text, size_t size);

/* The word for a kind in IFLA_INFO_KIND, and the number of a mode in IFLA_MACVLAN_MODE. */
const char *nl_kind_name(enum link_kind kind);
uint32_t nl_mode_number(enum macvtap_mode mode);

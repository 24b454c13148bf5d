/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_arp.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "netlink.h"

#define ERRNO_MAX 4095 /* MAX_ERRNO of linux/err.h */
#define BRPORT_LOCKED 39 /* IFLA_BRPORT_LOCKED, newer (Linux 5.18) than some builders' headers */
#define AUDIT_VIRT_RESOURCE 2501 /* of libaudit.h: the kernel gives these numbers to user space */

static const struct {
	const char *name;
	uint32_t value;
} modes[MODE_COUNT] = {
	[MODE_BRIDGE] = { "bridge", MACVLAN_MODE_BRIDGE },
	[MODE_VEPA] = { "vepa", MACVLAN_MODE_VEPA },
	[MODE_PRIVATE] = { "private", MACVLAN_MODE_PRIVATE },
	[MODE_PASSTHRU] = { "passthru", MACVLAN_MODE_PASSTHRU },
};

static const char *const kind_names[] = {
	[LINK_OTHER] = "",	    [LINK_TUN] = "tun",	      [LINK_MACVTAP] = "macvtap",
	[LINK_MACVLAN] = "macvlan", [LINK_BRIDGE] = "bridge",
};

const char *macvtap_mode_name(enum macvtap_mode mode)
{
	return modes[mode].name;
}

bool macvtap_mode_parse(enum macvtap_mode *mode, const char *name)
{
	for (enum macvtap_mode m = 0; m < MODE_COUNT; m++) {
		if (strcmp(name, modes[m].name) == 0) {
			*mode = m;
			return true;
		}
	}
	return false;
}

static int open_socket(struct nl *nl, int protocol, int flags)
{
	nl->seq = 0;
	nl->text[0] = '\0';
	nl->failed = NL_LOOKUP;
	nl->socket = mnl_socket_open2(protocol, SOCK_CLOEXEC | flags);
	return nl->socket ? 0 : -errno;
}

int nl_open(struct nl *nl)
{
	const int on = 1;
	int err = open_socket(nl, NETLINK_ROUTE, SOCK_NONBLOCK);

	if (err)
		return err;
	/* Kernels that do not know these only have less to say: no reason to stop. */
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, (void *)&on, sizeof(on));
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, (void *)&on, sizeof(on));
	return 0;
}

void nl_close(struct nl *nl)
{
	if (nl->socket)
		mnl_socket_close(nl->socket);
	nl->socket = NULL;
}

const char *nl_strerror(const struct nl *nl, int err)
{
	if (nl->text[0])
		return nl->text;
	if (err == -EPROTO)
		return "the kernel's answer is missing or makes no sense";
	return strerror(-err);
}

/* --- one transaction: begin, messages, commit --- */

static void nl_begin(struct nl *nl)
{
	nl->count = 0;
	nl->len = 0;
}

/* Begin a message with the family's @header of @extra bytes; its attributes come next. */
static struct nlmsghdr *nl_message(struct nl *nl, enum nl_step step, uint16_t type, uint16_t flags,
				   size_t extra, const void *header)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(nl->buffer + nl->len);

	m->nlmsg_type = type;
	m->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	m->nlmsg_seq = ++nl->seq;
	memcpy(mnl_nlmsg_put_extra_header(m, extra), header, extra);
	nl->steps[nl->count].step = step;
	nl->steps[nl->count].tolerate = 0;
	nl->count++;
	return m;
}

/* Every message ends with this: the next one starts behind it. */
static void nl_message_end(struct nl *nl, const struct nlmsghdr *m)
{
	nl->len = (size_t)((const char *)mnl_nlmsg_get_payload_tail(m) - nl->buffer);
}

static struct nlmsghdr *link_message(struct nl *nl, enum nl_step step, uint16_t type,
				     uint16_t flags, int ifindex)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };

	return nl_message(nl, step, type, flags, sizeof(info), &info);
}

struct attr_table {
	const struct nlattr **tb;
	uint16_t max;
};

static int keep_attr(const struct nlattr *attr, void *data)
{
	const struct attr_table *table = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type <= table->max)
		table->tb[type] = attr;
	return MNL_CB_OK;
}

/* libmnl hands out the attributes that fit their room; nothing behind a broken one is looked at. */
static void parse_attrs(const struct nlmsghdr *m, size_t offset, const struct nlattr **tb,
			uint16_t max)
{
	struct attr_table table = { .tb = tb, .max = max };

	memset(tb, 0, (max + 1U) * sizeof(const struct nlattr *));
	mnl_attr_parse(m, (unsigned)offset, keep_attr, &table);
}

static void parse_nested(const struct nlattr *nest, const struct nlattr **tb, uint16_t max)
{
	struct attr_table table = { .tb = tb, .max = max };

	memset(tb, 0, (max + 1U) * sizeof(const struct nlattr *));
	if (nest)
		mnl_attr_parse_nested(nest, keep_attr, &table);
}

static void keep_text(struct nl *nl, const struct nlmsghdr *m)
{
	const struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(m);
	size_t offset = sizeof(*error);

	if (m->nlmsg_type != NLMSG_ERROR || m->nlmsg_len < mnl_nlmsg_size(sizeof(*error)) ||
	    !(m->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(m->nlmsg_flags & NLM_F_CAPPED))
		offset += error->msg.nlmsg_len - sizeof(error->msg);
	if (offset > mnl_nlmsg_get_payload_len(m))
		return;
	parse_attrs(m, offset, tb, NLMSGERR_ATTR_MAX);
	if (tb[NLMSGERR_ATTR_MSG] &&
	    mnl_attr_validate(tb[NLMSGERR_ATTR_MSG], MNL_TYPE_NUL_STRING) >= 0)
		snprintf(nl->text, sizeof(nl->text), "%s", mnl_attr_get_str(tb[NLMSGERR_ATTR_MSG]));
}

/* Whether a message stands whole in the @left bytes at @m. libmnl takes its length for signed. */
static bool is_whole(const struct nlmsghdr *m, int left)
{
	return mnl_nlmsg_ok(m, left) && m->nlmsg_len <= (unsigned)left;
}

/* What an NLMSG_ERROR means for the transaction: 0, or the errno of a step that had to work. */
static int read_error(const struct nl *nl, const struct nlmsghdr *m, uint32_t first)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(m);

	if (m->nlmsg_len < mnl_nlmsg_size(sizeof(*error)) || error->error > 0 ||
	    error->error < -ERRNO_MAX)
		return -EPROTO;
	if (-error->error == nl->steps[m->nlmsg_seq - first].tolerate)
		return 0;
	return error->error;
}

static ssize_t nl_receive(struct nl *nl)
{
	ssize_t n =
		TEMP_FAILURE_RETRY(mnl_socket_recvfrom(nl->socket, nl->buffer, sizeof(nl->buffer)));

	if (n < 0)
		return errno == EAGAIN || errno == ENOSPC ? -EPROTO : -errno;
	return n;
}

static int nl_send(struct nl *nl)
{
	ssize_t n;

	nl->text[0] = '\0';
	n = TEMP_FAILURE_RETRY(mnl_socket_sendto(nl->socket, nl->buffer, nl->len));
	nl->failed = nl->steps[0].step;
	if (n < 0)
		return -errno;
	return (size_t)n == nl->len ? 0 : -EPROTO;
}

typedef int nl_reply_fn(const struct nlmsghdr *m, void *data);

/* Throw away what an unfinished exchange has left behind. */
static void nl_drain(struct nl *nl)
{
	while (nl_receive(nl) >= 0)
		;
}

/* What an answer means: 0 or a negative errno. The kernel does not say "no error" to a request. */
static int read_answer(const struct nl *nl, const struct nlmsghdr *m, uint32_t first,
		       nl_reply_fn *reply, void *data)
{
	int err;

	if (m->nlmsg_type != NLMSG_ERROR)
		return reply ? reply(m, data) : 0;
	err = read_error(nl, m, first);
	return !err && reply && m->nlmsg_seq == nl->seq ? -EPROTO : err;
}

/*
 * Send what was built and read every answer. Only the last message is acknowledged, or it is a
 * request, whose reply ends the transaction: the kernel reports the errors of the others all the
 * same. Returns the first error.
 */
static int nl_commit(struct nl *nl, nl_reply_fn *reply, void *data)
{
	uint32_t last = nl->seq, first = last - nl->count + 1;
	int result, err;
	bool done = false;

	result = nl_send(nl);
	if (result < 0)
		return result;
	while (!done) {
		ssize_t n = nl_receive(nl);
		int left = (int)n;

		if (n < 0 && !result) {
			/* Whatever was asked for has been done, or not: nobody knows. */
			nl->failed = NL_READ;
			result = (int)n;
		}
		if (n < 0)
			return result;
		for (struct nlmsghdr *m = (void *)nl->buffer; is_whole(m, left);
		     m = mnl_nlmsg_next(m, &left)) {
			if (m->nlmsg_seq - first >= nl->count)
				continue;
			err = read_answer(nl, m, first, reply, data);
			if (err < 0 && !result) {
				result = err;
				nl->failed = nl->steps[m->nlmsg_seq - first].step;
				keep_text(nl, m);
			}
			done |= m->nlmsg_seq == last;
		}
	}
	return result;
}

/*
 * A dump. Returns what @reply returned when that is not 0, else 1 if the kernel marked the dump
 * as interrupted or a part of it was lost, else 0.
 */
static int nl_dump(struct nl *nl, nl_reply_fn *reply, void *data)
{
	int result, interrupted = 0, lost = 0;

	result = nl_send(nl);
	if (result < 0)
		return result;
	for (;;) {
		ssize_t n = nl_receive(nl);
		int left = (int)n;

		/* The kernel goes on where it was when it had no memory for a part (netlink(7)). */
		if (n == -ENOBUFS && lost++ < 8) {
			interrupted = 1;
			continue;
		}
		if (n < 0)
			return (int)n;
		for (struct nlmsghdr *m = (void *)nl->buffer; is_whole(m, left);
		     m = mnl_nlmsg_next(m, &left)) {
			if (m->nlmsg_seq != nl->seq)
				continue;
			if (m->nlmsg_flags & NLM_F_DUMP_INTR)
				interrupted = 1;
			if (m->nlmsg_type == NLMSG_DONE)
				return interrupted;
			result = m->nlmsg_type == NLMSG_ERROR ? read_error(nl, m, nl->seq) :
								reply(m, data);
			if (result) {
				keep_text(nl, m);
				nl_drain(nl);
				return result;
			}
		}
	}
}

/* --- links, read --- */

static bool attr_number(const struct nlattr *attr, size_t size, void *value)
{
	if (!attr || mnl_attr_get_payload_len(attr) != size)
		return false;
	memcpy(value, mnl_attr_get_payload(attr), size);
	return true;
}

static bool attr_flag(const struct nlattr *attr)
{
	uint8_t value = 0;

	return attr_number(attr, sizeof(value), &value) && value;
}

static uint32_t attr_u32(const struct nlattr *attr)
{
	uint32_t value = 0;

	attr_number(attr, sizeof(value), &value);
	return value;
}

static void attr_string(const struct nlattr *attr, char *text, size_t size)
{
	if (attr && mnl_attr_get_payload_len(attr))
		snprintf(text, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
			 (const char *)mnl_attr_get_payload(attr));
}

static void read_tun(const struct nlattr *data, struct link *link)
{
	const struct nlattr *tb[IFLA_TUN_MAX + 1];
	uint8_t type = 0;

	parse_nested(data, tb, IFLA_TUN_MAX);
	attr_number(tb[IFLA_TUN_TYPE], sizeof(type), &type);
	link->tun.is_tap = type == IFF_TAP;
	link->tun.persistent = attr_flag(tb[IFLA_TUN_PERSIST]);
	link->tun.multi_queue = attr_flag(tb[IFLA_TUN_MULTI_QUEUE]);
	link->tun.vnet_hdr = attr_flag(tb[IFLA_TUN_VNET_HDR]);
	link->tun.packet_info = attr_flag(tb[IFLA_TUN_PI]);
	link->tun.has_owner = attr_number(tb[IFLA_TUN_OWNER], 4, &link->tun.owner);
	link->tun.has_group = attr_number(tb[IFLA_TUN_GROUP], 4, &link->tun.group);
	/* Only a multi-queue device counts its queues; a single one shows by its carrier. */
	link->tun.queues = link->tun.multi_queue ?
				   attr_u32(tb[IFLA_TUN_NUM_QUEUES]) +
					   attr_u32(tb[IFLA_TUN_NUM_DISABLED_QUEUES]) :
				   link->carrier;
}

static void read_bridge(const struct nlattr *data, struct link *link)
{
	const struct nlattr *tb[IFLA_BR_MAX + 1];

	parse_nested(data, tb, IFLA_BR_MAX);
	/* Every kernel says that it does not filter, and only one that could has a default VLAN. */
	link->bridge.can_filter = tb[IFLA_BR_VLAN_DEFAULT_PVID];
	link->bridge.filters = attr_flag(tb[IFLA_BR_VLAN_FILTERING]);
	attr_number(tb[IFLA_BR_VLAN_DEFAULT_PVID], 2, &link->bridge.default_pvid);
	link->bridge.calls_iptables = attr_flag(tb[IFLA_BR_NF_CALL_IPTABLES]);
	link->bridge.forward_delay = attr_u32(tb[IFLA_BR_FORWARD_DELAY]);
}

static void read_port(const struct nlattr *data, struct link *link)
{
	const struct nlattr *tb[BRPORT_LOCKED + 1];
	uint64_t delay = 0;

	parse_nested(data, tb, BRPORT_LOCKED);
	attr_number(tb[IFLA_BRPORT_STATE], 1, &link->port.state);
	attr_number(tb[IFLA_BRPORT_FORWARD_DELAY_TIMER], sizeof(delay), &delay);
	link->port.delay = (unsigned)delay;
	link->port.of_bridge = true;
	link->port.hairpin = attr_flag(tb[IFLA_BRPORT_MODE]);
	link->port.learning = attr_flag(tb[IFLA_BRPORT_LEARNING]);
	link->port.isolated = attr_flag(tb[IFLA_BRPORT_ISOLATED]);
	link->port.locked = attr_flag(tb[BRPORT_LOCKED]);
}

static void read_mode(const struct nlattr *data, struct link *link)
{
	const struct nlattr *tb[IFLA_MACVLAN_MODE + 1];
	uint32_t value;

	parse_nested(data, tb, IFLA_MACVLAN_MODE);
	value = attr_u32(tb[IFLA_MACVLAN_MODE]);
	for (enum macvtap_mode m = 0; m < MODE_COUNT; m++)
		if (modes[m].value == value)
			link->mode = m;
}

static void read_info(const struct nlattr *info, struct link *link)
{
	const struct nlattr *tb[IFLA_INFO_MAX + 1];
	char slave_kind[IFNAMSIZ] = "";

	parse_nested(info, tb, IFLA_INFO_MAX);
	attr_string(tb[IFLA_INFO_KIND], link->kind_name, sizeof(link->kind_name));
	for (enum link_kind k = LINK_TUN; k <= LINK_BRIDGE; k++)
		if (strcmp(link->kind_name, kind_names[k]) == 0)
			link->kind = k;
	switch (link->kind) {
	case LINK_TUN:
		read_tun(tb[IFLA_INFO_DATA], link);
		break;
	case LINK_MACVTAP:
	case LINK_MACVLAN:
		read_mode(tb[IFLA_INFO_DATA], link);
		break;
	case LINK_BRIDGE:
		read_bridge(tb[IFLA_INFO_DATA], link);
		break;
	case LINK_OTHER:
		break;
	}
	attr_string(tb[IFLA_INFO_SLAVE_KIND], slave_kind, sizeof(slave_kind));
	if (strcmp(slave_kind, "bridge") == 0)
		read_port(tb[IFLA_INFO_SLAVE_DATA], link);
}

static bool read_no_ipv6(const struct nlattr *spec)
{
	const struct nlattr *families[AF_INET6 + 1], *tb[IFLA_INET6_ADDR_GEN_MODE + 1];
	uint8_t mode = IN6_ADDR_GEN_MODE_EUI64;

	parse_nested(spec, families, AF_INET6);
	parse_nested(families[AF_INET6], tb, IFLA_INET6_ADDR_GEN_MODE);
	attr_number(tb[IFLA_INET6_ADDR_GEN_MODE], sizeof(mode), &mode);
	return mode == IN6_ADDR_GEN_MODE_NONE;
}

/* Read an RTM_NEWLINK into the struct link @data. */
static int read_link(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *tb[IFLA_MAX + 1];
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	struct link *link = data;

	if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < mnl_nlmsg_size(sizeof(*info)) ||
	    info->ifi_index <= 0)
		return -EPROTO;
	parse_attrs(m, sizeof(*info), tb, IFLA_MAX);
	memset(link, 0, sizeof(*link));
	link->ifindex = info->ifi_index;
	link->flags = info->ifi_flags;
	link->ethernet = info->ifi_type == ARPHRD_ETHER &&
			 attr_number(tb[IFLA_ADDRESS], MAC_LEN, link->address);
	attr_string(tb[IFLA_IFNAME], link->name, sizeof(link->name));
	attr_string(tb[IFLA_IFALIAS], link->alias, sizeof(link->alias));
	link->carrier = attr_flag(tb[IFLA_CARRIER]);
	link->mtu = attr_u32(tb[IFLA_MTU]);
	link->group = attr_u32(tb[IFLA_GROUP]);
	link->master = (int)attr_u32(tb[IFLA_MASTER]);
	link->lower = (int)attr_u32(tb[IFLA_LINK]);
	link->lower_elsewhere = tb[IFLA_LINK_NETNSID];
	link->no_ipv6 = read_no_ipv6(tb[IFLA_AF_SPEC]);
	if (tb[IFLA_LINKINFO])
		read_info(tb[IFLA_LINKINFO], link);
	return 0;
}

/* Ask for a link as part of a transaction. Statistics are half of the answer and not wanted. */
static void link_request(struct nl *nl, enum nl_step step, const char *name, int ifindex)
{
	struct nlmsghdr *m = link_message(nl, step, RTM_GETLINK, 0, name ? 0 : ifindex);

	if (name)
		mnl_attr_put_strz(m, IFLA_IFNAME, name);
	mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	nl_message_end(nl, m);
}

int nl_link_get(struct nl *nl, const char *name, int ifindex, struct link *link)
{
	nl_begin(nl);
	link_request(nl, NL_LOOKUP, name, ifindex);
	return nl_commit(nl, read_link, link);
}

/* Ask by ioctl(2), see netdevice(7): cheaper than a message where only one value is wanted. */
static int ask_link(const struct nl *nl, const char *name, unsigned long what, struct ifreq *ifr)
{
	int fd = mnl_socket_get_fd(nl->socket);

	memset(ifr, 0, sizeof(*ifr));
	memcpy(ifr->ifr_name, name, IFNAMSIZ);
	return TEMP_FAILURE_RETRY(ioctl(fd, what, ifr)) < 0 ? -errno : 0;
}

int nl_link_index(const struct nl *nl, const char name[static IFNAMSIZ])
{
	struct ifreq ifr;
	int err = ask_link(nl, name, SIOCGIFINDEX, &ifr);

	return err ? err : ifr.ifr_ifindex;
}

int nl_link_mtu(const struct nl *nl, const char name[static IFNAMSIZ])
{
	struct ifreq ifr;
	int err = ask_link(nl, name, SIOCGIFMTU, &ifr);

	return err ? err : ifr.ifr_mtu;
}

int nl_link_address(const struct nl *nl, const char name[static IFNAMSIZ],
		    uint8_t address[static MAC_LEN])
{
	struct ifreq ifr;
	int err = ask_link(nl, name, SIOCGIFHWADDR, &ifr);

	memcpy(address, ifr.ifr_hwaddr.sa_data, MAC_LEN);
	return err;
}

struct link_dump {
	nl_link_fn *each;
	enum link_kind kind;
	void *data;
};

static int dump_link(const struct nlmsghdr *m, void *data)
{
	const struct link_dump *dump = data;
	struct link link;

	if (read_link(m, &link) < 0)
		return 0;
	/* A kernel that does not know the kind, as its driver is not there, filters nothing. */
	if (dump->kind != LINK_OTHER && link.kind != dump->kind)
		return 0;
	return dump->each(&link, dump->data);
}

int nl_link_dump(struct nl *nl, enum link_kind kind, nl_link_fn *each, void *data)
{
	struct link_dump dump = { .each = each, .kind = kind, .data = data };
	struct nlmsghdr *m;
	struct nlattr *info;

	nl_begin(nl);
	m = link_message(nl, NL_LOOKUP, RTM_GETLINK, NLM_F_DUMP, 0);
	mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (kind != LINK_OTHER) {
		info = mnl_attr_nest_start(m, IFLA_LINKINFO);
		mnl_attr_put_strz(m, IFLA_INFO_KIND, kind_names[kind]);
		mnl_attr_nest_end(m, info);
	}
	nl_message_end(nl, m);
	return nl_dump(nl, dump_link, &dump);
}

/* --- links, made and set up --- */

/* No IPv6 address of the host's own on this link. Only before it is up (net/ipv6/addrconf.c). */
static void put_no_ipv6(struct nlmsghdr *m)
{
	struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(m, AF_INET6);

	mnl_attr_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(m, inet6);
	mnl_attr_nest_end(m, spec);
}

static void put_port_flags(struct nl *nl, int ifindex, const struct port_policy *policy)
{
	struct nlmsghdr *m = link_message(nl, NL_PORT, RTM_NEWLINK, 0, ifindex);
	struct nlattr *info = mnl_attr_nest_start(m, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(m, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(m, IFLA_INFO_SLAVE_DATA);
	if (policy->locked) {
		mnl_attr_put_u8(m, BRPORT_LOCKED, 1);
		mnl_attr_put_u8(m, IFLA_BRPORT_LEARNING, 0);
	}
	if (policy->isolated)
		mnl_attr_put_u8(m, IFLA_BRPORT_ISOLATED, 1);
	if (policy->hairpin)
		mnl_attr_put_u8(m, IFLA_BRPORT_MODE, 1);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
	nl_message_end(nl, m);
}

static struct nlmsghdr *vlan_message(struct nl *nl, uint16_t type, int ifindex)
{
	struct ifinfomsg info = { .ifi_family = AF_BRIDGE, .ifi_index = ifindex };

	return nl_message(nl, NL_VLAN, type, 0, sizeof(info), &info);
}

static void put_vlan(struct nlmsghdr *m, uint16_t vid, uint16_t flags)
{
	const struct bridge_vlan_info vlan = { .vid = vid, .flags = flags };

	mnl_attr_put(m, IFLA_BRIDGE_VLAN_INFO, sizeof(vlan), &vlan);
}

/* The port's VLANs; the bridge's default one goes, unless it is among them. */
static void put_vlans(struct nl *nl, int ifindex, const struct port_policy *policy,
		      uint16_t default_pvid)
{
	struct nlmsghdr *m = vlan_message(nl, RTM_SETLINK, ifindex);
	struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	bool keep_default = !default_pvid;

	for (unsigned i = 0; i < policy->vlan_count; i++) {
		put_vlan(m, policy->vlans[i],
			 i ? 0 : BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
		keep_default |= policy->vlans[i] == default_pvid;
	}
	mnl_attr_nest_end(m, spec);
	nl_message_end(nl, m);
	if (keep_default)
		return;
	m = vlan_message(nl, RTM_DELLINK, ifindex);
	spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	put_vlan(m, default_pvid, 0);
	mnl_attr_nest_end(m, spec);
	nl_message_end(nl, m);
}

/* @mac lives on this port for good, in every VLAN of it. */
static void put_static_entry(struct nl *nl, int ifindex, const uint8_t *mac)
{
	struct ndmsg nd = {
		.ndm_family = AF_BRIDGE,
		.ndm_ifindex = ifindex,
		.ndm_state = NUD_NOARP,
		.ndm_flags = NTF_MASTER,
	};
	struct nlmsghdr *m = nl_message(nl, NL_FDB, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
					sizeof(nd), &nd);

	mnl_attr_put(m, NDA_LLADDR, MAC_LEN, mac);
	nl_message_end(nl, m);
}

/* What the port lets through: all of it before the link is up, and the entry in the VLANs there
 * are. */
static void put_policy(struct nl *nl, const struct tap_setup *setup)
{
	const struct port_policy *policy = setup->policy;

	if (policy->locked || policy->isolated || policy->hairpin)
		put_port_flags(nl, setup->ifindex, policy);
	if (policy->vlan_count)
		put_vlans(nl, setup->ifindex, policy, setup->bridge->bridge.default_pvid);
	if (policy->locked)
		put_static_entry(nl, setup->ifindex, setup->guest);
}

static void fdb_request(struct nl *nl, enum nl_step step, int bridge, const uint8_t *mac)
{
	struct ndmsg nd = { .ndm_family = AF_BRIDGE };
	struct nlmsghdr *m = nl_message(nl, step, RTM_GETNEIGH, 0, sizeof(nd), &nd);

	mnl_attr_put_u32(m, NDA_MASTER, (uint32_t)bridge);
	mnl_attr_put(m, NDA_LLADDR, MAC_LEN, mac);
	nl_message_end(nl, m);
}

/* Read the port of an RTM_NEWNEIGH, its ifindex, into @data. */
static int read_fdb(const struct nlmsghdr *m, void *data)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(m);
	int *ifindex = data;

	if (m->nlmsg_type != RTM_NEWNEIGH || m->nlmsg_len < mnl_nlmsg_size(sizeof(*nd)) ||
	    nd->ndm_ifindex <= 0)
		return -EPROTO;
	*ifindex = nd->ndm_ifindex;
	return 0;
}

/* A tap hands its frames on at once: the queue is in the guest. As libvirt does by running tc. */
static void put_no_queue(struct nl *nl, int ifindex)
{
	struct tcmsg tc = { .tcm_family = AF_UNSPEC,
			    .tcm_ifindex = ifindex,
			    .tcm_parent = TC_H_ROOT };
	struct nlmsghdr *m = nl_message(nl, NL_QDISC, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE,
					sizeof(tc), &tc);

	mnl_attr_put_strz(m, TCA_KIND, "noqueue");
	nl_message_end(nl, m);
	/* A kernel without traffic control has no queueing discipline to take off. */
	nl->steps[nl->count - 1].tolerate = EOPNOTSUPP;
}

static void put_flags(struct nl *nl, int ifindex, unsigned flags, uint16_t ack)
{
	struct ifinfomsg info = { .ifi_index = ifindex, .ifi_flags = flags, .ifi_change = flags };

	nl_message_end(nl, nl_message(nl, NL_UP, RTM_NEWLINK, ack, sizeof(info), &info));
}

static int tap_setup(struct nl *nl, const struct tap_setup *setup, bool no_ipv6, int *owner)
{
	struct nlmsghdr *m;

	nl_begin(nl);
	m = link_message(nl, NL_CONFIGURE, RTM_NEWLINK, 0, setup->ifindex);
	mnl_attr_put(m, IFLA_ADDRESS, MAC_LEN, setup->address);
	if (setup->alias)
		mnl_attr_put_strz(m, IFLA_IFALIAS, setup->alias);
	if (setup->mtu)
		mnl_attr_put_u32(m, IFLA_MTU, setup->mtu);
	if (setup->bridge)
		mnl_attr_put_u32(m, IFLA_MASTER, (uint32_t)setup->bridge->ifindex);
	if (setup->no_carrier)
		mnl_attr_put_u8(m, IFLA_CARRIER, 0);
	if (no_ipv6)
		put_no_ipv6(m);
	nl_message_end(nl, m);
	if (setup->bridge)
		put_policy(nl, setup);
	put_no_queue(nl, setup->ifindex);
	put_flags(nl, setup->ifindex, IFF_UP, setup->bridge ? 0 : NLM_F_ACK);
	if (!setup->bridge)
		return nl_commit(nl, NULL, NULL);
	fdb_request(nl, NL_READ, setup->bridge->ifindex, setup->address);
	return nl_commit(nl, read_fdb, owner);
}

int nl_tap_setup(struct nl *nl, const struct tap_setup *setup, int *owner)
{
	int err = tap_setup(nl, setup, setup->bridge, owner);

	/* Where IPv6 is off, for the kernel or by an MTU below its least, there is nothing to stop.
	 */
	if (err == -EAFNOSUPPORT && setup->bridge)
		err = tap_setup(nl, setup, false, owner);
	return err;
}

static void put_macvtap(struct nl *nl, const struct macvtap_setup *setup)
{
	struct nlmsghdr *m = link_message(nl, NL_CREATE, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					  setup->ifindex);
	struct nlattr *info, *data;

	mnl_attr_put_strz(m, IFLA_IFNAME, setup->name);
	mnl_attr_put(m, IFLA_ADDRESS, MAC_LEN, setup->address);
	if (setup->mtu)
		mnl_attr_put_u32(m, IFLA_MTU, setup->mtu);
	mnl_attr_put_u32(m, IFLA_LINK, (uint32_t)setup->lower);
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND,
			  kind_names[setup->for_host ? LINK_MACVLAN : LINK_MACVTAP]);
	data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	mnl_attr_put_u32(m, IFLA_MACVLAN_MODE, modes[setup->mode].value);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
	nl_message_end(nl, m);
}

/* The alias is not taken at creation. */
static void put_macvtap_config(struct nl *nl, const struct macvtap_setup *setup, bool no_ipv6)
{
	struct nlmsghdr *m = link_message(nl, NL_CONFIGURE, RTM_NEWLINK, 0, setup->ifindex);

	mnl_attr_put_strz(m, IFLA_IFALIAS, setup->alias);
	/*
	 * In mode passthru the device is created with the lower one's address. The lower one
	 * follows this change, and gets its own back in the end (drivers/net/macvlan.c).
	 */
	if (setup->mode == MODE_PASSTHRU)
		mnl_attr_put(m, IFLA_ADDRESS, MAC_LEN, setup->address);
	if (no_ipv6)
		put_no_ipv6(m);
	nl_message_end(nl, m);
	put_no_queue(nl, setup->ifindex);
	/* Without IFF_ALLMULTI the guest never sees a multicast frame that the host did not ask
	 * for. */
	put_flags(nl, setup->ifindex, setup->for_host ? IFF_UP : IFF_ALLMULTI | IFF_UP, 0);
	link_request(nl, NL_READ, NULL, setup->ifindex);
}

int nl_macvtap_create(struct nl *nl, const struct macvtap_setup *setup, struct link *link)
{
	int err;

	nl_begin(nl);
	put_macvtap(nl, setup);
	put_macvtap_config(nl, setup, !setup->for_host);
	err = nl_commit(nl, read_link, link);
	if (err == -EAFNOSUPPORT && nl->failed == NL_CONFIGURE) {
		nl_begin(nl);
		put_macvtap_config(nl, setup, false);
		err = nl_commit(nl, read_link, link);
	}
	return err;
}

int nl_link_set_address(struct nl *nl, int ifindex, const uint8_t address[static MAC_LEN])
{
	struct nlmsghdr *m;

	nl_begin(nl);
	m = link_message(nl, NL_CONFIGURE, RTM_SETLINK, NLM_F_ACK, ifindex);
	mnl_attr_put(m, IFLA_ADDRESS, MAC_LEN, address);
	nl_message_end(nl, m);
	return nl_commit(nl, NULL, NULL);
}

/* --- links, deleted --- */

int nl_link_delete(struct nl *nl, int ifindex)
{
	nl_begin(nl);
	nl_message_end(nl, link_message(nl, NL_DELETE, RTM_DELLINK, NLM_F_ACK, ifindex));
	return nl_commit(nl, NULL, NULL);
}

/* Move a link into @group, if it is still there. */
static void put_group(struct nl *nl, int ifindex, uint32_t group)
{
	struct nlmsghdr *m = link_message(nl, NL_DELETE, RTM_SETLINK, 0, ifindex);

	mnl_attr_put_u32(m, IFLA_GROUP, group);
	nl_message_end(nl, m);
	nl->steps[nl->count - 1].tolerate = ENODEV;
}

/* The last message of a transaction: delete what is in @group. */
static void put_group_end(struct nl *nl, uint32_t group)
{
	struct nlmsghdr *m = link_message(nl, NL_DELETE, RTM_DELLINK, NLM_F_ACK, 0);

	mnl_attr_put_u32(m, IFLA_GROUP, group);
	nl_message_end(nl, m);
}

/*
 * Move all links into @group and delete it in the transaction of the last ones: up to
 * NL_MESSAGES - 1 links go at once or not at all, even under SIGKILL. When @group is NULL, move
 * each link back into its own.
 */
static int move_links(struct nl *nl, const struct link *links, size_t count, const uint32_t *group)
{
	int result = 0;

	for (size_t i = 0; i < count && !result;) {
		nl_begin(nl);
		while (i < count && nl->count < NL_MESSAGES - 1) {
			put_group(nl, links[i].ifindex, group ? *group : links[i].group);
			i++;
		}
		/* The last message is one with an answer: the deletion, or else a request. */
		if (group && i == count)
			put_group_end(nl, *group);
		else
			link_request(nl, NL_DELETE, NULL, links[i - 1].ifindex);
		/* The link, or all that were in the group, may have gone. */
		nl->steps[nl->count - 1].tolerate = ENODEV;
		result = nl_commit(nl, NULL, NULL);
	}
	return result;
}

int nl_links_delete(struct nl *nl, const struct link *links, size_t count, uint32_t group)
{
	int err = move_links(nl, links, count, &group);

	if (err) {
		char text[sizeof(nl->text)];

		memcpy(text, nl->text, sizeof(text));
		move_links(nl, links, count, NULL);
		memcpy(nl->text, text, sizeof(text));
	}
	return err;
}

/* --- bridges --- */

int nl_fdb_get(struct nl *nl, int bridge, const uint8_t mac[static MAC_LEN], int *ifindex)
{
	nl_begin(nl);
	fdb_request(nl, NL_LOOKUP, bridge, mac);
	return nl_commit(nl, read_fdb, ifindex);
}

struct fdb_dump {
	nl_fdb_fn *each;
	void *data;
};

static int dump_fdb(const struct nlmsghdr *m, void *data)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(m);
	const struct nlattr *tb[NDA_MASTER + 1];
	const struct fdb_dump *dump = data;
	struct fdb_entry entry;

	if (read_fdb(m, &entry.port) < 0)
		return 0;
	parse_attrs(m, sizeof(*nd), tb, NDA_MASTER);
	/* The other entries are those of network cards. */
	if (!tb[NDA_MASTER] || !attr_number(tb[NDA_LLADDR], MAC_LEN, entry.mac))
		return 0;
	entry.bridge = (int)attr_u32(tb[NDA_MASTER]);
	entry.learned = !(nd->ndm_state & (NUD_PERMANENT | NUD_NOARP));
	return dump->each(&entry, dump->data);
}

int nl_fdb_dump(struct nl *nl, nl_fdb_fn *each, void *data)
{
	struct ifinfomsg info = { .ifi_family = AF_BRIDGE };
	struct fdb_dump dump = { .each = each, .data = data };

	nl_begin(nl);
	nl_message_end(nl,
		       nl_message(nl, NL_LOOKUP, RTM_GETNEIGH, NLM_F_DUMP, sizeof(info), &info));
	return nl_dump(nl, dump_fdb, &dump);
}

struct vlan_dump {
	nl_vlan_fn *each;
	void *data;
	struct port_vlan vlan;
	int result;
};

static int dump_vlan(const struct nlattr *attr, void *data)
{
	struct vlan_dump *dump = data;
	struct bridge_vlan_info one;

	if (mnl_attr_get_type(attr) != IFLA_BRIDGE_VLAN_INFO ||
	    !attr_number(attr, sizeof(one), &one))
		return MNL_CB_OK;
	dump->vlan.last = one.vid;
	if (!(one.flags & BRIDGE_VLAN_INFO_RANGE_END))
		dump->vlan.first = one.vid;
	if (one.flags & BRIDGE_VLAN_INFO_RANGE_BEGIN)
		return MNL_CB_OK;
	dump->vlan.pvid = one.flags & BRIDGE_VLAN_INFO_PVID;
	dump->vlan.untagged = one.flags & BRIDGE_VLAN_INFO_UNTAGGED;
	dump->result = dump->each(&dump->vlan, dump->data);
	return dump->result ? MNL_CB_STOP : MNL_CB_OK;
}

static int dump_port_vlans(const struct nlmsghdr *m, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	const struct nlattr *tb[IFLA_AF_SPEC + 1];
	struct vlan_dump *dump = data;

	if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < mnl_nlmsg_size(sizeof(*info)))
		return 0;
	parse_attrs(m, sizeof(*info), tb, IFLA_AF_SPEC);
	if (!tb[IFLA_AF_SPEC])
		return 0;
	dump->vlan.ifindex = info->ifi_index;
	mnl_attr_parse_nested(tb[IFLA_AF_SPEC], dump_vlan, dump);
	return dump->result;
}

int nl_vlan_dump(struct nl *nl, nl_vlan_fn *each, void *data)
{
	struct ifinfomsg info = { .ifi_family = AF_BRIDGE };
	struct vlan_dump dump = { .each = each, .data = data };
	struct nlmsghdr *m;

	nl_begin(nl);
	m = nl_message(nl, NL_LOOKUP, RTM_GETLINK, NLM_F_DUMP, sizeof(info), &info);
	mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
	nl_message_end(nl, m);
	return nl_dump(nl, dump_port_vlans, &dump);
}

/* --- what lies above the links --- */

struct address_dump {
	nl_address_fn *each;
	void *data;
};

static int dump_address(const struct nlmsghdr *m, void *data)
{
	const struct ifaddrmsg *address = mnl_nlmsg_get_payload(m);
	const struct address_dump *dump = data;

	if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < mnl_nlmsg_size(sizeof(*address)) ||
	    address->ifa_scope >= RT_SCOPE_LINK)
		return 0;
	return dump->each((int)address->ifa_index, address->ifa_family, dump->data);
}

int nl_address_dump(struct nl *nl, nl_address_fn *each, void *data)
{
	struct ifaddrmsg address = { .ifa_family = AF_UNSPEC };
	struct address_dump dump = { .each = each, .data = data };

	nl_begin(nl);
	nl_message_end(
		nl, nl_message(nl, NL_LOOKUP, RTM_GETADDR, NLM_F_DUMP, sizeof(address), &address));
	return nl_dump(nl, dump_address, &dump);
}

/* A base chain at the forward hook whose policy is to drop. */
static int find_dropping_chain(const struct nlmsghdr *m, void *data)
{
	const struct nfgenmsg *family = mnl_nlmsg_get_payload(m);
	const struct nlattr *tb[NFTA_CHAIN_POLICY + 1], *hook[NFTA_HOOK_HOOKNUM + 1];
	bool *drops = data;

	if (m->nlmsg_len < mnl_nlmsg_size(sizeof(*family)) ||
	    (family->nfgen_family != NFPROTO_IPV4 && family->nfgen_family != NFPROTO_INET))
		return 0;
	parse_attrs(m, sizeof(*family), tb, NFTA_CHAIN_POLICY);
	parse_nested(tb[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_HOOKNUM);
	if (hook[NFTA_HOOK_HOOKNUM] && tb[NFTA_CHAIN_POLICY] &&
	    attr_u32(hook[NFTA_HOOK_HOOKNUM]) == htonl(NF_INET_FORWARD) &&
	    attr_u32(tb[NFTA_CHAIN_POLICY]) == htonl(NF_DROP))
		*drops = true;
	return 0;
}

int nl_forward_drops(bool *drops)
{
	struct nfgenmsg family = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	struct nl nl;
	int err = open_socket(&nl, NETLINK_NETFILTER, SOCK_NONBLOCK);

	*drops = false;
	if (err)
		return err;
	nl_begin(&nl);
	nl_message_end(&nl, nl_message(&nl, NL_LOOKUP, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
				       NLM_F_DUMP, sizeof(family), &family));
	err = nl_dump(&nl, find_dropping_chain, drops);
	nl_close(&nl);
	return err < 0 ? err : 0;
}

/* --- the audit log --- */

int nl_audit_open(struct nl *nl)
{
	nl_begin(nl);
	return open_socket(nl, NETLINK_AUDIT, 0);
}

void nl_audit_put(struct nl *nl, const char *text)
{
	size_t size = strlen(text) + 1;

	if (nl->count == NL_MESSAGES || nl->len + mnl_nlmsg_size(size) > sizeof(nl->buffer))
		nl_audit_send(nl);
	nl_message_end(nl, nl_message(nl, NL_CREATE, AUDIT_VIRT_RESOURCE, 0, size, text));
}

void nl_audit_send(struct nl *nl)
{
	(void)nl_send(nl);
	nl_begin(nl);
}

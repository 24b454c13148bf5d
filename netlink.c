/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_arp.h>
#include <linux/if_bridge.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>

#include "lib/libc.h"
#include "netlink.h"

#define ERRNO_MAX 4095 /* MAX_ERRNO of linux/err.h */
#define BUFFER 32768 /* the most the kernel puts into one datagram of a dump */
#define PADDED 512 /* no message with attributes to pad is longer */
#define BRPORT_LOCKED 39 /* IFLA_BRPORT_LOCKED, newer (Linux 5.18) than some builders' headers */
#define BR_QUERIER_STATE 47 /* IFLA_BR_MCAST_QUERIER_STATE (Linux 5.16) */
#define QUERIER_IPV6 5 /* BRIDGE_QUERIER_IPV6_ADDRESS */

struct nl {
	struct mnl_socket *socket;
	uint32_t seq; /* of the newest message */
	/* the transaction under construction */
	unsigned count;
	size_t len;
	struct {
		enum nl_step step;
		int tolerate; /* an errno that is not a failure here, or 0 */
	} steps[NL_MESSAGES];
	_Alignas(8) char buffer[BUFFER];
};

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

const char *nl_kind_name(enum link_kind kind)
{
	return kind_names[kind];
}

uint32_t nl_mode_number(enum macvtap_mode mode)
{
	return modes[mode].value;
}

bool link_is_tap(const struct link *link)
{
	return (link->kind == LINK_TUN && link->tun.is_tap) || link->kind == LINK_MACVTAP;
}

const char *link_kind_word(const struct link *link)
{
	if (link->kind_name[0])
		return link->kind == LINK_TUN && link->tun.is_tap ? "tap" : link->kind_name;
	return link->flags & IFF_LOOPBACK ? "loopback device" : "plain device";
}

bool link_disappeared(int err)
{
	return err == -EBADFD || err == -ENODEV;
}

int nl_open_protocol(struct nl **nl, int protocol, int flags)
{
	struct nl *new = malloc(sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->seq = 0;
	nl_begin(new);
	new->socket = mnl_socket_open2(protocol, SOCK_CLOEXEC | flags);
	if (!new->socket) {
		int err = -errno;

		free(new);
		return err;
	}
	*nl = new;
	return 0;
}

int nl_open(struct nl **nl)
{
	const int on = 1;
	int err = nl_open_protocol(nl, NETLINK_ROUTE, SOCK_NONBLOCK);

	if (err)
		return err;
	/* Kernels without these only give less detail. */
	(void)mnl_socket_setsockopt((*nl)->socket, NETLINK_EXT_ACK, (void *)&on, sizeof(on));
	(void)mnl_socket_setsockopt((*nl)->socket, NETLINK_CAP_ACK, (void *)&on, sizeof(on));
	return 0;
}

void nl_close(struct nl *nl)
{
	if (nl)
		mnl_socket_close(nl->socket);
	free(nl);
}

int nl_fd(const struct nl *nl)
{
	return mnl_socket_get_fd(nl->socket);
}

const char *nl_strerror(int err)
{
	return err == -EPROTO ? "the kernel's answer is missing or makes no sense" : strerror(-err);
}

const char *nl_result_text(const struct nl_result *result)
{
	return result->text[0] ? result->text : nl_strerror(result->err);
}

/* --- one transaction: begin, messages, commit --- */

void nl_begin(struct nl *nl)
{
	nl->count = 0;
	nl->len = 0;
}

struct nlmsghdr *nl_message(struct nl *nl, enum nl_step step, uint16_t type, uint16_t flags,
			    size_t extra, const void *header)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(nl->buffer + nl->len);
	size_t room = sizeof(nl->buffer) - nl->len - sizeof(*m);

	/* libmnl before 1.0.5 pads attributes with what is there. */
	memset(m + 1, 0, room < PADDED ? room : PADDED);
	m->nlmsg_type = type;
	m->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	m->nlmsg_seq = ++nl->seq;
	memcpy(mnl_nlmsg_put_extra_header(m, extra), header, extra);
	nl->steps[nl->count].step = step;
	nl->steps[nl->count].tolerate = 0;
	nl->count++;
	return m;
}

void nl_message_end(struct nl *nl, const struct nlmsghdr *m)
{
	nl->len = (size_t)((const char *)mnl_nlmsg_get_payload_tail(m) - nl->buffer);
}

void nl_tolerate(struct nl *nl, int err)
{
	nl->steps[nl->count - 1].tolerate = err;
}

bool nl_is_full(const struct nl *nl, size_t size)
{
	return nl->count == NL_MESSAGES || nl->len + mnl_nlmsg_size(size) > sizeof(nl->buffer);
}

struct nlmsghdr *nl_link_message(struct nl *nl, enum nl_step step, uint16_t type, uint16_t flags,
				 int ifindex)
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

void nl_parse(const struct nlmsghdr *m, size_t offset, const struct nlattr **tb, uint16_t max)
{
	struct attr_table table = { .tb = tb, .max = max };

	memset(tb, 0, (max + 1U) * sizeof(const struct nlattr *));
	mnl_attr_parse(m, (unsigned)offset, keep_attr, &table);
}

void nl_parse_nested(const struct nlattr *nest, const struct nlattr **tb, uint16_t max)
{
	struct attr_table table = { .tb = tb, .max = max };

	memset(tb, 0, (max + 1U) * sizeof(const struct nlattr *));
	if (nest)
		mnl_attr_parse_nested(nest, keep_attr, &table);
}

/* The kernel's own sentence in an NLMSG_ERROR. */
static void read_text(char text[static NL_TEXT], const struct nlmsghdr *m)
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
	nl_parse(m, offset, tb, NLMSGERR_ATTR_MAX);
	if (tb[NLMSGERR_ATTR_MSG] &&
	    mnl_attr_validate(tb[NLMSGERR_ATTR_MSG], MNL_TYPE_NUL_STRING) >= 0)
		snprintf(text, NL_TEXT, "%s", mnl_attr_get_str(tb[NLMSGERR_ATTR_MSG]));
}

/* Whether a whole message is in the @left bytes at @m. libmnl takes its length for signed. */
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

int nl_send(struct nl *nl)
{
	ssize_t n = TEMP_FAILURE_RETRY(mnl_socket_sendto(nl->socket, nl->buffer, nl->len));

	if (n < 0)
		return -errno;
	return (size_t)n == nl->len ? 0 : -EPROTO;
}

/* What an answer means: 0 or a negative errno. A request is never answered by "no error". */
static int read_answer(const struct nl *nl, const struct nlmsghdr *m, uint32_t first,
		       nl_reply_fn *reply, void *data)
{
	int err;

	if (m->nlmsg_type != NLMSG_ERROR)
		return reply ? reply(m, data) : 0;
	err = read_error(nl, m, first);
	return !err && reply && m->nlmsg_seq == nl->seq ? -EPROTO : err;
}

/* The first error of a transaction is what came of it. */
static void keep_error(struct nl_result *result, int err, enum nl_step step,
		       const struct nlmsghdr *m)
{
	if (err >= 0 || result->err)
		return;
	result->err = err;
	result->step = step;
	if (m)
		read_text(result->text, m);
}

struct nl_result nl_commit(struct nl *nl, nl_reply_fn *reply, void *data)
{
	uint32_t last = nl->seq, first = last - nl->count + 1;
	struct nl_result result = { .err = nl_send(nl), .step = nl->steps[0].step };
	bool done = result.err;

	while (!done) {
		ssize_t n = nl_receive(nl);
		int left = (int)n;

		if (n < 0) {
			/* What was asked for may have been done or not. */
			keep_error(&result, (int)n, NL_READ, NULL);
			break;
		}
		for (struct nlmsghdr *m = (void *)nl->buffer; is_whole(m, left);
		     m = mnl_nlmsg_next(m, &left)) {
			if (m->nlmsg_seq - first >= nl->count)
				continue;
			keep_error(&result, read_answer(nl, m, first, reply, data),
				   nl->steps[m->nlmsg_seq - first].step, m);
			done |= m->nlmsg_seq == last;
		}
	}
	return result;
}

int nl_dump(struct nl *nl, nl_reply_fn *reply, void *data)
{
	int result, interrupted = 0, lost = 0;

	result = nl_send(nl);
	if (result < 0)
		return result;
	for (;;) {
		ssize_t n = nl_receive(nl);
		int left = (int)n;

		/* When it has no memory for a part, the kernel continues after it (netlink(7)). */
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
			if (!result)
				continue;
			/* Discard what it has left in the socket. */
			while (nl_receive(nl) >= 0)
				;
			return result;
		}
	}
}

int nl_dump_plain(struct nl *nl, uint16_t type, size_t size, const void *header, nl_reply_fn *reply,
		  void *data)
{
	nl_begin(nl);
	nl_message_end(nl, nl_message(nl, NL_LOOKUP, type, NLM_F_DUMP, size, header));
	return nl_dump(nl, reply, data);
}

int nl_hear(struct nl *nl, nl_reply_fn *reply, void *data)
{
	ssize_t n = nl_receive(nl);
	int left = (int)n, result = n < 0 ? (int)n : 1;

	for (struct nlmsghdr *m = (void *)nl->buffer; is_whole(m, left);
	     m = mnl_nlmsg_next(m, &left))
		result = reply(m, data);
	return result;
}

/* --- links, read --- */

bool nl_attr_number(const struct nlattr *attr, size_t size, void *value)
{
	if (!attr || mnl_attr_get_payload_len(attr) != size)
		return false;
	memcpy(value, mnl_attr_get_payload(attr), size);
	return true;
}

static bool read_flag(const struct nlattr *attr)
{
	uint8_t value = 0;

	return nl_attr_number(attr, sizeof(value), &value) && value;
}

uint32_t nl_attr_u32(const struct nlattr *attr)
{
	uint32_t value = 0;

	nl_attr_number(attr, sizeof(value), &value);
	return value;
}

void nl_attr_text(const struct nlattr *attr, char *text, size_t size)
{
	text[0] = '\0';
	if (attr)
		snprintf(text, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
			 (const char *)mnl_attr_get_payload(attr));
}

static void read_tun(const struct nlattr *data, struct link *link)
{
	const struct nlattr *tb[IFLA_TUN_MAX + 1];
	uint8_t type = 0;

	nl_parse_nested(data, tb, IFLA_TUN_MAX);
	nl_attr_number(tb[IFLA_TUN_TYPE], sizeof(type), &type);
	link->tun.is_tap = type == IFF_TAP;
	link->tun.persistent = read_flag(tb[IFLA_TUN_PERSIST]);
	link->tun.multi_queue = read_flag(tb[IFLA_TUN_MULTI_QUEUE]);
	link->tun.vnet_hdr = read_flag(tb[IFLA_TUN_VNET_HDR]);
	link->tun.packet_info = read_flag(tb[IFLA_TUN_PI]);
	link->tun.has_owner = nl_attr_number(tb[IFLA_TUN_OWNER], 4, &link->tun.owner);
	link->tun.has_group = nl_attr_number(tb[IFLA_TUN_GROUP], 4, &link->tun.group);
	/* The kernel counts queues of a multi-queue tap only; else its carrier tells. */
	link->tun.queues = link->tun.multi_queue ?
				   nl_attr_u32(tb[IFLA_TUN_NUM_QUEUES]) +
					   nl_attr_u32(tb[IFLA_TUN_NUM_DISABLED_QUEUES]) :
				   link->carrier;
}

static void read_bridge(const struct nlattr *data, struct link *link)
{
	const struct nlattr *tb[BR_QUERIER_STATE + 1], *querier[QUERIER_IPV6 + 1];

	nl_parse_nested(data, tb, BR_QUERIER_STATE);
	nl_parse_nested(tb[BR_QUERIER_STATE], querier, QUERIER_IPV6);
	/* Every kernel reports VLAN filtering, but only one that supports it a default VLAN. */
	link->bridge.can_filter = tb[IFLA_BR_VLAN_DEFAULT_PVID];
	link->bridge.filters = read_flag(tb[IFLA_BR_VLAN_FILTERING]);
	nl_attr_number(tb[IFLA_BR_VLAN_DEFAULT_PVID], 2, &link->bridge.default_pvid);
	link->bridge.calls_iptables = read_flag(tb[IFLA_BR_NF_CALL_IPTABLES]);
	link->bridge.stp = nl_attr_u32(tb[IFLA_BR_STP_STATE]);
	link->bridge.snoops = read_flag(tb[IFLA_BR_MCAST_SNOOPING]);
	/* Its address is :: until the first query. */
	nl_attr_number(querier[QUERIER_IPV6], sizeof(link->bridge.querier), link->bridge.querier);
	link->bridge.forward_delay = nl_attr_u32(tb[IFLA_BR_FORWARD_DELAY]);
}

static void read_port(const struct nlattr *data, struct link *link)
{
	const struct nlattr *tb[BRPORT_LOCKED + 1];

	nl_parse_nested(data, tb, BRPORT_LOCKED);
	nl_attr_number(tb[IFLA_BRPORT_STATE], 1, &link->port.state);
	nl_attr_number(tb[IFLA_BRPORT_FORWARD_DELAY_TIMER], 8, &link->port.delay);
	link->port.of_bridge = true;
	link->port.guarded = read_flag(tb[IFLA_BRPORT_GUARD]);
	link->port.floods = read_flag(tb[IFLA_BRPORT_UNICAST_FLOOD]);
	link->port.broadcasts = read_flag(tb[IFLA_BRPORT_BCAST_FLOOD]);
	link->port.multicasts = read_flag(tb[IFLA_BRPORT_MCAST_FLOOD]);
	link->port.suppresses = read_flag(tb[IFLA_BRPORT_NEIGH_SUPPRESS]);
	link->port.hairpin = read_flag(tb[IFLA_BRPORT_MODE]);
	link->port.learning = read_flag(tb[IFLA_BRPORT_LEARNING]);
	link->port.isolated = read_flag(tb[IFLA_BRPORT_ISOLATED]);
	link->port.locked = read_flag(tb[BRPORT_LOCKED]);
}

static void read_kind(const struct nlattr *data, struct link *link)
{
	const struct nlattr *tb[IFLA_VXLAN_LINK + 1];

	nl_parse_nested(data, tb, IFLA_VXLAN_LINK);
	if (strcmp(link->kind_name, "bond") == 0)
		nl_attr_number(tb[IFLA_BOND_MODE], 1, &link->bond_mode);
	/* The kernel sends no IFLA_LINK for it. */
	if (strcmp(link->kind_name, "vxlan") == 0)
		link->lower = (int)nl_attr_u32(tb[IFLA_VXLAN_LINK]);
	for (enum macvtap_mode m = 0; link->kind != LINK_OTHER && m < MODE_COUNT; m++)
		if (modes[m].value == nl_attr_u32(tb[IFLA_MACVLAN_MODE]))
			link->mode = m;
}

static void read_info(const struct nlattr *info, struct link *link)
{
	const struct nlattr *tb[IFLA_INFO_MAX + 1];
	char slave_kind[IFNAMSIZ];

	nl_parse_nested(info, tb, IFLA_INFO_MAX);
	nl_attr_text(tb[IFLA_INFO_KIND], link->kind_name, sizeof(link->kind_name));
	for (enum link_kind k = LINK_TUN; k <= LINK_BRIDGE; k++)
		if (strcmp(link->kind_name, kind_names[k]) == 0)
			link->kind = k;
	if (link->kind == LINK_TUN)
		read_tun(tb[IFLA_INFO_DATA], link);
	else if (link->kind == LINK_BRIDGE)
		read_bridge(tb[IFLA_INFO_DATA], link);
	else
		read_kind(tb[IFLA_INFO_DATA], link);
	nl_attr_text(tb[IFLA_INFO_SLAVE_KIND], slave_kind, sizeof(slave_kind));
	if (strcmp(slave_kind, "bridge") == 0)
		read_port(tb[IFLA_INFO_SLAVE_DATA], link);
}

/* Without IPv6, or with an MTU below its least, there is no block of it. */
static bool read_makes_ipv6(const struct nlattr *spec)
{
	const struct nlattr *families[AF_INET6 + 1], *tb[IFLA_INET6_ADDR_GEN_MODE + 1];
	uint8_t mode = IN6_ADDR_GEN_MODE_NONE;

	nl_parse_nested(spec, families, AF_INET6);
	nl_parse_nested(families[AF_INET6], tb, IFLA_INET6_ADDR_GEN_MODE);
	nl_attr_number(tb[IFLA_INET6_ADDR_GEN_MODE], sizeof(mode), &mode);
	return mode != IN6_ADDR_GEN_MODE_NONE;
}

int nl_read_link(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *tb[IFLA_MAX + 1];
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	struct link *link = data;
	uint8_t mode = IF_LINK_MODE_DEFAULT;

	if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < mnl_nlmsg_size(sizeof(*info)) ||
	    info->ifi_index <= 0)
		return -EPROTO;
	nl_parse(m, sizeof(*info), tb, IFLA_MAX);
	memset(link, 0, sizeof(*link));
	link->ifindex = info->ifi_index;
	link->flags = info->ifi_flags;
	link->ethernet = info->ifi_type == ARPHRD_ETHER &&
			 nl_attr_number(tb[IFLA_ADDRESS], MAC_LEN, link->address);
	nl_attr_text(tb[IFLA_IFNAME], link->name, sizeof(link->name));
	nl_attr_text(tb[IFLA_IFALIAS], link->alias, sizeof(link->alias));
	link->carrier = read_flag(tb[IFLA_CARRIER]);
	link->mtu = nl_attr_u32(tb[IFLA_MTU]);
	link->group = nl_attr_u32(tb[IFLA_GROUP]);
	link->queue_length = nl_attr_u32(tb[IFLA_TXQLEN]);
	link->master = (int)nl_attr_u32(tb[IFLA_MASTER]);
	link->lower = (int)nl_attr_u32(tb[IFLA_LINK]);
	link->lower_elsewhere = tb[IFLA_LINK_NETNSID];
	link->makes_ipv6 = read_makes_ipv6(tb[IFLA_AF_SPEC]);
	nl_attr_number(tb[IFLA_LINKMODE], 1, &mode);
	link->dormant = mode == IF_LINK_MODE_DORMANT;
	if (tb[IFLA_LINKINFO])
		read_info(tb[IFLA_LINKINFO], link);
	return 0;
}

/* Without statistics, which are half of the answer. */
void nl_link_request(struct nl *nl, enum nl_step step, const char *name, int ifindex)
{
	struct nlmsghdr *m = nl_link_message(nl, step, RTM_GETLINK, 0, name ? 0 : ifindex);

	if (name)
		mnl_attr_put_strz(m, IFLA_IFNAME, name);
	mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	nl_message_end(nl, m);
}

int nl_link_get(struct nl *nl, const char *name, int ifindex, struct link *link)
{
	nl_begin(nl);
	nl_link_request(nl, NL_LOOKUP, name, ifindex);
	return nl_commit(nl, nl_read_link, link).err;
}

/* Ask by ioctl(2), see netdevice(7): cheaper than a message where only one value is wanted. */
static int ask_link(const struct nl *nl, const char *name, unsigned long what, struct ifreq *ifr)
{
	memset(ifr, 0, sizeof(*ifr));
	memcpy(ifr->ifr_name, name, IFNAMSIZ);
	return TEMP_FAILURE_RETRY(ioctl(nl_fd(nl), what, ifr)) < 0 ? -errno : 0;
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

	if (nl_read_link(m, &link) < 0)
		return 0;
	/* Where the driver of the kind is not loaded, the kernel does not filter. */
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
	m = nl_link_message(nl, NL_LOOKUP, RTM_GETLINK, NLM_F_DUMP, 0);
	mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (kind != LINK_OTHER) {
		info = mnl_attr_nest_start(m, IFLA_LINKINFO);
		mnl_attr_put_strz(m, IFLA_INFO_KIND, kind_names[kind]);
		mnl_attr_nest_end(m, info);
	}
	nl_message_end(nl, m);
	return nl_dump(nl, dump_link, &dump);
}

int nl_link_dump_whole(struct nl *nl, enum link_kind kind, nl_link_fn *each, void *data)
{
	int result = 1;

	for (int tries = 0; tries < 5 && result == 1; tries++)
		result = nl_link_dump(nl, kind, each, data);
	return result == 1 ? 0 : result;
}

/* --- links, changed --- */

void nl_put_no_ipv6(struct nlmsghdr *m)
{
	struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(m, AF_INET6);

	mnl_attr_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(m, inet6);
	mnl_attr_nest_end(m, spec);
}

void nl_put_alias(struct nl *nl, int ifindex, const char *alias)
{
	struct nlmsghdr *m;

	if (!*alias)
		return;
	m = nl_link_message(nl, NL_UP, RTM_NEWLINK, 0, ifindex);
	mnl_attr_put_strz(m, IFLA_IFALIAS, alias);
	nl_message_end(nl, m);
}

void nl_put_up(struct nl *nl, int ifindex, unsigned flags, const char *alias, uint16_t ack)
{
	struct ifinfomsg info = { .ifi_index = ifindex, .ifi_flags = flags, .ifi_change = flags };
	struct nlmsghdr *m;

	nl_put_alias(nl, ifindex, alias);
	m = nl_message(nl, NL_UP, RTM_NEWLINK, ack, sizeof(info), &info);
	nl_message_end(nl, m);
}

struct nl_result nl_link_set_address(struct nl *nl, int ifindex,
				     const uint8_t address[static MAC_LEN])
{
	struct nlmsghdr *m;

	nl_begin(nl);
	m = nl_link_message(nl, NL_CONFIGURE, RTM_SETLINK, NLM_F_ACK, ifindex);
	mnl_attr_put(m, IFLA_ADDRESS, MAC_LEN, address);
	nl_message_end(nl, m);
	return nl_commit(nl, NULL, NULL);
}

struct nl_result nl_link_delete(struct nl *nl, int ifindex)
{
	nl_begin(nl);
	nl_message_end(nl, nl_link_message(nl, NL_DELETE, RTM_DELLINK, NLM_F_ACK, ifindex));
	return nl_commit(nl, NULL, NULL);
}

/* Move a link into @group (RTM_SETLINK), or delete what is in it (RTM_DELLINK), if it is there. */
static void put_group(struct nl *nl, uint16_t type, uint16_t ack, int ifindex, uint32_t group)
{
	struct nlmsghdr *m = nl_link_message(nl, NL_DELETE, type, ack, ifindex);

	mnl_attr_put_u32(m, IFLA_GROUP, group);
	nl_message_end(nl, m);
	nl_tolerate(nl, ENODEV);
}

/*
 * Move all links into @group and delete it in the transaction of the last ones: up to
 * NL_MESSAGES - 1 links go at once or not at all, even under SIGKILL. When @group is 0, move each
 * link back into its own.
 */
static struct nl_result move_links(struct nl *nl, const struct link *links, size_t count,
				   uint32_t group)
{
	struct nl_result result = { .err = 0 };

	for (size_t i = 0; i < count && !result.err;) {
		nl_begin(nl);
		while (i < count && nl->count < NL_MESSAGES - 1) {
			put_group(nl, RTM_SETLINK, 0, links[i].ifindex,
				  group ? group : links[i].group);
			i++;
		}
		/* The last message is one with an answer: the deletion, or else a request. */
		if (group && i == count)
			put_group(nl, RTM_DELLINK, NLM_F_ACK, 0, group);
		else
			nl_link_request(nl, NL_DELETE, NULL, links[i - 1].ifindex);
		/* The link, or all that were in the group, may have disappeared. */
		nl_tolerate(nl, ENODEV);
		result = nl_commit(nl, NULL, NULL);
	}
	return result;
}

static int find_group(const struct link *link, void *data)
{
	const uint32_t *group = data;

	return link->group == *group ? -EEXIST : 0;
}

/* A group that no link is in. The kernel's group is an int: stay positive. */
static int draw_group(struct nl *nl, uint32_t *group)
{
	int err = -EEXIST;

	for (int tries = 0; tries < 16 && err == -EEXIST; tries++) {
		if (getrandom(group, sizeof(*group), 0) != sizeof(*group))
			return -errno;
		*group = *group >> 1 | 1U << 30;
		err = nl_link_dump_whole(nl, LINK_OTHER, find_group, group);
	}
	return err;
}

struct nl_result nl_links_delete(struct nl *nl, const struct link *links, size_t count)
{
	struct nl_result result = { .step = NL_LOOKUP };
	uint32_t group;

	if (count <= 1) {
		if (count)
			result = nl_link_delete(nl, links[0].ifindex);
		result.err = result.err == -ENODEV ? 0 : result.err;
		return result;
	}
	result.err = draw_group(nl, &group);
	if (result.err)
		return result;
	result = move_links(nl, links, count, group);
	if (result.err)
		move_links(nl, links, count, 0);
	return result;
}

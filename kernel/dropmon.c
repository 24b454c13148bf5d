/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/net_dropmon.h>

#include "kernel/dropmon.h"
#include "lib/libc.h"
#include "netlink.h"

#define FAMILY_VERSION 2
#define SNAP 128 /* the bytes of a frame that are told */
#define MEMORY (1 << 20) /* for what was not read yet */
#define REASON 23 /* NET_DM_ATTR_REASON, newer (Linux 5.18) than some builders' headers */

struct settings {
	uint8_t mode;
	uint32_t snap;
};

static struct nlmsghdr *message(struct nl *nl, uint16_t family, uint8_t command, uint16_t flags)
{
	const struct genlmsghdr header = { .cmd = command, .version = FAMILY_VERSION };

	nl_begin(nl);
	return nl_message(nl, NL_LOOKUP, family, flags, sizeof(header), &header);
}

static bool read_attrs(const struct nlmsghdr *m, uint8_t command, const struct nlattr **tb,
		       uint16_t max)
{
	const struct genlmsghdr *header = mnl_nlmsg_get_payload(m);

	if (m->nlmsg_len < mnl_nlmsg_size(sizeof(*header)) || header->cmd != command)
		return false;
	nl_parse(m, sizeof(*header), tb, max);
	return true;
}

static int read_family(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *tb[CTRL_ATTR_FAMILY_ID + 1];

	if (!read_attrs(m, CTRL_CMD_NEWFAMILY, tb, CTRL_ATTR_FAMILY_ID) ||
	    !nl_attr_number(tb[CTRL_ATTR_FAMILY_ID], sizeof(uint16_t), data))
		return -EPROTO;
	return 0;
}

static int find_family(struct nl *nl, uint16_t *family)
{
	struct nlmsghdr *m = message(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);

	mnl_attr_put_strz(m, CTRL_ATTR_FAMILY_NAME, "NET_DM");
	nl_message_end(nl, m);
	return nl_commit(nl, read_family, family).err;
}

/* --- the process that keeps it on --- */

static int read_settings(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *tb[NET_DM_ATTR_TRUNC_LEN + 1];
	struct settings *settings = data;

	if (!read_attrs(m, NET_DM_CMD_CONFIG_NEW, tb, NET_DM_ATTR_TRUNC_LEN) ||
	    !nl_attr_number(tb[NET_DM_ATTR_ALERT_MODE], sizeof(settings->mode), &settings->mode) ||
	    !nl_attr_number(tb[NET_DM_ATTR_TRUNC_LEN], sizeof(settings->snap), &settings->snap))
		return -EPROTO;
	return 0;
}

static int find_settings(struct nl *nl, uint16_t family, struct settings *settings)
{
	nl_message_end(nl, message(nl, family, NET_DM_CMD_CONFIG_GET, 0));
	return nl_commit(nl, read_settings, settings).err;
}

/* -EBUSY: it is on. */
static int configure(struct nl *nl, uint16_t family, const struct settings *settings)
{
	struct nlmsghdr *m = message(nl, family, NET_DM_CMD_CONFIG, NLM_F_ACK);

	mnl_attr_put_u8(m, NET_DM_ATTR_ALERT_MODE, settings->mode);
	mnl_attr_put_u32(m, NET_DM_ATTR_TRUNC_LEN, settings->snap);
	nl_message_end(nl, m);
	return nl_commit(nl, NULL, NULL).err;
}

static int command(struct nl *nl, uint16_t family, uint8_t number)
{
	nl_message_end(nl, message(nl, family, number, NLM_F_ACK));
	return nl_commit(nl, NULL, NULL).err;
}

/* Until tapctl closes the other end of @socket or is killed. No signal of a terminal ends it. */
static _Noreturn void keep_on(uint16_t family, int socket)
{
	const struct settings wanted = { .mode = NET_DM_ALERT_MODE_PACKET, .snap = SNAP };
	struct settings before;
	sigset_t all;
	struct nl *nl;
	char byte;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	if (nl_open_protocol(&nl, NETLINK_GENERIC, SOCK_NONBLOCK) ||
	    find_settings(nl, family, &before) || configure(nl, family, &wanted))
		_exit(1);
	if (command(nl, family, NET_DM_CMD_START) == 0) {
		(void)!write(socket, "", 1);
		(void)!read(socket, &byte, 1);
		command(nl, family, NET_DM_CMD_STOP);
	}
	configure(nl, family, &before);
	_exit(0);
}

/* Returns when it is on, or cannot be switched on. */
static int start_keeper(struct dropmon *monitor, uint16_t family)
{
	int sockets[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return -errno;
	monitor->pid = fork();
	if (monitor->pid == 0) {
		close(sockets[0]);
		keep_on(family, sockets[1]);
	}
	close(sockets[1]);
	monitor->keeper = sockets[0];
	if (monitor->pid < 0) {
		close(monitor->keeper);
		return -EAGAIN;
	}
	(void)!TEMP_FAILURE_RETRY(read(monitor->keeper, &byte, 1));
	return 0;
}

int dropmon_open(struct dropmon *monitor)
{
	const int group = NET_DM_GRP_ALERT, memory = MEMORY;
	uint16_t family = 0;
	struct nl *nl;
	int err = nl_open_protocol(&nl, NETLINK_GENERIC, SOCK_NONBLOCK);

	*monitor = (struct dropmon){ .nl = NULL };
	if (err)
		return err;
	err = find_family(nl, &family);
	if (!err &&
	    setsockopt(nl_fd(nl), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		err = -errno;
	if (!err)
		err = start_keeper(monitor, family);
	if (err) {
		nl_close(nl);
		return err;
	}
	(void)setsockopt(nl_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &memory, sizeof(memory));
	monitor->nl = nl;
	return 0;
}

void dropmon_close(struct dropmon *monitor)
{
	if (!monitor->nl)
		return;
	close(monitor->keeper);
	TEMP_FAILURE_RETRY(waitpid(monitor->pid, NULL, 0));
	nl_close(monitor->nl);
	monitor->nl = NULL;
}

int dropmon_fd(const struct dropmon *monitor)
{
	return monitor->nl ? nl_fd(monitor->nl) : -1;
}

/* --- what is dropped --- */

/* "nf_hook_slow+0x9e/0xb0 [module]": up to the +. */
static void keep_text(char text[static DROP_TEXT], const struct nlattr *attr)
{
	nl_attr_text(attr, text, DROP_TEXT);
	text[strcspn(text, "+")] = '\0';
}

/* Returns 1 for what is not a dropped frame. */
static int read_drop(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *tb[REASON + 1], *port[NET_DM_ATTR_PORT_MAX + 1];
	struct drop *drop = data;

	if (!read_attrs(m, NET_DM_CMD_PACKET_ALERT, tb, REASON) || !tb[NET_DM_ATTR_PAYLOAD])
		return 1;
	nl_parse_nested(tb[NET_DM_ATTR_IN_PORT], port, NET_DM_ATTR_PORT_MAX);
	drop->bytes = mnl_attr_get_payload(tb[NET_DM_ATTR_PAYLOAD]);
	drop->len = mnl_attr_get_payload_len(tb[NET_DM_ATTR_PAYLOAD]);
	drop->in_port = (int)nl_attr_u32(port[NET_DM_ATTR_PORT_NETDEV_IFINDEX]);
	keep_text(drop->function, tb[NET_DM_ATTR_SYMBOL]);
	keep_text(drop->reason, tb[REASON]);
	if (strcmp(drop->reason, "NOT_SPECIFIED") == 0)
		drop->reason[0] = '\0';
	return 0;
}

bool dropmon_next(const struct dropmon *monitor, struct drop *drop)
{
	int err;

	if (!monitor->nl)
		return false;
	do
		err = nl_hear(monitor->nl, read_drop, drop);
	while (err > 0 || err == -ENOBUFS);
	return err == 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The floor that tapctl add is measured against: taps on a bridge by the bare system calls, nothing
 * checked, nothing read back, nothing undone:
 *
 *	floor BRIDGE COUNT [unknown|filter]
 *	floor BRIDGE NUMBER ovs|row
 *
 * With unknown, the operational state is left so, as most programs do, and the bridge enables the
 * port. With filter, a program of one instruction sees what the guest sends. The taps are those of
 * the guests 52:54:00:00:00:00 upwards. With ovs the bridge is one of Open vSwitch, and the tap is
 * that of the guest 52:54:00:00:00:NUMBER (hex); it ends as soon as ovs-vswitchd has said the
 * port's number. With row the tap is ownNUMBER, which is there. libc is all it is linked with.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

/* A transaction under construction. */
struct batch {
	_Alignas(4) char data[768];
	size_t len;
	struct nlmsghdr *last;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *put(struct batch *batch, const void *data, size_t size)
{
	char *at = batch->data + batch->len;

	memcpy(at, data, size);
	batch->len += NLMSG_ALIGN(size);
	if (batch->last)
		batch->last->nlmsg_len = (unsigned)(batch->data + batch->len - (char *)batch->last);
	return at;
}

static void put_message(struct batch *batch, unsigned short type, unsigned short flags,
			const void *header, size_t size)
{
	const struct nlmsghdr m = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };

	batch->last = (void *)(batch->data + batch->len);
	put(batch, &m, sizeof(m));
	put(batch, header, size);
}

static struct rtattr *put_attr(struct batch *batch, unsigned short type, const void *data,
			       size_t size)
{
	const struct rtattr attr = { .rta_type = type,
				     .rta_len = (unsigned short)RTA_LENGTH(size) };
	struct rtattr *at = put(batch, &attr, sizeof(attr));

	put(batch, data, size);
	return at;
}

static void end_nest(const struct batch *batch, struct rtattr *nest)
{
	nest->rta_len = (unsigned short)(batch->data + batch->len - (char *)nest);
}

static int index_of(int netlink, const char *name)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	if (ioctl(netlink, SIOCGIFINDEX, &ifr) < 0)
		die(name);
	return ifr.ifr_ifindex;
}

/* What --ip needs in the kernel, with a program that lets all pass. */
static void put_filter(struct batch *batch, int ifindex)
{
	static const struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, (unsigned)TC_ACT_UNSPEC);
	const struct tcmsg clsact = { .tcm_ifindex = ifindex,
				      .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
				      .tcm_parent = TC_H_CLSACT };
	const struct tcmsg filter = { .tcm_ifindex = ifindex,
				      .tcm_handle = 1,
				      .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
				      .tcm_info = 1 << 16 | htons(ETH_P_ALL) };
	const unsigned short count = 1;
	const unsigned flags = TCA_BPF_FLAG_ACT_DIRECT;
	struct rtattr *options;

	put_message(batch, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &clsact, sizeof(clsact));
	put_attr(batch, TCA_KIND, "clsact", sizeof("clsact"));
	put_message(batch, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &filter, sizeof(filter));
	put_attr(batch, TCA_KIND, "bpf", sizeof("bpf"));
	options = put_attr(batch, TCA_OPTIONS | NLA_F_NESTED, "", 0);
	put_attr(batch, TCA_BPF_OPS_LEN, &count, sizeof(count));
	put_attr(batch, TCA_BPF_OPS, &pass, sizeof(pass));
	put_attr(batch, TCA_BPF_FLAGS, &flags, sizeof(flags));
	end_nest(batch, options);
}

/* The messages of tapctl that change something, in its order, the last one acknowledged. */
static void set_up(int netlink, int ifindex, int bridge, unsigned number, const char *mode)
{
	const unsigned char address[] = {
		0xfe, 0x54, 0, 0, (unsigned char)(number >> 8), (unsigned char)number
	};
	const struct ifinfomsg plain = { .ifi_index = ifindex };
	const struct ifinfomsg up = { .ifi_index = ifindex,
				      .ifi_flags = IFF_UP,
				      .ifi_change = IFF_UP };
	const struct tcmsg root = { .tcm_ifindex = ifindex, .tcm_parent = TC_H_ROOT };
	const unsigned char none = IN6_ADDR_GEN_MODE_NONE, no_carrier = 0, state = IF_OPER_DORMANT;
	const unsigned mtu = 1500;
	struct batch batch = { .len = 0 };
	struct rtattr *spec, *inet6;
	char alias[64];
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char text[256];
	} answer;

	snprintf(alias, sizeof(alias), "tapctl guest 52:54:00:00:%02x:%02x", number >> 8,
		 number & 0xff);
	put_message(&batch, RTM_NEWLINK, 0, &plain, sizeof(plain));
	put_attr(&batch, IFLA_ADDRESS, address, sizeof(address));
	put_attr(&batch, IFLA_IFALIAS, alias, strlen(alias) + 1);
	put_attr(&batch, IFLA_MTU, &mtu, sizeof(mtu));
	if (bridge)
		put_attr(&batch, IFLA_MASTER, &bridge, sizeof(bridge));
	put_attr(&batch, IFLA_CARRIER, &no_carrier, sizeof(no_carrier));
	if (strcmp(mode, "unknown") != 0)
		put_attr(&batch, IFLA_OPERSTATE, &state, sizeof(state));
	spec = put_attr(&batch, IFLA_AF_SPEC | NLA_F_NESTED, "", 0);
	inet6 = put_attr(&batch, AF_INET6 | NLA_F_NESTED, "", 0);
	put_attr(&batch, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof(none));
	end_nest(&batch, inet6);
	end_nest(&batch, spec);
	put_message(&batch, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &root, sizeof(root));
	put_attr(&batch, TCA_KIND, "noqueue", sizeof("noqueue"));
	if (strcmp(mode, "filter") == 0)
		put_filter(&batch, ifindex);
	put_message(&batch, RTM_NEWLINK, NLM_F_ACK, &up, sizeof(up));
	if (send(netlink, batch.data, batch.len, 0) != (ssize_t)batch.len ||
	    recv(netlink, &answer, sizeof(answer), 0) < (ssize_t)NLMSG_LENGTH(sizeof(answer.error)))
		die("netlink");
	if (answer.error.error) {
		fprintf(stderr, "floor: tap %u: %s\n", number, strerror(-answer.error.error));
		exit(1);
	}
}

/* The port of the tap @name, and its number: two requests at once. */
static void plug(const char *bridge, const char *name)
{
	static const char form[] =
		"{'method':'transact','id':1,'params':['Open_vSwitch',"
		"{'op':'insert','table':'Interface','uuid-name':'i','row':{'name':'%s'}},"
		"{'op':'insert','table':'Port','uuid-name':'p','row':{'name':'%s',"
		"'interfaces':['named-uuid','i']}},"
		"{'op':'mutate','table':'Bridge','where':[['name','==','%s']],"
		"'mutations':[['ports','insert',['named-uuid','p']]]}]}"
		"{'method':'transact','id':2,'params':['Open_vSwitch',"
		"{'op':'wait','table':'Interface','where':[['name','==','%s']],"
		"'columns':['ofport'],'until':'!=','rows':[{'ofport':['set',[]]}],'timeout':5000},"
		"{'op':'select','table':'Interface','where':[['name','==','%s']],"
		"'columns':['ofport','error']}]}";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int db = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *dir = getenv("OVS_RUNDIR");
	char text[2048];
	ssize_t len, n;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/db.sock", dir ? dir : "");
	len = snprintf(text, sizeof(text), form, name, name, bridge, name, name);
	for (char *at = text; (at = strchr(at, '\'')); at++)
		*at = '"';
	if (db < 0 || connect(db, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(db, text, (size_t)len, 0) != len)
		die(address.sun_path);
	len = 0;
	do {
		n = recv(db, text + len, sizeof(text) - 1 - (size_t)len, 0);
		if (n <= 0)
			die("the database");
		len += n;
		text[len] = '\0';
	} while (!strstr(text, "\"id\":2"));
	if (!strstr(text, "\"ofport\":"))
		die(text);
}

static int open_tap(const char *name)
{
	struct ifreq ifr = {
		.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL),
	};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		die(name);
	return fd;
}

static void persist(int fd)
{
	if (ioctl(fd, TUNSETOWNER, 0) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0)
		die("tap");
}

static void make_port(int netlink, const char *bridge, const char *number)
{
	unsigned n = (unsigned)strtoul(number, NULL, 16) & 0xff;
	char name[IFNAMSIZ];
	int fd;

	snprintf(name, sizeof(name), "tap5254000000%02x", n);
	fd = open_tap(name);
	set_up(netlink, index_of(netlink, name), 0, n, "");
	plug(bridge, name);
	persist(fd);
}

static void make_ports(int netlink, const char *bridge_name, unsigned count, const char *mode)
{
	struct rlimit limit = { .rlim_cur = count + 16, .rlim_max = count + 16 };
	int bridge = index_of(netlink, bridge_name), *fds = calloc(count, sizeof(*fds));

	if (!fds)
		die("memory");
	if (count > 64)
		setrlimit(RLIMIT_NOFILE, &limit);
	for (unsigned i = 0; i < count; i++) {
		char name[IFNAMSIZ];

		snprintf(name, sizeof(name), "tap52540000%04x", i & 0xffff);
		fds[i] = open_tap(name);
		set_up(netlink, index_of(netlink, name), bridge, i, mode);
	}
	/* Nothing stays unless all are there. */
	for (unsigned i = 0; i < count; i++)
		persist(fds[i]);
	free(fds);
}

int main(int argc, char **argv)
{
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	const char *mode = argc == 4 ? argv[3] : "";
	unsigned count = argc >= 3 ? (unsigned)atoi(argv[2]) : 0;
	char own[IFNAMSIZ];

	if (netlink < 0)
		die("netlink");
	if (strcmp(mode, "ovs") == 0) {
		make_port(netlink, argv[1], argv[2]);
	} else if (strcmp(mode, "row") == 0) {
		snprintf(own, sizeof(own), "own%s", argv[2]);
		plug(argv[1], own);
	} else if (count) {
		make_ports(netlink, argv[1], count, mode);
	} else {
		fprintf(stderr,
			"usage: floor BRIDGE COUNT [unknown|filter] | BRIDGE NUMBER ovs|row\n");
		return 1;
	}
	return 0;
}

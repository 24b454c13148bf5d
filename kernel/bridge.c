/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kernel/bridge.h"

#define BRPORT_LOCKED 39 /* IFLA_BRPORT_LOCKED, newer (Linux 5.18) than some builders' headers */

bool port_policy_is_set(const struct port_policy *policy)
{
	return policy->locked || policy->isolated || policy->hairpin || policy->vlan_count;
}

static void put_port_flags(struct nl *nl, int ifindex, const struct port_policy *policy,
			   bool is_used)
{
	struct nlmsghdr *m = nl_link_message(nl, NL_PORT, RTM_NEWLINK, 0, ifindex);
	struct nlattr *info = mnl_attr_nest_start(m, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(m, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(m, IFLA_INFO_SLAVE_DATA);
	if (policy->locked) {
		mnl_attr_put_u8(m, BRPORT_LOCKED, 1);
		mnl_attr_put_u8(m, IFLA_BRPORT_LEARNING, 0);
		/* A locked port still passes the addresses that it had learned. */
		if (is_used)
			mnl_attr_put(m, IFLA_BRPORT_FLUSH, 0, NULL);
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

static void put_vlan_removal(struct nl *nl, int ifindex, uint16_t first, uint16_t last)
{
	struct nlmsghdr *m = vlan_message(nl, RTM_DELLINK, ifindex);
	struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);

	put_vlan(m, first, first == last ? 0 : BRIDGE_VLAN_INFO_RANGE_BEGIN);
	if (first != last)
		put_vlan(m, last, BRIDGE_VLAN_INFO_RANGE_END);
	mnl_attr_nest_end(m, spec);
	nl_message_end(nl, m);
}

/* The port's VLANs; the bridge's default one is removed, unless it is among them. */
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
	if (!keep_default)
		put_vlan_removal(nl, ifindex, default_pvid, default_pvid);
}

/* @mac is static at this port, in every VLAN of it. */
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

void bridge_put_policy(struct nl *nl, int ifindex, const struct port_policy *policy,
		       const uint8_t guest[static MAC_LEN], uint16_t default_pvid)
{
	if (policy->locked || policy->isolated || policy->hairpin)
		put_port_flags(nl, ifindex, policy, false);
	if (policy->vlan_count)
		put_vlans(nl, ifindex, policy, default_pvid);
	/* After the VLANs: the entry is for those that the port has. */
	if (policy->locked)
		put_static_entry(nl, ifindex, guest);
}

void bridge_put_policy_again(struct nl *nl, int ifindex, const struct port_policy *policy,
			     const uint8_t guest[static MAC_LEN], bool flags, bool vlans)
{
	if (flags)
		put_port_flags(nl, ifindex, policy, true);
	if (vlans) {
		/* The entries of a VLAN go with it. */
		put_vlan_removal(nl, ifindex, 1, VLAN_MAX);
		put_vlans(nl, ifindex, policy, 0);
	}
	if (policy->locked)
		put_static_entry(nl, ifindex, guest);
}

void bridge_put_fdb_request(struct nl *nl, enum nl_step step, int bridge,
			    const uint8_t mac[static MAC_LEN])
{
	struct ndmsg nd = { .ndm_family = AF_BRIDGE };
	struct nlmsghdr *m = nl_message(nl, step, RTM_GETNEIGH, 0, sizeof(nd), &nd);

	mnl_attr_put_u32(m, NDA_MASTER, (uint32_t)bridge);
	mnl_attr_put(m, NDA_LLADDR, MAC_LEN, mac);
	nl_message_end(nl, m);
}

int bridge_read_fdb(const struct nlmsghdr *m, void *data)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(m);
	int *ifindex = data;

	if (m->nlmsg_type != RTM_NEWNEIGH || m->nlmsg_len < mnl_nlmsg_size(sizeof(*nd)) ||
	    nd->ndm_ifindex <= 0)
		return -EPROTO;
	*ifindex = nd->ndm_ifindex;
	return 0;
}

int bridge_find_port(struct nl *nl, int bridge, const uint8_t mac[static MAC_LEN], int *ifindex)
{
	nl_begin(nl);
	bridge_put_fdb_request(nl, NL_LOOKUP, bridge, mac);
	return nl_commit(nl, bridge_read_fdb, ifindex).err;
}

struct fdb_dump {
	bridge_fdb_fn *each;
	void *data;
};

static int dump_fdb(const struct nlmsghdr *m, void *data)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(m);
	const struct nlattr *tb[NDA_MASTER + 1];
	const struct fdb_dump *dump = data;
	struct fdb_entry entry;

	if (bridge_read_fdb(m, &entry.port) < 0)
		return 0;
	nl_parse(m, sizeof(*nd), tb, NDA_MASTER);
	/* The other entries are those of network cards. */
	if (!tb[NDA_MASTER] || !nl_attr_number(tb[NDA_LLADDR], MAC_LEN, entry.mac))
		return 0;
	entry.bridge = (int)nl_attr_u32(tb[NDA_MASTER]);
	entry.vlan = 0;
	nl_attr_number(tb[NDA_VLAN], sizeof(entry.vlan), &entry.vlan);
	entry.how = FDB_LEARNED;
	if (nd->ndm_state & NUD_NOARP || nd->ndm_flags & NTF_EXT_LEARNED)
		entry.how = (nd->ndm_flags & NTF_STICKY) ? FDB_STICKY : FDB_SET;
	if (nd->ndm_state & NUD_PERMANENT)
		entry.how = FDB_OWN;
	return dump->each(&entry, dump->data);
}

int bridge_dump_fdb(struct nl *nl, bridge_fdb_fn *each, void *data)
{
	struct ifinfomsg info = { .ifi_family = AF_BRIDGE };
	struct fdb_dump dump = { .each = each, .data = data };

	return nl_dump_plain(nl, RTM_GETNEIGH, sizeof(info), &info, dump_fdb, &dump);
}

struct vlan_dump {
	bridge_vlan_fn *each;
	void *data;
	struct port_vlan vlan;
	int result;
};

static int dump_vlan(const struct nlattr *attr, void *data)
{
	struct vlan_dump *dump = data;
	struct bridge_vlan_info one;

	if (mnl_attr_get_type(attr) != IFLA_BRIDGE_VLAN_INFO ||
	    !nl_attr_number(attr, sizeof(one), &one))
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
	nl_parse(m, sizeof(*info), tb, IFLA_AF_SPEC);
	if (!tb[IFLA_AF_SPEC])
		return 0;
	dump->vlan.ifindex = info->ifi_index;
	mnl_attr_parse_nested(tb[IFLA_AF_SPEC], dump_vlan, dump);
	return dump->result;
}

int bridge_dump_vlans(struct nl *nl, bridge_vlan_fn *each, void *data)
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

struct group_dump {
	bridge_group_fn *each;
	void *data;
	int result;
};

static int dump_group(const struct nlattr *attr, void *data)
{
	struct group_dump *dump = data;
	struct br_mdb_entry entry;

	/* More attributes follow in newer kernels. */
	if (mnl_attr_get_type(attr) != MDBA_MDB_ENTRY_INFO ||
	    mnl_attr_get_payload_len(attr) < sizeof(entry))
		return MNL_CB_OK;
	memcpy(&entry, mnl_attr_get_payload(attr), sizeof(entry));
	if (entry.addr.proto == htons(ETH_P_IPV6))
		dump->result = dump->each((int)entry.ifindex, dump->data);
	return dump->result ? MNL_CB_STOP : MNL_CB_OK;
}

static int dump_nest(const struct nlattr *attr, void *data)
{
	return mnl_attr_get_type(attr) == MDBA_MDB_ENTRY ?
		       mnl_attr_parse_nested(attr, dump_group, data) :
		       MNL_CB_OK;
}

static int dump_groups(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *tb[MDBA_MDB + 1];
	struct group_dump *dump = data;

	/* The kernel answers a dump with the type of the question (net/bridge/br_mdb.c). */
	if ((m->nlmsg_type != RTM_NEWMDB && m->nlmsg_type != RTM_GETMDB) ||
	    m->nlmsg_len < mnl_nlmsg_size(sizeof(struct br_port_msg)))
		return 0;
	nl_parse(m, sizeof(struct br_port_msg), tb, MDBA_MDB);
	if (tb[MDBA_MDB])
		mnl_attr_parse_nested(tb[MDBA_MDB], dump_nest, dump);
	return dump->result;
}

int bridge_dump_groups(struct nl *nl, bridge_group_fn *each, void *data)
{
	struct br_port_msg port = { .family = AF_BRIDGE };
	struct group_dump dump = { .each = each, .data = data };

	return nl_dump_plain(nl, RTM_GETMDB, sizeof(port), &port, dump_groups, &dump);
}

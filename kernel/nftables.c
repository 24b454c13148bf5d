/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>

#include "kernel/nftables.h"
#include "lib/array.h"

#define DEPTH 16 /* NFT_JUMP_STACK_SIZE */
#define VISITS 100000 /* of rules, which jump to the same chains again and again */
#define DEVICES 256 /* NFT_NETDEVICE_MAX */

enum verdict { GOES_ON, ACCEPTS, DROPS, JUMPS, GOES_TO, RETURNS };

/* A link's name, or the beginning of it, or its index; nothing: any. */
struct link_match {
	char name[IFNAMSIZ];
	uint32_t index;
	uint8_t len;
	bool other; /* than that one */
};

struct nft_rule {
	enum verdict verdict;
	char *target; /* the chain that it jumps to, or NULL */
	struct link_match in, out;
	bool some; /* it has conditions that are not read */
	bool known; /* it is for connections that there are already */
};

struct nft_chain {
	uint8_t family;
	bool base, drops; /* with a hook; by its policy */
	uint32_t hook;
	char *table, *name;
	char (*devices)[IFNAMSIZ];
	size_t device_count, first, count; /* of its rules */
};

/* --- chains --- */

static char *copy_text(const struct nlattr *attr)
{
	return attr ? strndup(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr)) : NULL;
}

static int keep_device(const struct nlattr *attr, void *data)
{
	struct nft_chain *chain = data;
	char(*devices)[IFNAMSIZ] = array_grow(chain->devices, chain->device_count,
					      sizeof(*devices));

	if (!devices || chain->device_count == DEVICES)
		return MNL_CB_ERROR;
	chain->devices = devices;
	nl_attr_text(attr, devices[chain->device_count++], IFNAMSIZ);
	return MNL_CB_OK;
}

static int keep_chain(const struct nlmsghdr *m, void *data)
{
	const struct nfgenmsg *family = mnl_nlmsg_get_payload(m);
	const struct nlattr *tb[NFTA_CHAIN_TYPE + 1], *hook[NFTA_HOOK_DEVS + 1];
	struct nft_rules *rules = data;
	struct nft_chain *chain;

	if (m->nlmsg_len < mnl_nlmsg_size(sizeof(*family)))
		return 0;
	chain = array_grow(rules->chains, rules->chain_count, sizeof(*chain));
	if (!chain)
		return -ENOMEM;
	rules->chains = chain;
	chain += rules->chain_count;
	nl_parse(m, sizeof(*family), tb, NFTA_CHAIN_TYPE);
	if (!tb[NFTA_CHAIN_TABLE] || !tb[NFTA_CHAIN_NAME])
		return 0;
	nl_parse_nested(tb[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_DEVS);
	*chain = (struct nft_chain){
		.family = family->nfgen_family,
		/* Chains of other types translate addresses. */
		.base = hook[NFTA_HOOK_HOOKNUM] && tb[NFTA_CHAIN_TYPE] &&
			strncmp(mnl_attr_get_payload(tb[NFTA_CHAIN_TYPE]), "filter",
				mnl_attr_get_payload_len(tb[NFTA_CHAIN_TYPE])) == 0,
		.hook = ntohl(nl_attr_u32(hook[NFTA_HOOK_HOOKNUM])),
		.drops = tb[NFTA_CHAIN_POLICY] &&
			 nl_attr_u32(tb[NFTA_CHAIN_POLICY]) == htonl(NF_DROP),
		.table = copy_text(tb[NFTA_CHAIN_TABLE]),
		.name = copy_text(tb[NFTA_CHAIN_NAME]),
	};
	if (hook[NFTA_HOOK_DEV])
		keep_device(hook[NFTA_HOOK_DEV], chain);
	if (hook[NFTA_HOOK_DEVS])
		mnl_attr_parse_nested(hook[NFTA_HOOK_DEVS], keep_device, chain);
	rules->chain_count++;
	return chain->table && chain->name ? 0 : -ENOMEM;
}

static struct nft_chain *find_chain(const struct nft_rules *rules, uint8_t family,
				    const char *table, const char *name)
{
	for (size_t i = 0; i < rules->chain_count; i++) {
		struct nft_chain *chain = &rules->chains[i];

		if (chain->family == family && strcmp(chain->table, table) == 0 &&
		    strcmp(chain->name, name) == 0)
			return chain;
	}
	return NULL;
}

/* --- rules --- */

/* What a register holds while the expressions of a rule are read. */
enum content { HOLDS_OTHER, HOLDS_IN, HOLDS_OUT, HOLDS_STATE };
struct reading {
	struct nft_rules *rules;
	struct nft_rule *rule;
	enum content content[NFT_REG32_15 + 1];
	uint32_t mask; /* of the state */
};

static enum content *register_of(struct reading *reading, const struct nlattr *attr)
{
	uint32_t number = ntohl(nl_attr_u32(attr));

	return &reading->content[number <= NFT_REG32_15 ? number : 0];
}

static void read_meta(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *tb[NFTA_META_SREG + 1];
	uint32_t key;

	nl_parse_nested(data, tb, NFTA_META_SREG);
	if (!tb[NFTA_META_DREG])
		return;
	key = ntohl(nl_attr_u32(tb[NFTA_META_KEY]));
	*register_of(reading, tb[NFTA_META_DREG]) = key == NFT_META_IIF || key == NFT_META_IIFNAME ?
							    HOLDS_IN :
						    key == NFT_META_OIF || key == NFT_META_OIFNAME ?
							    HOLDS_OUT :
							    HOLDS_OTHER;
}

static void read_ct(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *tb[NFTA_CT_SREG + 1];

	nl_parse_nested(data, tb, NFTA_CT_SREG);
	if (tb[NFTA_CT_DREG])
		*register_of(reading, tb[NFTA_CT_DREG]) =
			ntohl(nl_attr_u32(tb[NFTA_CT_KEY])) == NFT_CT_STATE ? HOLDS_STATE :
									      HOLDS_OTHER;
}

static void read_bitwise(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *tb[NFTA_BITWISE_XOR + 1], *mask[NFTA_DATA_VALUE + 1];
	enum content content;

	nl_parse_nested(data, tb, NFTA_BITWISE_XOR);
	nl_parse_nested(tb[NFTA_BITWISE_MASK], mask, NFTA_DATA_VALUE);
	content = *register_of(reading, tb[NFTA_BITWISE_SREG]);
	reading->mask = nl_attr_u32(mask[NFTA_DATA_VALUE]);
	*register_of(reading, tb[NFTA_BITWISE_DREG]) = content == HOLDS_STATE ? content :
										HOLDS_OTHER;
}

static void read_cmp(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *tb[NFTA_CMP_DATA + 1], *value[NFTA_DATA_VALUE + 1];
	struct link_match *match = &reading->rule->in;
	bool equal;
	size_t len;

	nl_parse_nested(data, tb, NFTA_CMP_DATA);
	nl_parse_nested(tb[NFTA_CMP_DATA], value, NFTA_DATA_VALUE);
	equal = ntohl(nl_attr_u32(tb[NFTA_CMP_OP])) == NFT_CMP_EQ;
	len = value[NFTA_DATA_VALUE] ? mnl_attr_get_payload_len(value[NFTA_DATA_VALUE]) : 0;
	switch (*register_of(reading, tb[NFTA_CMP_SREG])) {
	case HOLDS_OUT:
		match = &reading->rule->out;
		__attribute__((fallthrough));
	case HOLDS_IN:
		if (match->len || len == 0 || len > IFNAMSIZ) {
			reading->rule->some = true;
			return;
		}
		memcpy(match->name, mnl_attr_get_payload(value[NFTA_DATA_VALUE]), len);
		memcpy(&match->index, match->name, sizeof(match->index));
		match->len = (uint8_t)len;
		match->other = !equal;
		return;
	case HOLDS_STATE:
		/* "state & mask != 0" is how nft says that it is one of several. */
		if (!equal &&
		    !(reading->mask & (NF_CT_STATE_BIT(IP_CT_NEW) | NF_CT_STATE_UNTRACKED_BIT)))
			reading->rule->known = true;
		else if (equal)
			reading->rule->some = true;
		return;
	case HOLDS_OTHER:
		reading->rule->some = true;
	}
}

static void read_immediate(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *tb[NFTA_IMMEDIATE_DATA + 1], *value[NFTA_DATA_VERDICT + 1];
	const struct nlattr *verdict[NFTA_VERDICT_CHAIN + 1];
	struct nft_rule *rule = reading->rule;

	nl_parse_nested(data, tb, NFTA_IMMEDIATE_DATA);
	nl_parse_nested(tb[NFTA_IMMEDIATE_DATA], value, NFTA_DATA_VERDICT);
	nl_parse_nested(value[NFTA_DATA_VERDICT], verdict, NFTA_VERDICT_CHAIN);
	if (!verdict[NFTA_VERDICT_CODE])
		return;
	switch ((int)ntohl(nl_attr_u32(verdict[NFTA_VERDICT_CODE]))) {
	case NF_DROP:
		rule->verdict = DROPS;
		break;
	case NFT_JUMP:
		rule->verdict = JUMPS;
		break;
	case NFT_GOTO:
		rule->verdict = GOES_TO;
		break;
	case NFT_RETURN:
		rule->verdict = RETURNS;
		break;
	case NFT_CONTINUE:
		break;
	default: /* NF_ACCEPT, and whatever a program decides that it is queued for */
		rule->verdict = ACCEPTS;
	}
	rule->target = copy_text(verdict[NFTA_VERDICT_CHAIN]);
}

/* A target of iptables'. */
static void read_target(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *tb[NFTA_TARGET_NAME + 1];
	char name[32];

	nl_parse_nested(data, tb, NFTA_TARGET_NAME);
	nl_attr_text(tb[NFTA_TARGET_NAME], name, sizeof(name));
	if (strcmp(name, "REJECT") == 0)
		reading->rule->verdict = DROPS;
	reading->rules->translates |= strcmp(name, "MASQUERADE") == 0 || strcmp(name, "SNAT") == 0;
}

static void read_reject(struct reading *reading, const struct nlattr *data)
{
	(void)data;
	reading->rule->verdict = DROPS;
}

static void read_nat(struct reading *reading, const struct nlattr *data)
{
	(void)data;
	reading->rules->translates = true;
}

/* A set, whose rule has a verdict of its own behind it; or a map of verdicts, or a program that it
 * is queued for: either may accept. */
static void read_verdict(struct reading *reading, const struct nlattr *data)
{
	(void)data;
	reading->rule->some = true;
	reading->rule->verdict = ACCEPTS;
}

static int read_expression(const struct nlattr *attr, void *data)
{
	static const struct {
		const char *name;
		void (*read)(struct reading *reading, const struct nlattr *data);
	} known[] = {
		{ "meta", read_meta },
		{ "ct", read_ct },
		{ "cmp", read_cmp },
		{ "bitwise", read_bitwise },
		{ "immediate", read_immediate },
		{ "reject", read_reject },
		{ "target", read_target },
		{ "masq", read_nat },
		{ "nat", read_nat },
		{ "lookup", read_verdict },
		{ "queue", read_verdict },
		{ "counter", NULL },
		{ "log", NULL },
		{ "payload", NULL },
	};
	const struct nlattr *tb[NFTA_EXPR_DATA + 1];
	struct reading *reading = data;
	char name[32];

	nl_parse_nested(attr, tb, NFTA_EXPR_DATA);
	if (!tb[NFTA_EXPR_NAME])
		return MNL_CB_OK;
	nl_attr_text(tb[NFTA_EXPR_NAME], name, sizeof(name));
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(name, known[i].name) != 0)
			continue;
		if (known[i].read)
			known[i].read(reading, tb[NFTA_EXPR_DATA]);
		return MNL_CB_OK;
	}
	reading->rule->some = true;
	return MNL_CB_OK;
}

static int keep_rule(const struct nlmsghdr *m, void *data)
{
	const struct nfgenmsg *family = mnl_nlmsg_get_payload(m);
	const struct nlattr *tb[NFTA_RULE_EXPRESSIONS + 1];
	struct nft_rules *rules = data;
	struct reading reading = { .rules = rules };
	struct nft_chain *chain;
	char table[NFT_TABLE_MAXNAMELEN], name[NFT_CHAIN_MAXNAMELEN];

	if (m->nlmsg_len < mnl_nlmsg_size(sizeof(*family)))
		return 0;
	nl_parse(m, sizeof(*family), tb, NFTA_RULE_EXPRESSIONS);
	if (!tb[NFTA_RULE_TABLE] || !tb[NFTA_RULE_CHAIN])
		return 0;
	nl_attr_text(tb[NFTA_RULE_TABLE], table, sizeof(table));
	nl_attr_text(tb[NFTA_RULE_CHAIN], name, sizeof(name));
	chain = find_chain(rules, family->nfgen_family, table, name);
	if (!chain)
		return 0;
	reading.rule = array_grow(rules->rules, rules->rule_count, sizeof(*rules->rules));
	if (!reading.rule)
		return -ENOMEM;
	rules->rules = reading.rule;
	reading.rule += rules->rule_count;
	*reading.rule = (struct nft_rule){ .verdict = GOES_ON };
	if (!chain->count++)
		chain->first = rules->rule_count;
	rules->rule_count++;
	if (tb[NFTA_RULE_EXPRESSIONS])
		mnl_attr_parse_nested(tb[NFTA_RULE_EXPRESSIONS], read_expression, &reading);
	return 0;
}

static int dump(struct nl *nl, uint16_t what, nl_reply_fn *keep, struct nft_rules *rules)
{
	struct nfgenmsg family = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	int err = nl_dump_plain(nl, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what), sizeof(family),
				&family, keep, rules);

	return err < 0 ? err : 0;
}

int nftables_read(struct nft_rules *rules)
{
	struct nl *nl;
	int err = nl_open_protocol(&nl, NETLINK_NETFILTER, SOCK_NONBLOCK);

	*rules = (struct nft_rules){ .chain_count = 0 };
	if (err)
		return err;
	err = dump(nl, NFT_MSG_GETCHAIN, keep_chain, rules);
	if (!err && rules->chain_count)
		err = dump(nl, NFT_MSG_GETRULE, keep_rule, rules);
	nl_close(nl);
	if (err)
		nftables_free(rules);
	return err;
}

void nftables_free(struct nft_rules *rules)
{
	for (size_t i = 0; i < rules->chain_count; i++) {
		free(rules->chains[i].table);
		free(rules->chains[i].name);
		free(rules->chains[i].devices);
	}
	for (size_t i = 0; i < rules->rule_count; i++)
		free(rules->rules[i].target);
	free(rules->chains);
	free(rules->rules);
	*rules = (struct nft_rules){ .chain_count = 0 };
}

/* --- what they do --- */

struct walk {
	const struct nft_rules *rules;
	const struct link *in, *out;
	unsigned visits;
	bool named; /* what dropped it names a link */
	bool may_accept; /* a rule that cannot be followed, or is for some */
};

enum match { MATCHES_NOT, MATCHES_SOME, MATCHES };

static enum match match_link(const struct link_match *match, const struct link *link)
{
	bool same;

	if (!match->len)
		return MATCHES;
	if (!link)
		return MATCHES_SOME;
	same = match->len == sizeof(match->index) && match->index == (uint32_t)link->ifindex;
	same |= strncmp(match->name, link->name, match->len) == 0;
	return same != match->other ? MATCHES : MATCHES_NOT;
}

static enum match match_rule(const struct nft_rule *rule, const struct walk *walk)
{
	enum match in = match_link(&rule->in, walk->in), out = match_link(&rule->out, walk->out);
	enum match both = in < out ? in : out;

	if (rule->known)
		return MATCHES_NOT;
	return both == MATCHES && rule->some ? MATCHES_SOME : both;
}

/* ACCEPTS, DROPS, or GOES_ON behind the jump to the chain. */
static enum verdict walk_chain(struct walk *walk, const struct nft_chain *chain, unsigned depth)
{
	for (size_t i = 0; i < chain->count; i++) {
		const struct nft_rule *rule = &walk->rules->rules[chain->first + i];
		const struct nft_chain *target = NULL;
		enum match match = match_rule(rule, walk);
		enum verdict verdict = rule->verdict;
		bool leaves = verdict == RETURNS || verdict == GOES_TO;

		if (match == MATCHES_NOT || verdict == GOES_ON)
			continue;
		if (walk->visits++ >= VISITS) {
			walk->may_accept = true;
			return GOES_ON;
		}
		if (rule->target)
			target = find_chain(walk->rules, chain->family, chain->table, rule->target);
		if (target && depth < DEPTH)
			verdict = walk_chain(walk, target, depth + 1);
		if (match == MATCHES && (verdict == ACCEPTS || verdict == DROPS)) {
			walk->named |= rule->in.len || rule->out.len;
			return verdict;
		}
		if (match == MATCHES && leaves)
			return GOES_ON;
		walk->may_accept |= verdict == ACCEPTS || leaves;
	}
	return GOES_ON;
}

static bool is_at_hook(const struct nft_chain *chain, enum nft_hook hook, const struct link *in)
{
	static const struct {
		uint8_t family;
		uint32_t number;
	} hooks[] = {
		[NFT_IP_FORWARD] = { NFPROTO_IPV4, NF_INET_FORWARD },
		[NFT_IP6_FORWARD] = { NFPROTO_IPV6, NF_INET_FORWARD },
		[NFT_ARP_INPUT] = { NFPROTO_ARP, 0 /* NF_ARP_IN */ },
		[NFT_BRIDGE_PREROUTING] = { NFPROTO_BRIDGE, NF_INET_PRE_ROUTING },
		[NFT_BRIDGE_FORWARD] = { NFPROTO_BRIDGE, NF_INET_FORWARD },
		[NFT_DEVICE_INGRESS] = { NFPROTO_NETDEV, NF_NETDEV_INGRESS },
		[NFT_DEVICE_EGRESS] = { NFPROTO_NETDEV, 1 /* NF_NETDEV_EGRESS */ },
	};
	bool ip = hook == NFT_IP_FORWARD || hook == NFT_IP6_FORWARD;
	bool inet = chain->family == NFPROTO_INET;

	if (!chain->base)
		return false;
	if (hook < NFT_DEVICE_INGRESS)
		return chain->hook == hooks[hook].number &&
		       (chain->family == hooks[hook].family || (ip && inet));
	if (!(chain->family == NFPROTO_NETDEV && chain->hook == hooks[hook].number) &&
	    !(inet && hook == NFT_DEVICE_INGRESS && chain->hook == NF_INET_INGRESS))
		return false;
	for (size_t i = 0; i < chain->device_count; i++)
		if (strcmp(chain->devices[i], in->name) == 0)
			return true;
	return false;
}

static const char *family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return "ip";
	}
}

struct nft_drop nftables_find_drop(const struct nft_rules *rules, enum nft_hook hook,
				   const struct link *in, const struct link *out)
{
	struct nft_drop worst = { .fate = NFT_PASSES };

	for (size_t i = 0; i < rules->chain_count; i++) {
		const struct nft_chain *chain = &rules->chains[i];
		struct walk walk = { .rules = rules, .in = in, .out = out };
		enum verdict verdict;
		enum nft_fate fate;

		if (!is_at_hook(chain, hook, in))
			continue;
		verdict = walk_chain(&walk, chain, 0);
		if (verdict == ACCEPTS || (verdict == GOES_ON && !chain->drops))
			continue;
		fate = walk.may_accept ? NFT_MAY_DROP : NFT_DROPS;
		if (fate > worst.fate)
			worst = (struct nft_drop){
				.fate = fate,
				.named = verdict == DROPS && walk.named,
				.family = family_name(chain->family),
				.table = chain->table,
				.chain = chain->name,
			};
	}
	return worst;
}

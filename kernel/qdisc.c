/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <arpa/inet.h>

#include <libmnl/libmnl.h>
#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "kernel/filter.h"
#include "kernel/qdisc.h"

#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

#define TICK_NS 64 /* in which the kernel counts (PSCHED_SHIFT of include/net/pkt_sched.h) */
#define WAIT_PART 20 /* of a second: how long a frame to be shaped may wait */

bool traffic_is_set(const struct traffic *traffic)
{
	return traffic->ip.count || traffic->in.bytes || traffic->out.bytes;
}

struct traffic_setup {
	int ifindex;
	bool is_macvtap;
	const uint8_t *guest;
	const struct traffic *traffic;
};

static uint32_t filter_parent(const struct traffic_setup *setup)
{
	return setup->is_macvtap ? EGRESS : INGRESS;
}

static const struct rate *shaped(const struct traffic_setup *setup)
{
	return setup->is_macvtap ? &setup->traffic->out : &setup->traffic->in;
}

static const struct rate *policed(const struct traffic_setup *setup)
{
	return setup->is_macvtap ? &setup->traffic->in : &setup->traffic->out;
}

/* --- queueing disciplines --- */

static struct nlmsghdr *qdisc_message(struct nl *nl, enum nl_step step, uint16_t type,
				      uint16_t flags, int ifindex, uint32_t parent)
{
	struct tcmsg tc = { .tcm_ifindex = ifindex, .tcm_parent = parent };

	if (parent == TC_H_CLSACT)
		tc.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	return nl_message(nl, step, type, flags, sizeof(tc), &tc);
}

static void put_none(struct nl *nl, int ifindex)
{
	struct nlmsghdr *m = qdisc_message(nl, NL_QDISC, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE,
					   ifindex, TC_H_ROOT);

	mnl_attr_put_strz(m, TCA_KIND, "noqueue");
	nl_message_end(nl, m);
	/* A kernel without traffic control has no queueing discipline to take off. */
	nl_tolerate(nl, EOPNOTSUPP);
}

static struct tc_ratespec ratespec_of(const struct rate *rate)
{
	return (struct tc_ratespec){
		.rate = rate->bytes < UINT32_MAX ? (uint32_t)rate->bytes : UINT32_MAX,
		.linklayer = TC_LINKLAYER_ETHERNET,
		.cell_log = 16, /* of a table that only old kernels read */
	};
}

uint32_t traffic_queue_limit(const struct rate *rate)
{
	uint64_t limit = rate_burst(rate) + rate->bytes / WAIT_PART;

	return limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
}

static uint32_t ticks_of(const struct rate *rate)
{
	return (uint32_t)(rate_burst(rate) * 1e9 / TICK_NS / (double)rate->bytes);
}

static void put_shaping(struct nl *nl, int ifindex, const struct rate *rate)
{
	uint32_t burst = rate_burst(rate);
	struct tc_tbf_qopt parameters = {
		.rate = ratespec_of(rate),
		.limit = traffic_queue_limit(rate),
		.buffer = ticks_of(rate),
	};
	struct nlmsghdr *m = qdisc_message(nl, NL_SHAPE, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE,
					   ifindex, TC_H_ROOT);
	struct nlattr *options;

	mnl_attr_put_strz(m, TCA_KIND, "tbf");
	options = mnl_attr_nest_start(m, TCA_OPTIONS);
	mnl_attr_put(m, TCA_TBF_PARMS, sizeof(parameters), &parameters);
	mnl_attr_put_u32(m, TCA_TBF_BURST, burst);
	if (rate->bytes >= UINT32_MAX)
		mnl_attr_put_u64(m, TCA_TBF_RATE64, rate->bytes);
	mnl_attr_nest_end(m, options);
	nl_message_end(nl, m);
}

/* One that is there already stays. */
static void put_clsact(struct nl *nl, int ifindex)
{
	struct nlmsghdr *m = qdisc_message(nl, NL_CLSACT, RTM_NEWQDISC, NLM_F_CREATE, ifindex,
					   TC_H_CLSACT);

	mnl_attr_put_strz(m, TCA_KIND, "clsact");
	nl_message_end(nl, m);
}

/* --- filters --- */

static struct nlmsghdr *filter_message(struct nl *nl, enum nl_step step, uint16_t type,
				       const struct traffic_setup *setup, uint32_t preference)
{
	bool is_filter = preference == FILTER_PREFERENCE;
	struct tcmsg tc = {
		.tcm_ifindex = setup->ifindex,
		.tcm_parent = is_filter ? filter_parent(setup) : INGRESS,
		.tcm_handle = 1,
		.tcm_info = TC_H_MAKE(preference << 16, htons(ETH_P_ALL)),
	};
	uint16_t flags = type == RTM_NEWTFILTER ? NLM_F_CREATE : 0;
	struct nlmsghdr *m = nl_message(nl, step, type, flags, sizeof(tc), &tc);

	mnl_attr_put_strz(m, TCA_KIND, "bpf");
	return m;
}

static void put_ops(struct nlmsghdr *m, const struct sock_filter *ops, unsigned count)
{
	mnl_attr_put_u16(m, TCA_BPF_OPS_LEN, (uint16_t)count);
	mnl_attr_put(m, TCA_BPF_OPS, count * sizeof(*ops), ops);
}

static void put_filter(struct nl *nl, const struct traffic_setup *setup)
{
	struct nlmsghdr *m = filter_message(nl, NL_FILTER, RTM_NEWTFILTER, setup,
					    FILTER_PREFERENCE);
	struct nlattr *options = mnl_attr_nest_start(m, TCA_OPTIONS);
	struct program program;

	filter_write(&program, setup->guest, &setup->traffic->ip);
	put_ops(m, program.ops, program.count);
	mnl_attr_put_u32(m, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(m, options);
	nl_message_end(nl, m);
}

static void put_policing(struct nl *nl, const struct traffic_setup *setup)
{
	static const struct sock_filter any = { BPF_RET, 0, 0, UINT32_MAX };
	static const uint8_t unread[TC_RTAB_SIZE];
	const struct rate *rate = policed(setup);
	struct tc_police parameters = {
		.action = TC_ACT_SHOT,
		.burst = ticks_of(rate),
		.mtu = BURST_LEAST, /* 0 means 2 KiB */
		.rate = ratespec_of(rate),
	};
	struct nlmsghdr *m = filter_message(nl, NL_POLICE, RTM_NEWTFILTER, setup,
					    POLICE_PREFERENCE);
	struct nlattr *nest[4];

	nest[0] = mnl_attr_nest_start(m, TCA_OPTIONS);
	put_ops(m, &any, 1);
	nest[1] = mnl_attr_nest_start(m, TCA_BPF_ACT);
	nest[2] = mnl_attr_nest_start(m, 1); /* the first action */
	mnl_attr_put_strz(m, TCA_ACT_KIND, "police");
	nest[3] = mnl_attr_nest_start(m, TCA_ACT_OPTIONS);
	mnl_attr_put(m, TCA_POLICE_TBF, sizeof(parameters), &parameters);
	mnl_attr_put(m, TCA_POLICE_RATE, sizeof(unread), unread);
	if (rate->bytes >= UINT32_MAX)
		mnl_attr_put_u64(m, TCA_POLICE_RATE64, rate->bytes);
	for (unsigned i = 4; i-- > 0;)
		mnl_attr_nest_end(m, nest[i]);
	nl_message_end(nl, m);
}

/* --- all of it --- */

void traffic_put_again(struct nl *nl, int ifindex, bool is_macvtap, const uint8_t *guest,
		       const struct traffic *traffic)
{
	const struct traffic_setup setup = { ifindex, is_macvtap, guest, traffic };

	if (!traffic)
		return;
	if (shaped(&setup)->bytes)
		put_shaping(nl, ifindex, shaped(&setup));
	if (traffic->ip.count || policed(&setup)->bytes)
		put_clsact(nl, ifindex);
	if (traffic->ip.count)
		put_filter(nl, &setup);
	if (policed(&setup)->bytes)
		put_policing(nl, &setup);
}

void traffic_put(struct nl *nl, int ifindex, bool is_macvtap, const uint8_t guest[static MAC_LEN],
		 const struct traffic *traffic)
{
	const struct traffic_setup setup = { ifindex, is_macvtap, guest, traffic };

	if (!traffic || !shaped(&setup)->bytes)
		put_none(nl, ifindex);
	traffic_put_again(nl, ifindex, is_macvtap, guest, traffic);
}

/* --- read back --- */

/* The options of a queueing discipline or filter of @kind, by their number; or -ENOENT. */
static int read_options(const struct nlmsghdr *m, const char *kind, const struct nlattr **options,
			uint16_t max, const struct nlattr **statistics)
{
	const struct nlattr *tb[TCA_MAX + 1];

	nl_parse(m, sizeof(struct tcmsg), tb, TCA_MAX);
	if (!tb[TCA_KIND] || mnl_attr_validate(tb[TCA_KIND], MNL_TYPE_NUL_STRING) < 0 ||
	    strcmp(mnl_attr_get_str(tb[TCA_KIND]), kind) != 0)
		return -ENOENT;
	nl_parse_nested(tb[TCA_OPTIONS], options, max);
	if (statistics)
		*statistics = tb[TCA_STATS2];
	return 0;
}

static uint64_t drops_of(const struct nlattr *statistics)
{
	const struct nlattr *tb[TCA_STATS_MAX + 1];
	struct gnet_stats_queue queue = { .drops = 0 };

	nl_parse_nested(statistics, tb, TCA_STATS_MAX);
	if (tb[TCA_STATS_QUEUE] && mnl_attr_get_payload_len(tb[TCA_STATS_QUEUE]) >= sizeof(queue))
		memcpy(&queue, mnl_attr_get_payload(tb[TCA_STATS_QUEUE]), sizeof(queue));
	return queue.drops;
}

static bool read_rate(const struct rate *want, const struct tc_ratespec *rate,
		      const struct nlattr *rate64, uint32_t ticks)
{
	uint32_t wanted = ticks_of(want), tolerance = wanted / 256 + 1;
	uint64_t bytes = rate->rate;

	if (rate64)
		nl_attr_number(rate64, sizeof(bytes), &bytes);
	/* The kernel rounds. */
	return bytes == want->bytes && ticks + tolerance >= wanted && ticks <= wanted + tolerance;
}

struct reading {
	const struct traffic_setup *setup;
	const struct rate *rate;
	struct program program;
	bool is_so;
	uint64_t drops;
};

static int read_shaping(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *tb[TCA_TBF_MAX + 1];
	struct reading *reading = data;
	struct tc_tbf_qopt is;

	if (read_options(m, "tbf", tb, TCA_TBF_MAX, NULL) == 0 &&
	    nl_attr_number(tb[TCA_TBF_PARMS], sizeof(is), &is))
		reading->is_so = read_rate(reading->rate, &is.rate, tb[TCA_TBF_RATE64], is.buffer);
	return 0;
}

static int read_clsact(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *tb[1], *statistics;
	struct reading *reading = data;

	if (read_options(m, "clsact", tb, 0, &statistics) == 0)
		reading->drops = drops_of(statistics);
	return 0;
}

static int read_filter(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *tb[TCA_BPF_MAX + 1], *ops;
	struct reading *reading = data;
	size_t size;

	filter_write(&reading->program, reading->setup->guest, &reading->setup->traffic->ip);
	size = reading->program.count * sizeof(*reading->program.ops);
	if (read_options(m, "bpf", tb, TCA_BPF_MAX, NULL) < 0)
		return 0;
	ops = tb[TCA_BPF_OPS];
	reading->is_so = ops && mnl_attr_get_payload_len(ops) == size &&
			 memcmp(mnl_attr_get_payload(ops), reading->program.ops, size) == 0 &&
			 nl_attr_u32(tb[TCA_BPF_FLAGS]) & TCA_BPF_FLAG_ACT_DIRECT;
	return 0;
}

static int read_policing(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *tb[TCA_BPF_MAX + 1], *list[2], *action[TCA_ACT_MAX + 1],
		*police[TCA_POLICE_MAX + 1];
	struct reading *reading = data;
	struct tc_police is;

	if (read_options(m, "bpf", tb, TCA_BPF_MAX, NULL) < 0)
		return 0;
	nl_parse_nested(tb[TCA_BPF_ACT], list, 1);
	nl_parse_nested(list[1], action, TCA_ACT_MAX);
	nl_parse_nested(action[TCA_ACT_OPTIONS], police, TCA_POLICE_MAX);
	if (!nl_attr_number(police[TCA_POLICE_TBF], sizeof(is), &is))
		return 0;
	reading->is_so = is.action == TC_ACT_SHOT &&
			 read_rate(reading->rate, &is.rate, police[TCA_POLICE_RATE64], is.burst);
	reading->drops = drops_of(action[TCA_ACT_STATS]);
	return 0;
}

/* Send a request and read its answer. What is not there is not an error. */
static int ask(struct nl *nl, nl_reply_fn *reply, struct reading *reading, bool *is_so)
{
	struct nl_result result;

	reading->is_so = false;
	result = nl_commit(nl, reply, reading);
	*is_so = reading->is_so;
	return result.err == -ENOENT || result.err == -EINVAL ? 0 : result.err;
}

static int ask_qdisc(struct nl *nl, uint32_t parent, nl_reply_fn *reply, struct reading *reading,
		     bool *is_so)
{
	nl_begin(nl);
	/* The kernel answers as it notifies: only with an echo to who asks. */
	nl_message_end(nl, qdisc_message(nl, NL_READ, RTM_GETQDISC, NLM_F_ECHO,
					 reading->setup->ifindex, parent));
	return ask(nl, reply, reading, is_so);
}

static int ask_filter(struct nl *nl, uint32_t preference, nl_reply_fn *reply,
		      struct reading *reading, bool *is_so)
{
	nl_begin(nl);
	nl_message_end(nl, filter_message(nl, NL_READ, RTM_GETTFILTER, reading->setup, preference));
	return ask(nl, reply, reading, is_so);
}

int traffic_read(struct nl *nl, struct traffic_state *state, int ifindex, bool is_macvtap,
		 const uint8_t guest[static MAC_LEN], const struct traffic *traffic)
{
	const struct traffic_setup setup = { ifindex, is_macvtap, guest, traffic };
	struct reading reading = { .setup = &setup };
	bool shapes = true, polices = true;
	int err = 0;

	*state = (struct traffic_state){ .filters = true };
	if (traffic->ip.count)
		err = ask_filter(nl, FILTER_PREFERENCE, read_filter, &reading, &state->filters);
	reading.rate = shaped(&setup);
	if (!err && reading.rate->bytes)
		err = ask_qdisc(nl, TC_H_ROOT, read_shaping, &reading, &shapes);
	reading.rate = policed(&setup);
	if (!err && reading.rate->bytes)
		err = ask_filter(nl, POLICE_PREFERENCE, read_policing, &reading, &polices);
	state->limits_in = is_macvtap ? polices : shapes;
	state->limits_out = is_macvtap ? shapes : polices;
	state->dropped = reading.drops;
	state->known = !err;
	return err;
}

int traffic_count_drops(struct nl *nl, int ifindex, const struct traffic_state *state,
			uint64_t *filtered)
{
	const struct traffic_setup setup = { .ifindex = ifindex };
	struct reading reading = { .setup = &setup };
	bool ignored;
	int err = ask_qdisc(nl, TC_H_CLSACT, read_clsact, &reading, &ignored);

	/* Frames went on being dropped meanwhile. */
	*filtered = reading.drops > state->dropped ? reading.drops - state->dropped : 0;
	return err;
}

struct filter_dump {
	filter_counts_fn *each;
	void *data;
};

static int dump_filters(const struct nlmsghdr *m, void *data)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(m);
	const struct nlattr *tb[TCA_STATS2 + 1], *stats[TCA_STATS_QUEUE + 1];
	const struct filter_dump *dump = data;
	struct filter_counts counts;
	struct gnet_stats_basic basic = { .packets = 0 };
	struct gnet_stats_queue queue = { .drops = 0 };
	const char *kind;

	/* Every link has some queueing discipline: look no further than at its kind. */
	if (m->nlmsg_type != RTM_NEWQDISC || m->nlmsg_len < mnl_nlmsg_size(sizeof(*tc)) ||
	    tc->tcm_parent != TC_H_INGRESS)
		return 0;
	nl_parse(m, sizeof(*tc), tb, TCA_STATS2);
	if (!tb[TCA_KIND] || mnl_attr_validate(tb[TCA_KIND], MNL_TYPE_NUL_STRING) < 0)
		return 0;
	kind = mnl_attr_get_str(tb[TCA_KIND]);
	if (strcmp(kind, "clsact") != 0 && strcmp(kind, "ingress") != 0)
		return 0;
	nl_parse_nested(tb[TCA_STATS2], stats, TCA_STATS_QUEUE);
	/* The kernel may leave out the padding at the end. */
	if (stats[TCA_STATS_BASIC] && mnl_attr_get_payload_len(stats[TCA_STATS_BASIC]) >= 12)
		memcpy(&basic, mnl_attr_get_payload(stats[TCA_STATS_BASIC]), 12);
	nl_attr_number(stats[TCA_STATS_QUEUE], sizeof(queue), &queue);
	counts = (struct filter_counts){ tc->tcm_ifindex, basic.packets, queue.drops };
	return dump->each(&counts, dump->data);
}

int qdisc_dump_filters(struct nl *nl, filter_counts_fn *each, void *data)
{
	struct tcmsg tc = { .tcm_family = AF_UNSPEC };
	struct filter_dump dump = { .each = each, .data = data };

	return nl_dump_plain(nl, RTM_GETQDISC, sizeof(tc), &tc, dump_filters, &dump);
}

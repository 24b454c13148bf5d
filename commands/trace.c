/* SPDX-License-Identifier: MIT */
/*
 * tapctl trace: follow a guest's frames hop by hop, and tell where they end.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/signalfd.h>

#include "commands/command.h"
#include "inspect/check.h"
#include "inspect/hops.h"
#include "inspect/inventory.h"
#include "inspect/verdict.h"
#include "lib/json.h"
#include "lib/report.h"

#define SECONDS 5
#define REDRAW 500 /* ms */

static const char *const kind_keys[KINDS] = { "arp", "dhcp", "ipv4", "ipv6_neighbours", "other" };
static const char *const way_keys[WAYS] = { "from_guest", "to_guest" };

/* The finding of check's that explains a verdict. */
struct explanation {
	const struct trace *trace;
	const struct verdict *verdict;
	bool filtered; /* --ip has taken frames meanwhile */
	bool found;
	enum severity severity;
	char name[IFNAMSIZ], id[32], problem[256], remedy[512];
};

/* --- the table --- */

static void print_counts(const unsigned *counts)
{
	for (size_t k = 0; k < KINDS; k++)
		if (counts[k])
			printf(" %5u", counts[k]);
		else
			fputs("     -", stdout);
}

/* How many lines it has. */
static unsigned print_table(const struct trace *trace)
{
	puts("                from the guest                 to the guest\n"
	     "                   ARP  DHCP  IPv4   ND6 other   ARP  DHCP  IPv4   ND6 other");
	for (size_t i = 0; i < trace->count; i++) {
		const struct hop *hop = &trace->hops[i];

		plain_string(stdout, hop->name);
		printf("%*s", 16 - (int)strlen(hop->name), "");
		print_counts(hop->counts.all[FROM_GUEST]);
		print_counts(hop->counts.all[TO_GUEST]);
		putchar('\n');
	}
	return 2 + (unsigned)trace->count;
}

/* On a terminal the table grows in its place. */
static void redraw(const struct trace *trace, unsigned *lines)
{
	if (*lines)
		printf("\033[%uA", *lines);
	*lines = print_table(trace);
	fflush(stdout);
}

/* --- listen --- */

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Ctrl-C ends it early: as a descriptor, it cannot come at a bad moment. */
static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? report_error(-errno, "cannot wait for signals: %s", strerror(errno)) : fd;
}

static int listen_to(struct trace *trace, struct nl *nl, int signals, unsigned seconds, bool draw)
{
	long now = milliseconds(), end = now + (long)seconds * 1000, next_draw = now;
	unsigned lines = 0;
	int err = 0, stop = 0;

	while (!err && !stop && now < end) {
		stop = hops_wait(trace, signals,
				 (int)(draw && next_draw < end ? next_draw - now : end - now));
		err = stop < 0 ? stop : 0;
		if (!err)
			err = hops_read(trace, nl);
		now = milliseconds();
		if (draw && now >= next_draw) {
			redraw(trace, &lines);
			next_draw = now + REDRAW;
		}
	}
	if (!err)
		err = hops_read(trace, nl);
	hops_ask_missed(trace);
	if (!err && draw)
		redraw(trace, &lines);
	return err;
}

/* --- the end --- */

/* What check says of a device explains it when that is on the way as far as frames got. */
static void keep_explanation(const struct finding *finding, void *data)
{
	static const char *const warnings[] = {
		"isolated-all",	   "no-allmulti",    "stp-delay",	   "vlan-no-pvid",
		"bridge-nf-drops", "no-forwarding",  "firewall-drops",	   "forward-drops",
		"tc-drops",	   "host-apart",     "vepa-no-reflection", "no-holder",
		"wrong-source",	   "guest-elsewhere"
	};
	struct explanation *e = data;
	bool explains = finding->severity == ERROR;

	for (size_t i = 0; i < sizeof(warnings) / sizeof(*warnings); i++)
		explains |= strcmp(finding->id, warnings[i]) == 0;
	if (e->filtered && e->verdict->at_filter)
		explains |= strcmp(finding->id, "source-dropped") == 0;
	if (e->verdict->reach == HOP_DEVICE && strcmp(finding->name, e->trace->hops[0].name) != 0)
		explains = false;
	if (!explains || (e->found && e->severity >= finding->severity))
		return;
	e->found = true;
	e->severity = finding->severity;
	snprintf(e->name, sizeof(e->name), "%s", finding->name);
	snprintf(e->id, sizeof(e->id), "%s", finding->id);
	snprintf(e->problem, sizeof(e->problem), "%s", finding->problem);
	snprintf(e->remedy, sizeof(e->remedy), "%s", finding->remedy);
}

static void print_line(const char *text)
{
	plain_string(stdout, text);
	putchar('\n');
}

static void print_verdict(const struct verdict *verdict, const struct explanation *e)
{
	print_line(verdict->where);
	if (verdict->dropped)
		print_line(verdict->drop);
	if (e->found) {
		plain_string(stdout, e->name);
		fputs(": ", stdout);
		print_line(e->problem);
	}
	print_line(e->found ? e->remedy : verdict->remedy);
}

static void print_missed(const struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->hops[i].missed)
			printf("%s: %u frames came too fast and were not counted\n",
			       trace->hops[i].name, trace->hops[i].missed);
	if (trace->left_out)
		printf("%zu more ports of the bridge were not listened to\n", trace->left_out);
}

static void print_json_hop(const struct hop *hop)
{
	static const char *const roles[HOP_ROLES] = { "device", "bridge", "uplink", "below" };

	fputs("{\"name\":", stdout);
	json_string(stdout, hop->name);
	printf(",\"role\":\"%s\"", roles[hop->role]);
	for (size_t way = 0; way < WAYS; way++) {
		printf(",\"%s\":{", way_keys[way]);
		for (size_t k = 0; k < KINDS; k++)
			printf("%s\"%s\":%u", k ? "," : "", kind_keys[k], hop->counts.all[way][k]);
		putchar('}');
	}
	printf(",\"missed\":%u}", hop->missed);
}

static void print_json(const struct trace *trace, const struct verdict *verdict,
		       const struct explanation *e)
{
	const struct dropped *dropped = verdict->dropped;
	char guest[MAC_STRLEN];

	fputs("{\"name\":", stdout);
	json_string(stdout, trace->hops[0].name);
	json_member(stdout, "guest_mac", mac_format(guest, trace->guest));
	json_member(stdout, "verdict", verdict->id);
	json_member_bool(stdout, "flows", verdict->flows);
	json_member(stdout, "where", verdict->where);
	json_member(stdout, "drop_function", dropped ? dropped->function : NULL);
	json_member(stdout, "drop_reason", dropped && dropped->reason[0] ? dropped->reason : NULL);
	json_member(stdout, "finding", e->found ? e->id : NULL);
	json_member(stdout, "problem", e->found ? e->problem : NULL);
	json_member(stdout, "remedy", e->found ? e->remedy : verdict->remedy);
	json_member_number(stdout, "ports_left_out", true, (unsigned)trace->left_out);
	fputs(",\"hops\":[", stdout);
	for (size_t i = 0; i < trace->count; i++) {
		fputs(i ? ",\n" : "\n", stdout);
		print_json_hop(&trace->hops[i]);
	}
	puts("]}");
}

/* @filtered: how many frames the filter had dropped before. */
static int finish(struct nl *nl, const struct trace *trace, struct selection *selection,
		  uint64_t filtered, bool json)
{
	struct verdict verdict;
	struct explanation explanation = {
		.trace = trace,
		.verdict = &verdict,
		.filtered = inventory_count_filtered(nl, &selection->links[0]) > filtered,
	};
	int err = 0;

	verdict_find(trace, &verdict);
	if (!verdict.flows)
		err = hops_check(trace, nl);
	if (!err && !verdict.flows && !verdict.certain)
		err = check_devices(nl, selection, false, keep_explanation, &explanation);
	if (err)
		return err;
	if (json) {
		print_json(trace, &verdict, &explanation);
	} else {
		print_missed(trace);
		print_verdict(&verdict, &explanation);
	}
	err = command_flush_output();
	if (err)
		return err;
	return verdict.flows ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The one tap or macvtap that the word means. */
static int check_selection(const struct selection *selection, const char *word)
{
	if (selection->count > 1)
		return report_error(-EINVAL, "%s: %s and %s are both for this guest\nname one",
				    word, selection->links[0].name, selection->links[1].name);
	if (!link_is_tap(&selection->links[0]))
		return report_error(-EOPNOTSUPP,
				    "%s: is not a tap or macvtap\ntapctl list --all shows those",
				    word);
	return 0;
}

static int run_trace(struct run *run)
{
	unsigned seconds = run->options.seconds ? run->options.seconds : SECONDS;
	bool draw = !run->options.json && isatty(STDOUT_FILENO);
	struct selection selection = { .count = 0 };
	struct trace trace = { .count = 0 };
	int signals = -1, err = select_words(run->nl, &selection, run->words);
	uint64_t filtered = 0;

	if (!err)
		err = check_selection(&selection, run->words[0]);
	if (!err)
		err = hops_open(&trace, run->nl, &selection.links[0]);
	if (!err) {
		filtered = inventory_count_filtered(run->nl, &selection.links[0]);
		signals = open_signals();
		err = signals < 0 ? signals : 0;
	}
	if (!err)
		err = listen_to(&trace, run->nl, signals, seconds, draw);
	if (!err && !draw && !run->options.json)
		print_table(&trace);
	if (!err)
		err = finish(run->nl, &trace, &selection, filtered, run->options.json);
	hops_close(&trace);
	if (signals >= 0)
		close(signals);
	free(selection.links);
	return err;
}

const struct command command_trace = {
	.name = "trace",
	.words = "NAME|MAC",
	.summary = "follow a guest's frames hop by hop",
	.options = FOR_TRACE,
	.min_words = 1,
	.max_words = 1,
	.wants_netlink = true,
	.run = run_trace,
};

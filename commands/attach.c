/* SPDX-License-Identifier: MIT */
/*
 * tapctl attach: put devices back to what their records say, while their guests run on.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "inspect/difference.h"
#include "inspect/select.h"
#include "lib/array.h"
#include "lib/json.h"
#include "lib/report.h"
#include "nic/plug.h"
#include "nic/restore.h"

/* A device that is asked for. */
struct target {
	struct link link;
	struct record record;
	struct port_state port;
	bool is_named;
};

struct attach {
	struct nl *nl;
	const struct options *options;
	struct target *targets;
	size_t count;
	struct link parent,
		master; /* that were looked up last: devices of a bridge come together */
	struct link bridge; /* of --bridge */
	struct ovs *ovs; /* where a device is on Open vSwitch */
	struct ovs_ports rows;
	size_t mended; /* what was told of that */
	size_t left; /* devices that are not right */
};

static int keep_target(struct attach *attach, const struct link *link, bool is_named)
{
	struct target target = { .link = *link, .is_named = is_named };
	struct target *targets;

	for (size_t i = 0; i < attach->count; i++) {
		if (attach->targets[i].link.ifindex != link->ifindex)
			continue;
		attach->targets[i].is_named |= is_named;
		return 0;
	}
	if (!record_read(&target.record, link))
		return -ENOENT;
	targets = array_grow(attach->targets, attach->count, sizeof(*targets));
	if (!targets)
		return report_error(-ENOMEM, "out of memory");
	attach->targets = targets;
	attach->targets[attach->count++] = target;
	return 0;
}

/* --- which devices: without words, of a bridge, or named --- */

struct missing {
	struct attach *attach;
	const char *bridge; /* NULL: of any */
	int ifindex; /* of that bridge */
	bool is_known; /* some record names it */
};

/* Taps that are not on the bridge that they were made for, or may not be: of Open vSwitch only its
 * database tells. */
static int keep_missing(const struct link *link, void *data)
{
	struct missing *missing = data;
	const char *wanted;
	struct record record;
	int err;

	if (!link_is_tap(link) || !record_read(&record, link))
		return 0;
	wanted = record.ovs[0] ? record.ovs : record.parent;
	if (!wanted[0] || (missing->bridge && strcmp(wanted, missing->bridge) != 0))
		return 0;
	missing->is_known = true;
	if (link->master && link->master == missing->ifindex)
		return 0;
	err = keep_target(missing->attach, link, false);
	return err == -ENOENT ? 0 : err;
}

static int find_missing(struct attach *attach, struct missing *missing)
{
	int err = nl_link_dump(attach->nl, LINK_TUN, keep_missing, missing);

	if (err < 0 && !report_line()[0])
		return report_error(err, "cannot list the taps: %s", nl_strerror(err));
	return err < 0 ? err : 0;
}

/* A bridge, or a name that is no link's any more, yet in a record: hooks may come late. */
static int find_of_bridge(struct attach *attach, const char *name, const struct link *bridge,
			  bool *is_known)
{
	struct missing missing = { .attach = attach, .bridge = name };
	size_t count = attach->count;
	int err;

	if (bridge)
		missing.ifindex = bridge->ifindex;
	err = find_missing(attach, &missing);
	*is_known = missing.is_known;
	/* What is not there cannot be joined. */
	if (!bridge)
		attach->count = count;
	return err;
}

static int keep_selected(struct attach *attach, const struct link *link)
{
	bool is_known = link->kind == LINK_BRIDGE;
	int err = is_known ? -ENOENT : keep_target(attach, link, true);

	if (err != -ENOENT)
		return err;
	if (is_known && attach->options->bridge[0])
		return report_error(-EOPNOTSUPP,
				    "%s: --bridge: is a bridge, and taps are moved by their names\n"
				    "tapctl list %s shows their names",
				    link->name, link->name);
	/* A bridge of Open vSwitch has a device of its own name. */
	err = find_of_bridge(attach, link->name, link, &is_known);
	if (!err && !is_known && link->kind != LINK_BRIDGE)
		return report_error(
			-ENOENT,
			"%s: is a %s that tapctl did not make: nothing says how it should be",
			link->name, link_kind_word(link));
	return err;
}

static int find_word(struct attach *attach, const char *word)
{
	const char *words[] = { word, NULL };
	struct selection selection = { .count = 0 };
	bool is_known = false;
	int err = select_words(attach->nl, &selection, words);

	if (err == -ENODEV && !attach->options->bridge[0] &&
	    find_of_bridge(attach, word, NULL, &is_known) == 0 && is_known) {
		report_forget();
		err = 0;
	}
	for (size_t i = 0; i < selection.count && !err; i++)
		err = keep_selected(attach, &selection.links[i]);
	free(selection.links);
	return err;
}

static int find_targets(struct attach *attach, const char **words)
{
	struct missing all = { .attach = attach };
	int err = 0;

	if (!words[0])
		return find_missing(attach, &all);
	for (; *words && !err; words++)
		err = find_word(attach, *words);
	return err;
}

/* --- what else there is to know of them --- */

static int keep_vlan(const struct port_vlan *vlan, void *data)
{
	const struct attach *attach = data;

	for (size_t i = 0; i < attach->count; i++)
		if (attach->targets[i].link.ifindex == vlan->ifindex)
			compare_vlan(&attach->targets[i].port, &attach->targets[i].record, vlan);
	return 0;
}

static int read_entry(struct attach *attach, struct target *target)
{
	int port = 0, err = 0;

	if (target->record.policy.locked && target->link.port.of_bridge)
		err = bridge_find_port(attach->nl, target->link.master, target->record.guest,
				       &port);
	if (err && err != -ENOENT)
		return report_error(err, "%s: cannot look for its guest's address: %s",
				    target->link.name, nl_strerror(err));
	target->port.has_entry = port == target->link.ifindex;
	return 0;
}

/* A hook, which names none, comes also before Open vSwitch is there. */
static int read_rows(struct attach *attach)
{
	bool wanted = false, is_named = false;
	int err;

	for (size_t i = 0; i < attach->count; i++) {
		const struct target *target = &attach->targets[i];

		wanted |= target->record.ovs[0];
		is_named |= target->record.ovs[0] && target->is_named;
	}
	if (!wanted)
		return 0;
	err = ovs_open(&attach->ovs);
	if (!is_named && (err == -ENOENT || err == -ECONNREFUSED)) {
		report_forget();
		return 0;
	}
	return err ? err : ovs_read_ports(attach->ovs, "", &attach->rows);
}

/* Only of those that are named: the others are on no bridge. */
static int read_ports(struct attach *attach)
{
	bool wants_vlans = false;
	int err = 0;

	for (size_t i = 0; i < attach->count && !err; i++) {
		struct target *target = &attach->targets[i];

		target->port.known = true;
		wants_vlans |= target->is_named && target->record.policy.vlan_count;
		if (target->is_named)
			err = read_entry(attach, target);
	}
	if (err || !wants_vlans)
		return err;
	err = bridge_dump_vlans(attach->nl, keep_vlan, attach);
	return err < 0 ? report_error(err, "cannot read the VLANs: %s", nl_strerror(err)) : 0;
}

static int read_traffic(struct attach *attach, struct compared *compared)
{
	int err = compare_read_traffic(attach->nl, compared);

	return err ? report_error(err, "%s: cannot read its filter and limits: %s",
				  compared->link->name, nl_strerror(err)) :
		     0;
}

/* @found becomes NULL when there is none of that name. */
static int find_parent(struct attach *attach, const char *name, const struct link **found)
{
	struct link *parent = &attach->parent;
	int err = 0;

	*found = NULL;
	if (!name[0])
		return 0;
	if (strcmp(parent->name, name) != 0)
		err = nl_link_get(attach->nl, name, 0, parent);
	if (err)
		parent->name[0] = '\0';
	if (err && err != -ENODEV)
		return report_error(err, "%s: cannot look it up: %s", name, nl_strerror(err));
	if (!err)
		*found = parent;
	return 0;
}

/* For its name alone. */
static const struct link *find_master(struct attach *attach, int ifindex)
{
	struct link *master = &attach->master;

	if (!ifindex)
		return NULL;
	if (master->ifindex != ifindex && nl_link_get(attach->nl, NULL, ifindex, master) < 0)
		master->ifindex = 0;
	return master->ifindex ? master : NULL;
}

/* --- one device --- */

static void tell_mended(struct attach *attach, const struct finding *finding)
{
	if (attach->options->json) {
		finding_print_json(stdout, finding, !attach->mended);
	} else {
		plain_string(stdout, finding->name);
		fputs(": mended: ", stdout);
		plain_string(stdout, finding->problem);
		putchar('\n');
	}
	attach->mended++;
}

static void tell_all(struct attach *attach, const struct compared *compared, unsigned differences)
{
	struct difference_texts texts;

	for (enum difference d = 0; d < DIFFERENCES; d++) {
		struct finding finding;

		if (!(differences & 1U << d))
			continue;
		finding = difference_finding(&texts, compared, d);
		tell_mended(attach, &finding);
	}
}

/* Somebody has taken it down, or elsewhere, who may have had a reason. */
static bool leaves_alone(struct attach *attach, const struct compared *compared)
{
	const char *is = compared->master ? compared->master->name : "another bridge";
	const struct record *record = compared->record;
	const char *name = compared->link->name;
	const char *wanted = record->ovs[0] ? record->ovs : record->parent;
	bool moved = compared->link->master;

	/* The kernel's datapath of Open vSwitch is a master, too. */
	if (record->ovs[0])
		moved = compared->row || compared->link->port.of_bridge;
	if (compared->row)
		is = compared->row->bridge;
	if (moved)
		report_tell(REPORT_WARNING,
			    "%s: it is on %s and was made for %s: it stays there until it is "
			    "named: tapctl attach %s",
			    name, is, wanted, name);
	else if (!(compared->link->flags & IFF_UP))
		report_tell(REPORT_WARNING,
			    "%s: it is down, and stays off %s until it is named: tapctl attach %s",
			    name, wanted, name);
	else
		return false;
	attach->left++;
	return true;
}

/* What cannot be mended here: a bridge that is not there, or does not filter. */
static int refuse_rest(const struct compared *compared, unsigned rest)
{
	bool no_bridge = rest & 1U << DIFFERS_PARENT;
	struct difference_texts texts;
	struct finding finding;

	finding = difference_finding(&texts, compared,
				     no_bridge ? DIFFERS_PARENT : DIFFERS_FILTERING);
	return report_failure(no_bridge ? "no-such-bridge" : "differs", -ENOENT, "%s: %s\n%s",
			      finding.name, finding.problem, finding.remedy);
}

#define OF_ROW (1U << DIFFERS_PARENT | 1U << DIFFERS_VLANS | 1U << DIFFERS_IFACE_ID)

static int mend(struct attach *attach, const struct target *target)
{
	struct compared compared = {
		.link = &target->link,
		.record = &target->record,
		.master = find_master(attach, target->link.master),
		.port = target->port,
		.row_known = attach->ovs,
		.row = ovs_get_port(&attach->rows, target->link.name),
	};
	unsigned rest = 0, differences;
	int err = find_parent(attach, target->record.parent, &compared.parent);

	if (err)
		return err;
	record_tell_unknown(&target->record, &target->link);
	err = read_traffic(attach, &compared);
	if (err)
		return err;
	differences = record_compare(&compared);
	report_tell(REPORT_STEP, "%s: %s", target->link.name,
		    differences ? "is not as its record says" : "is as its record says");
	if (!differences)
		return 0;
	if (differences & 1U << DIFFERS_PARENT && target->record.parent[0] && !compared.parent)
		rest |= 1U << DIFFERS_PARENT;
	rest |= differences & 1U << DIFFERS_FILTERING;
	/* A hook is for what can be joined now. */
	if (!target->is_named && (rest || !(differences & 1U << DIFFERS_PARENT))) {
		report_tell(REPORT_STEP, "%s: is passed over: %s", target->link.name,
			    rest & 1U << DIFFERS_PARENT ? "its bridge is not there" :
							  "it is on its bridge, and is not named");
		return 0;
	}
	if (!target->is_named && leaves_alone(attach, &compared))
		return 0;
	differences &= ~rest;
	err = differences ? nic_restore(attach->nl, &compared, differences, false) : 0;
	if (!err && attach->ovs && target->record.ovs[0] && differences & OF_ROW)
		err = nic_replug(attach->ovs, &target->link, &target->record);
	if (!err)
		tell_all(attach, &compared, differences);
	return err || !rest ? err : refuse_rest(&compared, rest);
}

/* --bridge: there, with its record. */
static int move(struct attach *attach, const struct target *target)
{
	const char *name = target->link.name;
	struct record record = target->record;
	struct compared compared = {
		.link = &target->link,
		.record = &record,
		.parent = &attach->bridge,
		.master = find_master(attach, target->link.master),
		.port = target->port,
	};
	struct difference_texts texts;
	struct finding finding;
	unsigned differences;
	int err;

	if (record.ovs[0])
		return report_error(-EOPNOTSUPP,
				    "%s: --bridge: was made for %s of Open vSwitch\nmake it anew",
				    name, record.ovs);
	if (target->link.kind != LINK_TUN)
		return report_error(-EOPNOTSUPP, "%s: --bridge: is not a tap but a %s", name,
				    link_kind_word(&target->link));
	if (record.by == RECORD_OLD)
		return report_error(
			-EOPNOTSUPP,
			"%s: --bridge: an older tapctl made it, and its record does not "
			"say which protections it has\nmake it anew",
			name);
	memcpy(record.parent, attach->bridge.name, sizeof(record.parent));
	differences = record_compare(&compared);
	if (!differences && strcmp(record.parent, target->record.parent) == 0)
		return 0;
	err = nic_restore(attach->nl, &compared, differences, true);
	if (err)
		return err;
	finding = difference_finding(&texts, &compared, DIFFERS_PARENT);
	snprintf(texts.problem, sizeof(texts.problem), "it was on %s and was to be on %s",
		 compared.master ? compared.master->name : "no bridge", record.parent);
	tell_mended(attach, &finding);
	return 0;
}

/* One that fails keeps none from being mended. */
static void attach_targets(struct attach *attach)
{
	for (size_t i = 0; i < attach->count; i++) {
		const struct target *target = &attach->targets[i];
		int err = attach->options->bridge[0] ? move(attach, target) : mend(attach, target);

		if (!err)
			continue;
		/* A guest that ends meanwhile needs nothing. */
		if (link_disappeared(err) && !target->is_named) {
			report_forget();
			continue;
		}
		attach->left++;
		if (attach->count == 1)
			return;
		report_tell(REPORT_WARNING, "%s", report_line());
		report_forget();
	}
}

static int run_attach(struct run *run)
{
	struct attach attach = { .nl = run->nl, .options = &run->options };
	sigset_t signals;
	int err = 0;

	/* No guest stays off its bridge because nobody reads of those before it. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	sigaddset(&signals, SIGXFSZ);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (run->options.bridge[0] && !run->words[0]) {
		report_error(-EINVAL, "attach: --bridge moves the devices that are named\ngive "
				      "names or guest addresses");
		return EXIT_USAGE;
	}
	if (run->options.bridge[0])
		err = command_find_bridge(attach.nl, attach.options->bridge, &attach.bridge);
	if (!err)
		err = find_targets(&attach, run->words);
	if (!err)
		err = read_ports(&attach);
	if (!err)
		err = read_rows(&attach);
	if (!err)
		attach_targets(&attach);
	if (!err && run->options.json)
		puts(attach.mended ? "]" : "[]");
	if (!err && !report_line()[0])
		err = command_flush_output();
	free(attach.targets);
	free(attach.rows.list);
	ovs_close(attach.ovs);
	if (err)
		return err;
	return attach.left ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_attach = {
	.name = "attach",
	.words = "[NAME|MAC|BRIDGE...]",
	.summary = "put devices back to what their records say",
	.notes = "To change what a record says (--ip, --limit-in ...): del, and add again.\n",
	.options = FOR_ATTACH,
	.max_words = -1,
	.wants_netlink = true,
	.run = run_attach,
};

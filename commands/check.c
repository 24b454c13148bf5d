/* SPDX-License-Identifier: MIT */
/*
 * tapctl check: tell why guests do not get through.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands/command.h"
#include "inspect/check.h"
#include "inspect/inventory.h"
#include "inspect/select.h"
#include "lib/json.h"
#include "lib/report.h"

struct findings {
	bool json;
	bool notes; /* show them, too */
	size_t count;
	bool wrong; /* one of them is more than a note */
};

/* The finding first, and what to do on a line of its own. */
static void print_text(const struct finding *finding)
{
	plain_string(stdout, finding->name[0] ? finding->name : "tapctl check");
	printf(": %s: ", severity_name(finding->severity));
	plain_string(stdout, finding->problem);
	fputs("\n    ", stdout);
	plain_string(stdout, finding->remedy);
	putchar('\n');
}

static void print_finding(const struct finding *finding, void *data)
{
	struct findings *findings = data;

	/* One of no device tells what silence does not mean. */
	if (findings->json)
		finding_print_json(stdout, finding, !findings->count);
	else if (finding->severity > NOTE || findings->notes || !finding->name[0])
		print_text(finding);
	findings->wrong |= finding->severity > NOTE;
	findings->count++;
}

/* Settings do not tell everything: whoever asks about one device is told what else to try. */
static void suggest_trace(const char *name)
{
	plain_string(stdout, name);
	fputs(": nothing found; to see where its frames end: tapctl trace ", stdout);
	plain_string(stdout, name);
	putchar('\n');
}

static void print_others(const struct siblings *siblings)
{
	const struct inventory_link *parent = siblings->parent;
	size_t others = 0;

	for (size_t i = 0; i < siblings->count; i++)
		others += link_is_tap(&siblings->list[i].link);
	if (!others)
		return;
	plain_string(stdout, parent ? parent->link.name : "on no bridge");
	printf(": %zu tap%s or macvtap%s that tapctl did not make: tapctl %s", others,
	       others == 1 ? "" : "s", others == 1 ? "" : "s", parent ? "check " : "list --all");
	plain_string(stdout, parent ? parent->link.name : "");
	putchar('\n');
}

/* Where all devices are somebody else's, silence is not an all-clear. */
static int tell_others(struct nl *nl)
{
	struct siblings siblings = { .count = 0 };
	struct inventory inventory;
	int err = inventory_read(&inventory, nl);

	if (!err && !inventory.ours) {
		puts("no device of a guest that tapctl made is here");
		while (inventory_next(&inventory, &siblings))
			print_others(&siblings);
	}
	inventory_free(&inventory);
	return err;
}

static int run_check(struct run *run)
{
	struct selection selection = { .count = 0 };
	struct findings findings = { .json = run->options.json,
				     .notes = run->options.verbose || run->words[0] };
	int err = 0;

	if (run->words[0])
		err = select_words(run->nl, &selection, run->words);
	if (!err)
		err = check_devices(run->nl, run->words[0] ? &selection : NULL,
				    run->options.verbose, print_finding, &findings);
	if (!err && findings.json)
		puts(findings.count ? "]" : "[]");
	else if (!err && !findings.count && selection.count == 1 &&
		 link_is_tap(&selection.links[0]))
		suggest_trace(selection.links[0].name);
	if (!err && !findings.json && !run->words[0] &&
	    (run->options.verbose || isatty(STDOUT_FILENO)))
		err = tell_others(run->nl);
	if (!err)
		err = command_flush_output();
	free(selection.links);
	if (err)
		return err;
	return findings.wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_check = {
	.name = "check",
	.words = "[NAME|MAC|BRIDGE...]",
	.summary = "tell why guests do not get through",
	.options = FOR_CHECK,
	.max_words = -1,
	.wants_netlink = true,
	.unprivileged = true,
	.run = run_check,
};

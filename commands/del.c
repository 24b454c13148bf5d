/* SPDX-License-Identifier: MIT */
/*
 * tapctl del: remove devices.
 */
#include <errno.h>
#include <stdlib.h>

#include "commands/command.h"
#include "inspect/select.h"
#include "lib/report.h"
#include "nic/record.h"

static int check_deletable(const struct link *link, bool force)
{
	uint8_t guest[MAC_LEN];

	if (!link_is_tap(link) && link->kind != LINK_MACVLAN)
		return report_error(-EOPNOTSUPP,
				    "%s: is not a tap, macvtap or macvlan: tapctl does not "
				    "remove it",
				    link->name);
	if (!record_guest(guest, link) && !record_is_host(link) && !force)
		return report_error(-EPERM,
				    "%s: tapctl did not make it: --force removes it all the same",
				    link->name);
	return 0;
}

static int delete_links(struct nl *nl, const struct selection *selection)
{
	struct nl_result result = nl_links_delete(nl, selection->links, selection->count);
	const char *remedy = result.err == -EPERM ? ": run it with sudo" : "";

	if (result.err && selection->count == 1)
		return report_error(result.err, "%s: cannot remove it: %s%s",
				    selection->links[0].name, nl_result_text(&result), remedy);
	if (result.err)
		return report_error(result.err, "%s and %zu more: cannot remove them: %s%s",
				    selection->links[0].name, selection->count - 1,
				    nl_result_text(&result), remedy);
	for (size_t i = 0; i < selection->count; i++)
		report_tell(REPORT_STEP, "%s: removed", selection->links[i].name);
	return 0;
}

static int run_del(struct run *run)
{
	struct selection selection = { .count = 0 };
	int err;

	if (run->options.stale == (run->words[0] != NULL)) {
		report_error(-EINVAL, "del: give names or guest addresses, or --stale");
		return EXIT_USAGE;
	}
	err = run->options.stale ? select_stale(run->nl, &selection, run->options.force) :
				   select_words(run->nl, &selection, run->words);
	for (size_t i = 0; i < selection.count && !err; i++)
		err = check_deletable(&selection.links[i], run->options.force);
	if (!err)
		err = delete_links(run->nl, &selection);
	free(selection.links);
	return err;
}

const struct command command_del = {
	.name = "del",
	.words = "NAME|MAC...",
	.summary = "remove devices",
	.options = FOR_DEL,
	.max_words = -1,
	.wants_netlink = true,
	.run = run_del,
};

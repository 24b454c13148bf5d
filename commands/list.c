/* SPDX-License-Identifier: MIT */
/*
 * tapctl list: show devices.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands/command.h"
#include "inspect/select.h"
#include "inspect/show.h"
#include "inspect/tree.h"
#include "lib/report.h"
#include "nic/record.h"

struct list {
	struct show show;
	struct lookups lookups;
	bool all;
};

static void list_device(struct list *list, const struct link *link)
{
	struct device device;
	struct record record;

	if (record_read(&record, link))
		record_tell_unknown(&record, link);
	device_look_up(&list->lookups, link, &device);
	show_device(&list->show, &device);
}

static int list_link(const struct link *link, void *data)
{
	struct list *list = data;
	uint8_t guest[MAC_LEN];

	if ((link_is_tap(link) && (list->all || record_guest(guest, link))) || record_is_host(link))
		list_device(list, link);
	return ferror(list->show.out) ? -EIO : 0;
}

static int list_all(struct nl *nl, struct list *list)
{
	int err;

	show_begin(&list->show);
	/* Whether devices that come or go meanwhile are shown makes no difference. */
	err = nl_link_dump(nl, LINK_TUN, list_link, list);
	if (err >= 0)
		err = nl_link_dump(nl, LINK_MACVTAP, list_link, list);
	if (err >= 0)
		err = nl_link_dump(nl, LINK_MACVLAN, list_link, list);
	/* What cannot be written is for command_flush_output() to tell. */
	if (err < 0 && !ferror(list->show.out))
		return report_error(err, "cannot list the devices: %s", nl_strerror(err));
	return 0;
}

/* The devices that the words of the command line mean; a bridge or lower device stands for all on
 * it.
 */
static int list_words(struct nl *nl, struct list *list, const char **words)
{
	struct selection named = { .count = 0 }, selection = { .count = 0 };
	int err = select_words(nl, &named, words);

	for (size_t i = 0; i < named.count && !err; i++) {
		const struct link *link = &named.links[i];

		err = link_is_tap(link) || record_is_host(link) ? select_link(&selection, link) :
								  select_on(nl, &selection, link);
	}
	if (!err)
		show_begin(&list->show);
	for (size_t i = 0; i < selection.count && !err; i++)
		list_device(list, &selection.links[i]);
	free(named.links);
	free(selection.links);
	return err;
}

/* Fails when a look-up did: what was shown lacks something. */
static int end_list(struct list *list)
{
	int err = list->lookups.err;

	if (show_end(&list->show) < 0)
		return report_error(-ENOMEM, "out of memory");
	if (err)
		return report_error(err, "cannot look up what the devices are on: %s",
				    nl_strerror(err));
	return 0;
}

static int list_devices(struct run *run, struct list *list)
{
	int err = run->words[0] ? list_words(run->nl, list, run->words) : list_all(run->nl, list);

	if (!err)
		report_tell(REPORT_STEP, "devices read from the kernel: %zu", list->show.count);
	return err ? err : end_list(list);
}

/* Programs get all of it, or nothing and an error. */
static int list_json(struct run *run, struct list *list)
{
	char *text = NULL;
	size_t size;
	int err;

	list->show.out = open_memstream(&text, &size);
	if (!list->show.out)
		return report_error(-ENOMEM, "out of memory");
	err = list_devices(run, list);
	if (fclose(list->show.out) != 0 && !err)
		err = report_error(-ENOMEM, "out of memory");
	if (!err)
		fwrite(text, 1, size, stdout);
	free(text);
	return err;
}

static int draw_tree(struct run *run)
{
	struct selection selection = { .count = 0 };
	int err = select_words(run->nl, &selection, run->words);

	if (!err)
		err = tree_draw(stdout, run->nl, run->words[0] ? &selection : NULL,
				run->options.all, command_wants_colour());
	free(selection.links);
	return err ? err : command_flush_output();
}

static int run_list(struct run *run)
{
	const struct options *options = &run->options;
	struct list list = {
		.show = { .out = stdout,
			  .json = options->json,
			  .colour = command_wants_colour(),
			  .holders = options->holders ? &list.lookups.holders : NULL },
		.lookups = { .whole = options->json || options->holders },
		.all = options->all,
	};
	/* A socket in the middle of a dump takes no other request. */
	int err;

	if (options->tree && options->json) {
		report_error(-EINVAL, "--tree: is for people, and --json for programs\ngive one");
		return EXIT_USAGE;
	}
	if (options->tree)
		return draw_tree(run);
	err = nl_open(&list.lookups.nl);
	if (err)
		return report_error(err, "cannot open a netlink socket: %s", nl_strerror(err));
	if (options->holders)
		err = lookups_read_holders(&list.lookups);
	if (!err)
		err = options->json ? list_json(run, &list) : list_devices(run, &list);
	if (!err)
		err = command_flush_output();
	lookups_free(&list.lookups);
	nl_close(list.lookups.nl);
	return err;
}

const struct command command_list = {
	.name = "list",
	.words = "[NAME|MAC|BRIDGE...]",
	.summary = "show devices",
	.options = FOR_LIST,
	.max_words = -1,
	.wants_netlink = true,
	.unprivileged = true,
	.run = run_list,
};

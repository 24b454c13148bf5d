/* SPDX-License-Identifier: MIT */
/*
 * tapctl complete: what the last word of a command line may become, for the completion of shells
 * (dist/tapctl.bash, dist/_tapctl). One word a line, and nothing where it has no idea.
 */
#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/values.h"
#include "nic/record.h"

struct completion {
	char before[64]; /* of the last word: what stays, as "--bridge=" */
	const char *begun; /* the rest of it */
	struct nl *nl;
};

static void offer(const struct completion *completion, const char *word)
{
	if (strncmp(word, completion->begun, strlen(completion->begun)) == 0 && !strchr(word, '\n'))
		printf("%s%s\n", completion->before, word);
}

static void offer_all(const struct completion *completion, const char *const words[])
{
	for (; *words; words++)
		offer(completion, *words);
}

/* --- links --- */

static int offer_link(const struct link *link, void *data)
{
	offer(data, link->name);
	return 0;
}

static int offer_lower(const struct link *link, void *data)
{
	if (link->ethernet && !link->port.of_bridge && !(link->flags & IFF_LOOPBACK) &&
	    (link->kind == LINK_OTHER || link->kind == LINK_MACVLAN) && !record_is_host(link))
		offer(data, link->name);
	return 0;
}

/* By its name or, where an address was begun, by its guest's. */
static int offer_device(const struct link *link, void *data)
{
	const struct completion *completion = data;
	char text[MAC_STRLEN];
	uint8_t guest[MAC_LEN];

	if (record_is_host(link))
		offer(completion, link->name);
	if (!record_guest(guest, link))
		return 0;
	offer(completion, strchr(completion->begun, ':') ? mac_format(text, guest) : link->name);
	return 0;
}

static void offer_links(struct completion *completion, enum link_kind kind, nl_link_fn *each)
{
	if (completion->nl)
		nl_link_dump(completion->nl, kind, each, completion);
}

/* --- values of options --- */

static void offer_users(const struct completion *completion)
{
	const struct passwd *user;

	setpwent();
	while ((user = getpwent()))
		offer(completion, user->pw_name);
	endpwent();
}

static void offer_groups(const struct completion *completion)
{
	const struct group *group;

	setgrent();
	while ((group = getgrent()))
		offer(completion, group->gr_name);
	endgrent();
}

static void offer_namespaces(const struct completion *completion)
{
	DIR *names = opendir("/run/netns");
	const struct dirent *entry;

	while (names && (entry = readdir(names)))
		if (entry->d_name[0] != '.')
			offer(completion, entry->d_name);
	if (names)
		closedir(names);
}

static void offer_value(struct completion *completion, const struct option_rule *rule)
{
	static const char *const modes[] = { "bridge", "vepa", "private", "passthru", NULL };
	static const char *const vhost[] = { "on", "auto", NULL };

	if (rule->read == value_bridge || (rule->read == value_parent && rule->min == NIC_BRIDGED))
		offer_links(completion, LINK_BRIDGE, offer_link);
	else if (rule->read == value_parent && rule->min == NIC_MACVTAP)
		offer_links(completion, LINK_OTHER, offer_lower);
	else if (rule->read == value_mac)
		offer(completion, "random");
	else if (rule->read == value_mode)
		offer_all(completion, modes);
	else if (rule->read == value_vhost)
		offer_all(completion, vhost);
	else if (rule->read == value_owner || rule->read == value_user)
		offer_users(completion);
	else if (rule->read == value_group)
		offer_groups(completion);
	else if (rule->read == value_text)
		offer_namespaces(completion);
}

/* --- words --- */

static void offer_options(const struct completion *completion, const struct command *command)
{
	const struct option_rule *rule = NULL;
	char text[64];

	while ((rule = options_next(command->options, rule))) {
		snprintf(text, sizeof(text), "--%s", rule->name);
		offer(completion, text);
	}
	offer(completion, "--help");
	if (command->takes_command)
		offer(completion, "--");
}

/* The option that @word is, with its value to come: behind "=" when @joined, else as the next word.
 */
static const struct option_rule *find_option(const struct command *command, const char *word,
					     bool joined)
{
	const struct option_rule *rule = NULL;
	size_t len = joined ? strcspn(word, "=") : strlen(word);

	while ((rule = options_next(command->options, rule))) {
		bool is_long = len == strlen(rule->name) + 2 && strncmp(word, "--", 2) == 0 &&
			       strncmp(word + 2, rule->name, len - 2) == 0;
		bool is_short = rule->letter && word[0] == '-' && word[1] == rule->letter &&
				len == 2;

		/* One that may be left out only ever follows "=". */
		if (rule->value && (is_long || is_short) &&
		    (joined || (rule->read != value_vhost && rule->read != value_seconds)))
			return rule;
	}
	return NULL;
}

static void offer_words(struct completion *completion, const struct command *command)
{
	if (command->options & (FOR_LIST | FOR_CHECK | FOR_TRACE | FOR_DEL | FOR_ATTACH))
		offer_links(completion, LINK_OTHER, offer_device);
	if (command->options & (FOR_LIST | FOR_CHECK | FOR_ATTACH | FOR_PIN))
		offer_links(completion, LINK_BRIDGE, offer_link);
	if (command->options & (FOR_LIST | FOR_CHECK))
		offer_links(completion, LINK_OTHER, offer_lower);
}

static void offer_commands(const struct completion *completion)
{
	for (size_t i = 0; i < command_count; i++)
		if (!command_table[i]->hidden)
			offer(completion, command_table[i]->name);
	offer(completion, "help");
}

/* @words[0] is tapctl itself, @words[last] what is to be completed; there are at least two. */
static void complete(struct completion *completion, char *const words[], size_t last)
{
	const struct command *command = command_find(words[1]);
	const struct option_rule *rule;
	char *equals = strchr(words[last], '=');

	completion->begun = words[last];
	if (last == 1 || (last == 2 && strcmp(words[1], "help") == 0))
		offer_commands(completion);
	if (last == 1 || !command || command->hidden)
		return;
	rule = find_option(command, words[last - 1], false);
	if (!rule && equals)
		rule = find_option(command, words[last], true);
	else
		equals = NULL;
	if (equals && rule) {
		snprintf(completion->before, sizeof(completion->before), "%.*s",
			 (int)(equals + 1 - words[last]), words[last]);
		completion->begun = equals + 1;
	}
	if (rule)
		offer_value(completion, rule);
	else if (words[last][0] == '-')
		offer_options(completion, command);
	else
		offer_words(completion, command);
}

static int run_complete(struct run *run)
{
	struct completion completion = { .before = "" };
	size_t last = 0;

	while (run->command[last + 1]) {
		/* COMMAND has completions of its own. */
		if (strcmp(run->command[last], "--") == 0)
			return EXIT_SUCCESS;
		last++;
	}
	/* Without links the rest is offered all the same. */
	if (nl_open(&completion.nl) < 0)
		completion.nl = NULL;
	if (last)
		complete(&completion, run->command, last);
	nl_close(completion.nl);
	return command_flush_output();
}

const struct command command_complete = {
	.name = "complete",
	.words = "-- tapctl [WORD...]",
	.summary = "what the last word may become, for shells",
	.hidden = true,
	.takes_command = true,
	.unprivileged = true,
	.run = run_complete,
};

/* SPDX-License-Identifier: MIT */
/*
 * Whole command lines, one word a line: the first is the command, those behind "--" are COMMAND.
 * Either there is one line of error, or all that was read is in the range that other modules need.
 */
#include "tests/fuzz/fuzz.h"
#include "commands/options.h"
#include "kernel/tap.h"
#include "lib/parse.h"
#include "lib/report.h"

enum { WORDS = 64 };

static const struct {
	const char *name;
	enum option_command command;
} commands[] = {
	{ "mac", FOR_MAC },	  { "add", FOR_ADD },	  { "exec", FOR_EXEC },
	{ "list", FOR_LIST },	  { "del", FOR_DEL },	  { "pin", FOR_PIN },
	{ "attach", FOR_ATTACH }, { "check", FOR_CHECK }, { "bridge-helper", FOR_HELPER },
	{ "trace", FOR_TRACE },
};

static void check_nic(const struct nic_options *nic)
{
	always(nic->kind != NIC_NONE, "a NIC is somewhere");
	always((nic->kind == NIC_UNATTACHED) == !nic->parent[0], "on something, or on nothing");
	always(!nic->parent[0] || !parse_name_fault(nic->parent, false), "that has a name");
	always(!nic->name[0] || !parse_name_fault(nic->name, true), "its own name is one");
	always(!mac_fault(nic->guest) || mac_is_zero(nic->guest),
	       "its address is one, or will be derived");
	always(nic->queues >= 1 && nic->queues <= QUEUES_MAX, "it has queues");
	always(nic->mtu == 0 || (nic->mtu >= 68 && nic->mtu <= 65535), "its MTU is one");
	always(nic->kind == NIC_MACVTAP || nic->kind == NIC_HOST ||
		       (nic->mode == MODE_BRIDGE && nic->mtu <= TAP_MTU_MAX),
	       "a tap is not a macvtap");
	always(nic->kind == NIC_BRIDGED || (!nic->policy.locked && !nic->policy.vlan_count),
	       "only a bridge port has a policy");
}

static void check_options(const struct options *options, enum option_command command)
{
	always(options->fd >= -1 && options->fd <= 1 << 20, "a fd is one");
	always(!options->user.wanted || options->user.uid != (uid_t)-1, "a user is one");
	if (!(command & (FOR_ADD | FOR_EXEC | FOR_HELPER)))
		return;
	always(options->nic_count > 0, "there is a NIC");
	for (size_t k = 0; k < options->nic_count; k++) {
		check_nic(&options->nics[k]);
		for (size_t i = 0; i < k; i++)
			always(!mac_equal(options->nics[i].guest, options->nics[k].guest),
			       "each guest is there once");
	}
}

/* COMMAND, behind the first "--", which ends the words from then on. NULL: there is none. */
static char **cut_command(char *words[], size_t *count)
{
	size_t own = 0;

	while (words[own] && strcmp(words[own], "--") != 0)
		own++;
	if (!words[own] || !words[own + 1])
		return NULL;
	words[own] = NULL;
	*count = own;
	return words + own + 1;
}

static void read_line(enum option_command command, size_t count, char *words[])
{
	struct option_tables tables = { .top[0].longName = NULL };
	struct options options;
	char **tail = NULL;
	poptContext context;
	int err;

	if (command == FOR_EXEC)
		tail = cut_command(words, &count);
	options_fill(&tables, command);
	context = poptGetContext("tapctl", (int)count, (const char **)words, tables.top, 0);
	always(context, "there is memory");
	report_forget();
	err = options_read(&options, context, command, tail);
	always(err <= 0 && (err == 0) == !report_line()[0], "an error is told, and only an error");
	if (!err && !options.help && !options.usage)
		check_options(&options, command);
	options_free(&options);
	poptFreeContext(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = as_string(data, size), *words[WORDS + 1];
	size_t count = as_words(words, WORDS, text);

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(words[0], commands[i].name) == 0)
			read_line(commands[i].command, count, words);
	free(text);
	return 0;
}

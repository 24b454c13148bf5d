/* SPDX-License-Identifier: MIT */
/*
 * Whole command lines, one word a line: the first is the command, those behind "--" are COMMAND.
 * Either there is one line of error, or all that was read is in the range that other rooms rely on.
 */
#include "tests/fuzz/fuzz.h"
#include "commands/options.h"
#include "kernel/tap.h"
#include "lib/parse.h"

enum { WORDS = 64, ROWS = 16 };

static const struct {
	const char *name;
	const struct poptOption *table;
	enum options_nics nics;
	bool command;
} commands[] = {
	{ "mac", options_mac, NICS_NONE, false },
	{ "add", options_add, NICS_MANY, false },
	{ "exec", options_exec, NICS_MANY, true },
	{ "list", options_list, NICS_NONE, false },
	{ "del", options_del, NICS_NONE, false },
	{ "pin", options_pin, NICS_NONE, false },
	{ "check", options_check, NICS_NONE, false },
	{ "bridge-helper", options_bridgehelper, NICS_HELPER, false },
};

static void check_nic(const struct nic_options *nic)
{
	static const uint8_t derived[MAC_LEN];

	always(nic->kind != NIC_NOWHERE, "a NIC is somewhere");
	always((nic->kind == NIC_UNATTACHED) == !nic->parent[0], "on something, or on nothing");
	always(!nic->parent[0] || !parse_name_fault(nic->parent, false), "that has a name");
	always(!nic->name[0] || !parse_name_fault(nic->name, true), "its own name is one");
	always(!mac_fault(nic->guest) || (nic->for_host && mac_equal(nic->guest, derived)),
	       "its address is one, or a leg's that its lower device will give");
	always(nic->queues >= 1 && nic->queues <= QUEUES_MAX, "it has queues");
	always(nic->mtu == 0 || (nic->mtu >= 68 && nic->mtu <= 65535), "its MTU is one");
	always(nic->kind == NIC_MACVTAP || (!nic->has_mode && nic->mtu <= TAP_MTU_MAX),
	       "a tap is no macvtap");
	always(nic->kind == NIC_BRIDGED || (!nic->policy.locked && !nic->policy.vlan_count),
	       "only a bridge port has a policy");
}

static void check_options(const struct options *options, enum options_nics nics)
{
	always(options->fd >= -1 && options->fd <= 1 << 20, "a fd is one");
	always(!options->user.wanted || options->user.uid != (uid_t)-1, "a user is one");
	if (nics == NICS_NONE)
		return;
	always(options->nic_count > 0, "there is a NIC");
	for (size_t k = 0; k < options->nic_count; k++) {
		check_nic(&options->nics[k]);
		for (size_t i = 0; i < k; i++)
			always(!mac_equal(options->nics[i].guest, options->nics[k].guest),
			       "each guest is there once");
	}
}

/* The table without popt's --help, which ends the process. */
static void without_help(struct poptOption copy[static ROWS], const struct poptOption *table)
{
	memset(copy, 0, ROWS * sizeof(*copy));
	for (size_t i = 0; table[i].arg != poptHelpOptions; i++)
		copy[i] = table[i];
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

static void read_line(size_t command, size_t count, char *words[])
{
	struct options options;
	struct poptOption table[ROWS];
	char **tail = NULL;
	poptContext context;
	int err;

	if (commands[command].command)
		tail = cut_command(words, &count);
	without_help(table, commands[command].table);
	context = poptGetContext("tapctl", (int)count, (const char **)words, table, 0);
	always(context, "there is memory");
	report_forget();
	err = options_read(&options, context, table, commands[command].nics, tail);
	always(err <= 0 && (err == 0) == !report_line()[0], "an error is told, and only an error");
	if (!err)
		check_options(&options, commands[command].nics);
	options_free(&options);
	poptFreeContext(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = as_string(data, size), *words[WORDS + 1];
	size_t count = as_words(words, WORDS, text);

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(words[0], commands[i].name) == 0)
			read_line(i, count, words);
	free(text);
	return 0;
}

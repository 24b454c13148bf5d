/* SPDX-License-Identifier: MIT */
/*
 * The way from the command line to one of the commands.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/auxv.h>

#include <popt.h>

#include "commands/command.h"
#include "kernel/netns.h"
#include "lib/json.h"
#include "lib/privs.h"
#include "lib/report.h"
#include "lib/suggest.h"
#include "macutil.h"
#include "vmm/fds.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

/* --- what is printed --- */

static void print_line(enum report_kind kind, const char *line)
{
	fputs(kind == REPORT_WARNING ? "tapctl: warning: " : "tapctl: ", stderr);
	plain_string(stderr, line);
	putc('\n', stderr);
}

/*
 * Whether errors are for a program: before the command line is taken apart, as that may fail
 * itself. @words begin with the command.
 */
static bool wants_json(char *const words[])
{
	while (*words && *++words && strcmp(*words, "--") != 0) {
		const char *word = *words;

		if (strcmp(word, "--json") == 0)
			return true;
		/* Behind letters without a value; -f has one of exec, a number. */
		if (word[0] == '-' && word[1 + strspn(word + 1, "aHfrstv")] == 'j')
			return true;
	}
	return false;
}

static void print_error_json(void)
{
	struct report_parts parts;

	report_get_parts(&parts);
	fputs("{\"error\":", stderr);
	json_string(stderr, parts.word);
	json_member(stderr, "subject", parts.subject);
	json_member(stderr, "message", parts.message);
	json_member(stderr, "remedy", parts.remedy);
	fputs("}\n", stderr);
}

/* popt exits by itself after --help. A command has already closed its output. */
static void close_output(void)
{
	if (fflush(stdout) != 0 || (fclose(stdout) != 0 && errno != EBADF)) {
		print_line(REPORT_STEP, "standard output: cannot write to it");
		_exit(EXIT_FAILURE);
	}
}

static void print_usage(FILE *out)
{
	fputs("Usage: tapctl COMMAND [OPTION...]\n\n", out);
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = command_table[i];
		int n;

		if (command->hidden)
			continue;
		n = fprintf(out, "  tapctl %-6s %s", command->name, command->words);
		fprintf(out, "%*s%s\n", 38 - n, "", command->summary);
	}
	fputs("\ntapctl help COMMAND tells its options. The manual page: man 8 tapctl\n", out);
}

/* --- one run --- */

static int failure_status(const struct command *command)
{
	return command->failure ? command->failure : EXIT_FAILURE;
}

static int misuse_status(const struct command *command)
{
	return command->misuse ? command->misuse : EXIT_USAGE;
}

/* popt's text fits 80 columns, or the terminal. */
static void print_help(const struct command *command, poptContext context, bool brief)
{
	char usage[128];

	if (brief) {
		poptPrintUsage(context, stdout, 0);
		return;
	}
	/* Below the words of the command, and above its options. */
	snprintf(usage, sizeof(usage), "[OPTION...]%s%s\n%c%s.", *command->words ? " " : "",
		 command->words, toupper(command->summary[0]), command->summary + 1);
	poptSetOtherOptionHelp(context, usage);
	poptPrintHelp(context, stdout, 0);
	if (command->notes)
		printf("\n%s", command->notes);
}

/* A word without its option. */
static int refuse_word(const struct command *command, const char *word)
{
	uint8_t mac[MAC_LEN];

	if (!(command->options & (FOR_ADD | FOR_EXEC)))
		return report_error(-EINVAL, "'%s': this word is not expected here", word);
	if (mac_parse(mac, word))
		return report_error(-EINVAL, "'%s': this word is not expected here\ngive --mac %s",
				    word, word);
	if (command->takes_command)
		return report_error(-EINVAL,
				    "'%s': this word is not expected before --\ngive --bridge %s "
				    "for a bridge, or write -- before the whole COMMAND",
				    word, word);
	return report_error(-EINVAL,
			    "'%s': this word is not expected here\ngive --bridge %s for a bridge, "
			    "--link %s for a lower device, or --name %s for the device's name",
			    word, word, word, word);
}

/* The words that are not options, of which a command takes a certain number. */
static int read_words(struct run *run, const struct command *command, const char **words)
{
	static const char *none[] = { NULL };
	int count = 0;

	run->words = words;
	if (!run->words)
		run->words = none;
	while (run->words[count])
		count++;
	if (count < command->min_words)
		return report_error(-EINVAL, "%s: missing argument\ngive %s", command->name,
				    command->words);
	if (command->max_words >= 0 && count > command->max_words)
		return refuse_word(command, run->words[command->max_words]);
	return 0;
}

static int read_line(struct run *run, const struct command *command, poptContext context)
{
	int err = options_read(&run->options, context, command->options, run->command);
	const char **words = poptGetArgs(context);

	if (run->options.help || run->options.usage)
		return 0;
	if (command->takes_command && err != -EPERM && words && words[0]) {
		report_forget();
		if (run->command)
			return refuse_word(command, words[0]);
		return report_error(-EINVAL,
				    "'%s': COMMAND stands behind --\ntapctl %s ... -- %s ...",
				    words[0], command->name, words[0]);
	}
	if (!err)
		err = read_words(run, command, words);
	/* Without --, what is wrong with the rest does not matter yet. */
	if (command->takes_command && err != -EPERM &&
	    (!run->command || run->command[0][0] == '-')) {
		report_forget();
		err = report_error(-EINVAL,
				   "%s: %s after --\ntapctl exec [OPTION...] -- COMMAND [ARG...]",
				   command->name, run->command ? "an option" : "no COMMAND");
	}
	return err;
}

static int check_caller(const struct command *command)
{
	if (getauxval(AT_EUID) != getauxval(AT_UID) || getauxval(AT_EGID) != getauxval(AT_GID))
		return report_error(-EPERM,
				    "tapctl must not be setuid or setgid\nremove that bit and use "
				    "sudo or file capabilities");
	if (privs_from_file() && !command->unprivileged)
		return report_error(
			-EPERM,
			"%s: not permitted for an unprivileged caller of a tapctl with file "
			"capabilities\nrun it with sudo (other ways: tapctl(8), ACCESS)",
			command->name);
	return 0;
}

/* Not for exec, which reserves its fds first and returns from --netns before COMMAND runs. */
static int prepare(struct run *run, const struct command *command)
{
	int previous = -1, err = 0;

	if (command->takes_command)
		return 0;
	err = fds_keep_streams();
	if (!err && run->options.netns[0])
		err = netns_enter(run->options.netns, &previous);
	if (!err && command->wants_netlink) {
		err = nl_open(&run->nl);
		if (err)
			report_error(err, "cannot open a netlink socket: %s", strerror(-err));
	}
	return err;
}

/* The exit status. */
static int run_command(const struct command *command, struct run *run, poptContext context)
{
	int status, err = check_caller(command);

	if (err)
		return failure_status(command);
	err = read_line(run, command, context);
	if (err) {
		report_misuse();
		return err == -EPERM ? failure_status(command) : misuse_status(command);
	}
	if (run->options.help || run->options.usage) {
		print_help(command, context, run->options.usage);
		return EXIT_SUCCESS;
	}
	if (run->options.verbose)
		report_to(print_line, REPORT_STEP);
	status = prepare(run, command);
	if (!status)
		status = command->run(run);
	nl_close(run->nl);
	if (status == EXIT_USAGE)
		report_misuse();
	if (status >= 0)
		return status;
	report_error(status, "cannot go on: %s", strerror(-status));
	return failure_status(command);
}

/* --- the command line --- */

/* Cut off what belongs to COMMAND, before popt looks for options. */
static int split_command(const struct command *command, int argc, char **argv, struct run *run)
{
	int own = 0;

	while (own < argc && strcmp(argv[own], "--") != 0)
		own++;
	if (command->takes_command && own + 1 < argc) {
		run->command = argv + own + 1;
		argv[own] = NULL;
	} else if (!command->takes_command) {
		own = argc;
	}
	return own;
}

/* @argv begins with the name of the command. */
static int run_line(const struct command *command, int argc, char **argv)
{
	struct option_tables tables = { .top[0].longName = NULL };
	struct run run = { .nl = NULL };
	char title[32], usage[64];
	poptContext context;
	int status, own = split_command(command, argc, argv, &run);

	/* popt's --help and --usage begin with the name of the command. */
	snprintf(title, sizeof(title), "tapctl %s", command->name);
	argv[0] = title;
	options_fill(&tables, command->options);
	context = poptGetContext("tapctl", own, (const char **)argv, tables.top,
				 command->takes_command ? POPT_CONTEXT_POSIXMEHARDER : 0);
	if (!context) {
		report_error(-ENOMEM, "out of memory");
		return failure_status(command);
	}
	snprintf(usage, sizeof(usage), "[OPTION...]%s%s", *command->words ? " " : "",
		 command->words);
	poptSetOtherOptionHelp(context, usage);
	status = run_command(command, &run, context);
	options_free(&run.options);
	poptFreeContext(context);
	return status;
}

enum { MEANINGS = 32 };

/* Words of other tools for what is a command here. */
static const char *find_meaning(const char *name)
{
	static const char *const others[][2] = {
		{ "delete", "del" },  { "ls", "list" },	      { "show", "list" },
		{ "status", "list" }, { "rm", "del" },	      { "remove", "del" },
		{ "destroy", "del" }, { "create", "add" },    { "new", "add" },
		{ "make", "add" },    { "run", "exec" },      { "start", "exec" },
		{ "fix", "attach" },  { "repair", "attach" }, { "doctor", "check" },
		{ "diag", "check" },
	};
	const char *names[MEANINGS];
	size_t count = 0;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strcmp(others[i][0], name) == 0)
			return others[i][1];
	names[count++] = "help";
	names[count++] = "version";
	for (size_t i = 0; i < command_count && count < MEANINGS; i++)
		if (!command_table[i]->hidden)
			names[count++] = command_table[i]->name;
	return suggest_word(name, names, count);
}

static void refuse_command(const char *name)
{
	const char *meant = find_meaning(name);

	if (meant)
		report_error(-EINVAL,
			     "'%s': there is no such command\ndid you mean %s? see tapctl --help",
			     name, meant);
	else
		report_error(-EINVAL, "'%s': there is no such command\nsee tapctl --help", name);
}

/* Whether @word is one of @others, which end with NULL. */
static bool is_one_of(const char *word, const char *const others[])
{
	while (*others && strcmp(word, *others) != 0)
		others++;
	return *others;
}

static const char *const help_words[] = { "help", "--help", "-h", "-?", NULL };
static const char *const version_words[] = { "version", "--version", "-V", NULL };

/* tapctl help [COMMAND] */
static int run_help(int argc, char **argv)
{
	static char help[] = "--help";
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
	char *line[] = { argc > 1 ? argv[1] : NULL, help, NULL };

	/* These two have no options to tell of. */
	if (argc < 2 ||
	    (argc == 2 && (is_one_of(argv[1], help_words) || is_one_of(argv[1], version_words)))) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	if (command && argc == 2)
		return run_line(command, 2, line);
	if (command)
		report_error(-EINVAL, "'%s': this word is not expected here", argv[2]);
	else
		refuse_command(argv[1]);
	report_misuse();
	return EXIT_USAGE;
}

static int run_words(int argc, char **argv)
{
	const struct command *command = argc > 0 ? command_find(argv[0]) : NULL;

	if (command)
		return run_line(command, argc, argv);
	if (argc > 0 && is_one_of(argv[0], help_words))
		return run_help(argc, argv);
	if (argc > 0 && is_one_of(argv[0], version_words)) {
		puts("tapctl " VERSION);
		return EXIT_SUCCESS;
	}
	if (argc > 0 && argv[0][0] == '-')
		report_error(-EINVAL,
			     "%s: is before the command\ngive the command first, see tapctl --help",
			     argv[0]);
	else if (argc > 0)
		refuse_command(argv[0]);
	else
		report_error(-EINVAL, "give a command\nsee tapctl --help");
	report_misuse();
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static char helper[] = "bridge-helper";
	bool json;
	int status;

	report_to(print_line, REPORT_WARNING);
	privs_use(PRIVS_NONE);
	/* A line of error is one write, so that the lines of several processes do not mix. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	atexit(close_output);
	/* The first word is the command; of qemu's own helper all words are options. */
	if (argc > 0 && strcmp(basename(argv[0]), "qemu-bridge-helper") == 0) {
		argv[0] = helper;
	} else if (argc > 0) {
		argc--;
		argv++;
	}
	json = wants_json(argv);
	status = run_words(argc, argv);
	if (status != EXIT_SUCCESS && report_line()[0] && json)
		print_error_json();
	else if (status != EXIT_SUCCESS && report_line()[0])
		print_line(REPORT_STEP, report_line());
	return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * The command line: the commands, and what they print.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/auxv.h>

#include <popt.h>

#include "commands/bridgehelper.h"
#include "inspect/check.h"
#include "nic/record.h"
#include "kernel/holders.h"
#include "commands/exec.h"
#include "netlink.h"
#include "kernel/netns.h"
#include "nic/nic.h"
#include "commands/options.h"
#include "lib/privs.h"
#include "lib/report.h"
#include "inspect/select.h"
#include "inspect/show.h"
#include "nic/nicset.h"
#include "lib/parse.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

enum {
	EXIT_USAGE = 2,
	/* of exec, as env(1) has them */
	EXIT_EXEC_FAILED = 125,
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

/* One run: the command line, taken apart. */
struct run {
	struct options options;
	const char **words; /* what is no option; ends with NULL */
	char **command; /* behind the --; NULL when there is none */
};

struct command {
	const char *name, *words, *summary;
	const struct poptOption *table;
	int (*run)(struct run *run); /* returns the exit status */
	enum options_nics takes_nics;
	int min_words, max_words;
	bool takes_command;
	bool unprivileged; /* harmless in the hands of everybody, or asks the access file */
};

/* --- what is printed --- */

static void tell(enum report_kind kind, const char *line)
{
	fputs(kind == REPORT_WARNING ? "tapctl: warning: " : "tapctl: ", stderr);
	show_plain_string(stderr, line);
	putc('\n', stderr);
}

static void tell_unless_step(enum report_kind kind, const char *line)
{
	if (kind != REPORT_STEP)
		tell(kind, line);
}

static int fail(int status)
{
	tell(REPORT_STEP, report_line()[0] ? report_line() : "it failed, and nobody knows why");
	return status;
}

/*
 * What was printed has to arrive: a full disk or a closed pipe is a failure, and some file systems
 * tell only when the file is closed. It is the last word of a command, while all can be unmade.
 */
static int flush_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout) && close(STDOUT_FILENO) == 0)
		return 0;
	return report_error(-EIO, "standard output: cannot write to it: %s", strerror(errno));
}

/* popt leaves the process itself after --help. A command has closed its output already. */
static void close_output(void)
{
	if (fflush(stdout) != 0 || (fclose(stdout) != 0 && errno != EBADF)) {
		tell(REPORT_STEP, "standard output: cannot write to it");
		_exit(EXIT_FAILURE);
	}
}

/* Devices have been shown, with nothing missing. */
static int end_show(struct show *show)
{
	int err = show_end(show);

	if (err)
		return report_error(err, "cannot look up what the devices are on: %s",
				    nl_strerror(show->nl, err));
	return flush_output();
}

/* --- mac --- */

static void print_mac(const struct run *run, const uint8_t *guest, size_t index)
{
	char guest_text[MAC_STRLEN], host_text[MAC_STRLEN], tap[MAC_NAMELEN], macvtap[MAC_NAMELEN];
	uint8_t host[MAC_LEN];

	mac_derive_host(host, guest);
	mac_format(guest_text, guest);
	mac_format(host_text, host);
	mac_name(tap, "tap", guest);
	mac_name(macvtap, "mvt", guest);
	if (run->options.json)
		printf("%s{\"guest_mac\":\"%s\",\"host_mac\":\"%s\","
		       "\"tap\":\"%s\",\"macvtap\":\"%s\"}",
		       index ? ",\n" : "[", guest_text, host_text, tap, macvtap);
	else
		puts(run->options.random ? guest_text : host_text);
}

static int cmd_mac(struct run *run)
{
	size_t count = 0;
	uint8_t mac[MAC_LEN];

	if (run->options.random == (run->words[0] != NULL)) {
		report_error(-EINVAL, "mac: give addresses, or --random for a new one");
		return fail(EXIT_USAGE);
	}
	/* All are checked before the first is printed. */
	for (const char **word = run->words; *word; word++) {
		const char *fault;

		if (!mac_parse(mac, *word))
			report_error(-EINVAL,
				     "'%s': that is no MAC address: write one like "
				     "52:54:00:84:e3:62",
				     *word);
		else if ((fault = mac_fault(mac)))
			report_error(-EINVAL, "%s: it %s: no guest can have it", *word, fault);
	}
	if (report_line()[0])
		return fail(EXIT_USAGE);
	if (run->options.random) {
		int err = mac_draw(mac);

		if (err) {
			report_error(err, "cannot draw an address: %s", strerror(-err));
			return fail(EXIT_FAILURE);
		}
		print_mac(run, mac, count++);
	}
	for (const char **word = run->words; *word && mac_parse(mac, *word); word++)
		print_mac(run, mac, count++);
	if (run->options.json)
		puts("]");
	return flush_output() ? fail(EXIT_FAILURE) : EXIT_SUCCESS;
}

/* --- add --- */

/* The user behind sudo, as only root may say, else who runs this. */
static uid_t find_caller(void)
{
	const char *sudo = geteuid() == 0 ? getenv("SUDO_UID") : NULL;
	unsigned long uid;

	return sudo && parse_number(&uid, sudo, 0, (uid_t)-2) ? (uid_t)uid : getuid();
}

static int print_added(struct run *run, struct nicset *set)
{
	struct show show = { .out = stdout, .json = true, .nl = &set->nl };
	/* They have an owner and stay only since they were read last. */
	int err = run->options.json ? nicset_verify(set) : 0;

	if (err)
		return err;
	if (run->options.json)
		show_begin(&show);
	for (size_t k = 0; k < set->count; k++) {
		struct link *link = &set->nics[k].link;

		if (!run->options.json) {
			puts(link->name);
			continue;
		}
		/* Nobody has it open any more when this is read. */
		link->tun.queues = 0;
		show_link(&show, link);
	}
	return run->options.json ? end_show(&show) : flush_output();
}

static int cmd_add(struct run *run)
{
	static struct nicset set;
	sigset_t signals;
	int err;

	/* All or nothing: what would end this half-way waits until it is done. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGPIPE);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	err = nicset_begin(&set, run->options.nics, run->options.nic_count);
	if (!err)
		err = nicset_make_lasting(&set, find_caller());
	if (!err)
		err = print_added(run, &set);
	if (err)
		nicset_unmake(&set);
	nicset_end(&set);
	return err ? fail(EXIT_FAILURE) : EXIT_SUCCESS;
}

/* --- exec --- */

static int cmd_exec(struct run *run)
{
	static const int statuses[] = {
		[EXEC_FAILED] = EXIT_EXEC_FAILED,
		[EXEC_CANNOT_RUN] = EXIT_CANNOT_RUN,
		[EXEC_NOT_FOUND] = EXIT_NOT_FOUND,
	};

	return fail(statuses[exec_run(&run->options, run->command)]);
}

/* --- bridge-helper --- */

static int cmd_bridgehelper(struct run *run)
{
	const struct options *options = &run->options;
	int err = bridgehelper_serve(options->nics, options->fd, !options->no_audit);

	return err ? fail(EXIT_FAILURE) : EXIT_SUCCESS;
}

/* --- list --- */

static int open_netlink(struct nl *nl)
{
	int err = nl_open(nl);

	if (err)
		report_error(err, "cannot open a netlink socket: %s", strerror(-err));
	return err;
}

struct list {
	struct show show;
	bool all;
};

static int list_link(const struct link *link, void *data)
{
	struct list *list = data;
	uint8_t guest[MAC_LEN];

	if ((link_is_tap(link) && (list->all || record_guest(guest, link))) || record_is_host(link))
		show_link(&list->show, link);
	return ferror(list->show.out) ? -EIO : 0;
}

/* The taps, macvtaps and legs of the host that the words of the command line mean. */
static int select_devices(struct run *run, struct nl *nl, struct selection *selection)
{
	int err = select_words(nl, selection, run->words);

	for (size_t i = 0; i < selection->count && !err; i++)
		if (!link_is_tap(&selection->links[i]) && !record_is_host(&selection->links[i]))
			err = report_error(-EOPNOTSUPP,
					   "%s: it is no tap and no macvtap: tapctl list --all "
					   "shows those",
					   selection->links[i].name);
	return err;
}

static int list_words(struct run *run, struct nl *nl, struct list *list)
{
	struct selection selection = { .count = 0 };
	int err = select_devices(run, nl, &selection);

	if (!err)
		show_begin(&list->show);
	for (size_t i = 0; i < selection.count && !err; i++)
		show_link(&list->show, &selection.links[i]);
	free(selection.links);
	return err;
}

static int list_all(struct nl *nl, struct list *list)
{
	int err;

	show_begin(&list->show);
	/* Devices that come or go meanwhile may be shown or not: nobody could tell the difference.
	 */
	err = nl_link_dump(nl, LINK_TUN, list_link, list);
	if (err >= 0)
		err = nl_link_dump(nl, LINK_MACVTAP, list_link, list);
	if (err >= 0)
		err = nl_link_dump(nl, LINK_MACVLAN, list_link, list);
	/* What cannot be written is for flush_output() to tell. */
	if (err < 0 && !ferror(list->show.out))
		return report_error(err, "cannot list the devices: %s", nl_strerror(nl, err));
	return 0;
}

static int cmd_list(struct run *run)
{
	static struct nl nl, lookups;
	struct holders holders = { .count = 0 };
	struct list list = {
		.show = { .out = stdout,
			  .json = run->options.json,
			  .nl = &lookups,
			  .holders = run->options.holders ? &holders : NULL },
		.all = run->options.all,
	};
	int err = open_netlink(&nl);

	/* A socket in the middle of a dump takes no other request. */
	if (!err)
		err = open_netlink(&lookups);
	if (!err && run->options.holders)
		err = holders_read(&holders);
	if (!err)
		err = run->words[0] ? list_words(run, &nl, &list) : list_all(&nl, &list);
	if (!err)
		err = end_show(&list.show);
	holders_free(&holders);
	nl_close(&lookups);
	nl_close(&nl);
	return err ? fail(EXIT_FAILURE) : EXIT_SUCCESS;
}

/* --- check --- */

struct findings {
	bool json;
	size_t count;
};

static void print_finding(const struct finding *finding, void *data)
{
	const char *severity = finding->error ? "error" : "warning";
	struct findings *findings = data;

	if (findings->json) {
		fputs(findings->count ? ",\n{\"name\":" : "[{\"name\":", stdout);
		show_json_string(stdout, finding->name);
		printf(",\"id\":\"%s\",\"severity\":\"%s\",\"problem\":", finding->id, severity);
		show_json_string(stdout, finding->problem);
		fputs(",\"remedy\":", stdout);
		show_json_string(stdout, finding->remedy);
		putchar('}');
	} else {
		show_plain_string(stdout, finding->name);
		printf(": %s: ", severity);
		show_plain_string(stdout, finding->problem);
		fputs(": ", stdout);
		show_plain_string(stdout, finding->remedy);
		putchar('\n');
	}
	findings->count++;
}

static int cmd_check(struct run *run)
{
	static struct nl nl;
	struct selection selection = { .count = 0 };
	struct findings findings = { .json = run->options.json };
	int err = open_netlink(&nl);

	if (!err && run->words[0])
		err = select_words(&nl, &selection, run->words);
	if (!err)
		err = check_devices(&nl, run->words[0] ? &selection : NULL, print_finding,
				    &findings);
	if (!err && findings.json)
		puts(findings.count ? "]" : "[]");
	if (!err)
		err = flush_output();
	free(selection.links);
	nl_close(&nl);
	if (err)
		return fail(EXIT_FAILURE);
	return findings.count ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- del --- */

static int check_deletable(const struct run *run, const struct link *link)
{
	uint8_t guest[MAC_LEN];

	if (!link_is_tap(link) && link->kind != LINK_MACVLAN)
		return report_error(-EOPNOTSUPP,
				    "%s: it is no tap, macvtap or macvlan: tapctl does not "
				    "remove it",
				    link->name);
	if (!record_guest(guest, link) && !record_is_host(link) && !run->options.force)
		return report_error(-EPERM,
				    "%s: tapctl did not make it: --force removes it all the same",
				    link->name);
	return 0;
}

static int cmd_del(struct run *run)
{
	static struct nl nl;
	struct selection selection = { .count = 0 };
	int err;

	if (run->options.stale == (run->words[0] != NULL)) {
		report_error(-EINVAL, "del: give names or guest addresses, or --stale");
		return fail(EXIT_USAGE);
	}
	err = open_netlink(&nl);
	if (!err)
		err = run->options.stale ? select_stale(&nl, &selection, run->options.force) :
					   select_words(&nl, &selection, run->words);
	for (size_t i = 0; i < selection.count && !err; i++)
		err = check_deletable(run, &selection.links[i]);
	if (!err)
		err = select_delete(&nl, &selection);
	free(selection.links);
	nl_close(&nl);
	return err ? fail(EXIT_FAILURE) : EXIT_SUCCESS;
}

/* --- pin --- */

static int pin_bridge(struct nl *nl, const char *name)
{
	char mac[MAC_STRLEN];
	struct link link;
	int err = nl_link_get(nl, name, 0, &link);

	if (err == -ENODEV)
		return report_error(err, "%s: there is no such bridge in this network namespace",
				    name);
	if (err)
		return report_error(err, "%s: cannot look it up: %s", name, nl_strerror(nl, err));
	if (link.kind != LINK_BRIDGE)
		return report_error(-EOPNOTSUPP, "%s: it is no bridge, it is a %s", name,
				    link_kind_word(&link));
	if (mac_fault(link.address))
		return report_error(-EADDRNOTAVAIL,
				    "%s: its address %s %s: give it a port first, or "
				    "an address: ip link set %s address ADDRESS",
				    name, mac_format(mac, link.address), mac_fault(link.address),
				    name);
	err = nl_link_set_address(nl, link.ifindex, link.address);
	if (err)
		return report_error(err, "%s: cannot set its address: %s%s", name,
				    nl_strerror(nl, err),
				    err == -EPERM ? ": run it with sudo" : "");
	report_tell(REPORT_STEP, "%s: keeps the address %s", name, mac_format(mac, link.address));
	return 0;
}

static int cmd_pin(struct run *run)
{
	static struct nl nl;
	const char *fault = parse_name_fault(run->words[0], false);
	int err;

	if (fault) {
		report_error(-EINVAL, "'%s': %s", run->words[0], fault);
		return fail(EXIT_USAGE);
	}
	err = open_netlink(&nl);
	if (!err)
		err = pin_bridge(&nl, run->words[0]);
	nl_close(&nl);
	return err ? fail(EXIT_FAILURE) : EXIT_SUCCESS;
}

/* --- the command line --- */

/* A row is a command, where clang-format would give each word of it a line. */
/* clang-format off */
static const struct command commands[] = {
	{ .name = "mac", .words = "[MAC...]", .table = options_mac, .run = cmd_mac,
	  .summary = "the host-side address for a guest's", .max_words = -1, .unprivileged = true },
	{ .name = "add", .words = "", .table = options_add, .run = cmd_add,
	  .summary = "make devices that stay", .takes_nics = NICS_MANY },
	{ .name = "exec", .words = "-- COMMAND [ARG...]", .table = options_exec, .run = cmd_exec,
	  .summary = "run COMMAND with new devices open from fd 3 upwards",
	  .takes_nics = NICS_MANY, .takes_command = true, .unprivileged = true },
	{ .name = "list", .words = "[NAME|MAC...]", .table = options_list, .run = cmd_list,
	  .summary = "show devices", .max_words = -1, .unprivileged = true },
	{ .name = "check", .words = "[NAME|MAC...]", .table = options_check, .run = cmd_check,
	  .summary = "tell why guests do not get through", .max_words = -1, .unprivileged = true },
	{ .name = "del", .words = "NAME|MAC...", .table = options_del, .run = cmd_del,
	  .summary = "remove devices", .max_words = -1 },
	{ .name = "pin", .words = "BRIDGE", .table = options_pin, .run = cmd_pin,
	  .summary = "make a bridge keep its address", .min_words = 1, .max_words = 1 },
	{ .name = "bridge-helper", .words = "", .table = options_bridgehelper,
	  .run = cmd_bridgehelper, .summary = "qemu's helper: a tap for -netdev bridge",
	  .takes_nics = NICS_HELPER, .unprivileged = true },
};
/* clang-format on */

static void print_usage(FILE *out)
{
	fputs("Usage: tapctl COMMAND [OPTION...]\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		int n = fprintf(out, "  tapctl %-6s %s", commands[i].name, commands[i].words);

		fprintf(out, "%*s%s\n", 38 - n, "", commands[i].summary);
	}
	fputs("\nEach command has --help. The whole story: man 8 tapctl\n", out);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* The words that are no option, of which the command wants a certain number. */
static int read_words(struct run *run, const struct command *command, poptContext context)
{
	static const char *none[] = { NULL };
	int count = 0;

	run->words = poptGetArgs(context);
	if (!run->words)
		run->words = none;
	while (run->words[count])
		count++;
	if (count < command->min_words)
		return report_error(-EINVAL, "%s: give %s", command->name, command->words);
	if (command->max_words >= 0 && count > command->max_words)
		return report_error(-EINVAL, "'%s': this word is not expected here",
				    run->words[command->max_words]);
	return 0;
}

static int check_caller(const struct command *command)
{
	if (getauxval(AT_EUID) != getauxval(AT_UID) || getauxval(AT_EGID) != getauxval(AT_GID))
		return report_error(-EPERM,
				    "tapctl must not be setuid or setgid: remove that bit and use "
				    "sudo or file capabilities");
	if (privs_are_lent() && !command->unprivileged)
		return report_error(
			-EPERM,
			"%s: a caller without privilege of its own may not do this: run "
			"it with sudo",
			command->name);
	return 0;
}

/* What a wrong command line ends with: for qemu's helper there is only one failure. */
static int misuse_status(const struct command *command)
{
	return command->takes_command		  ? EXIT_EXEC_FAILED :
	       command->takes_nics == NICS_HELPER ? EXIT_FAILURE :
						    EXIT_USAGE;
}

static int run_command(const struct command *command, struct run *run, poptContext context)
{
	int failure = command->takes_command ? EXIT_EXEC_FAILED : EXIT_FAILURE;
	int previous = -1, err;

	if (check_caller(command) < 0)
		return fail(failure);
	err = options_read(&run->options, context, command->table, command->takes_nics,
			   run->command);
	if (!err)
		err = read_words(run, command, context);
	/* Without --, COMMAND's own options have been taken for tapctl's: that is no news to tell.
	 */
	if (command->takes_command && err != -EPERM &&
	    (!run->command || run->command[0][0] == '-')) {
		report_forget();
		err = report_error(-EINVAL,
				   "%s: %s behind --: tapctl exec [OPTION...] -- COMMAND [ARG...]",
				   command->name, run->command ? "an option" : "no COMMAND");
	}
	if (err == -EPERM)
		return fail(failure);
	if (err)
		return fail(misuse_status(command));
	if (run->options.verbose)
		report_to(tell);
	/* The places from --fd onwards are for COMMAND. */
	if (!command->takes_command && fds_keep_streams() < 0)
		return fail(failure);
	/* exec comes back from there for COMMAND; the others end there. */
	if (run->options.netns[0] && !command->takes_command &&
	    netns_enter(run->options.netns, &previous) < 0)
		return fail(failure);
	return command->run(run);
}

/* Cut off what belongs to COMMAND alone, before anything looks for options. */
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

/* Called by the name of qemu's own helper, all words are for that. */
static bool is_helper(const char *program)
{
	const char *slash = strrchr(program, '/');

	return strcmp(slash ? slash + 1 : program, "qemu-bridge-helper") == 0;
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct run run = { .words = NULL };
	poptContext context;
	char title[32], usage[64];
	int status, own;

	report_to(tell_unless_step);
	privs_use(PRIVS_NONE);
	/* A line of error is one write: those of many processes at once do not mix. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	atexit(close_output);
	/* From here on the first word is the command. */
	if (argc > 0 && is_helper(argv[0])) {
		argv[0] = "bridge-helper";
	} else {
		argc--;
		argv++;
	}
	if (argc > 0 && strcmp(argv[0], "--help") == 0) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	if (argc > 0 && strcmp(argv[0], "--version") == 0) {
		puts("tapctl " VERSION);
		return EXIT_SUCCESS;
	}
	command = argc > 0 ? find_command(argv[0]) : NULL;
	if (!command) {
		if (argc > 0)
			report_error(-EINVAL,
				     argv[0][0] == '-' ?
					     "%s: give the command first: see tapctl --help" :
					     "'%s': there is no such command: see tapctl --help",
				     argv[0]);
		else
			report_error(-EINVAL, "give a command: see tapctl --help");
		return fail(EXIT_USAGE);
	}
	own = split_command(command, argc, argv, &run);
	/* popt's --help and --usage begin with the name of the command. */
	snprintf(title, sizeof(title), "tapctl %s", command->name);
	argv[0] = title;
	context = poptGetContext("tapctl", own, (const char **)argv, command->table, 0);
	if (!context) {
		report_error(-ENOMEM, "out of memory");
		return fail(command->takes_command ? EXIT_EXEC_FAILED : EXIT_FAILURE);
	}
	snprintf(usage, sizeof(usage), "[OPTION...] %s", command->words);
	poptSetOtherOptionHelp(context, usage);
	status = run_command(command, &run, context);
	options_free(&run.options);
	poptFreeContext(context);
	return status;
}

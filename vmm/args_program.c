/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/args_parts.h"

static const char *const vmms[] = {
	[VMM_QEMU] = "qemu-system-* qemu-kvm* kvm qemu",
	[VMM_CROSVM] = "crosvm",
	[VMM_CLOUD_HYPERVISOR] = "cloud-hypervisor*",
	[VMM_LKVM] = "lkvm* kvmtool",
	[VMM_FIRECRACKER] = "firecracker*",
	[VMM_SOLO5] = "solo5-*",
	[VMM_UML] = "linux.uml linux",
};

/* A program that runs another one. Lists of words are in one string. */
struct wrapper {
	const char *names;
	const char *values; /* its options that have a value, by letter and by name */
	unsigned places; /* how many words stand between its options and the program */
	enum {
		RUNS, /* the words behind */
		RUNS_DASHES, /* those behind its -- */
		RUNS_TEXT, /* a shell's text, which is the first word */
		RUNS_UNSEEN,
	} how;
	const char *text; /* options whose value is a shell's text; of RUNS_TEXT: that say it is */
	bool closes; /* the descriptors from 3 upwards, */
	const char *unless, *only; /* unless one of these options is there, or only with one */
	const char *user; /* the option that says which user the program is to be */
	const char *remedy; /* what to write where it closes them; NULL: put it in front */
};

/* An option that is not named here is taken for one without a value. */
/* clang-format off */
static const struct wrapper wrappers[] = {
	{ .names = "! { busybox command do else if linux32 linux64 nohup setsid then until while" },
	{ .names = "chroot setarch taskset", .places = 1 },
	{ .names = "ip", .places = 3 }, /* netns exec NAME */
	{ .names = "chrt", .values = "T P D", .places = 1 },
	{ .names = "flock", .values = "E w timeout wait", .places = 1 },
	{ .names = "timeout", .values = "k s kill-after signal", .places = 1 },
	{ .names = "dumb-init tini", .values = "p e r" },
	{ .names = "choom cgexec nice", .values = "n g adjust adjustment" },
	{ .names = "env", .values = "u C a unset chdir argv0" },
	{ .names = "exec", .values = "a" },
	{ .names = "ionice", .values = "c n class classdata" },
	{ .names = "nsenter", .values = "t S G W target setuid setgid" },
	{ .names = "numactl", .values = "i p P N C m w interleave preferred cpunodebind "
		"physcpubind membind" },
	{ .names = "prlimit stdbuf", .values = "i o e input output error" },
	{ .names = "setpriv", .values = "reuid regid ruid euid rgid egid groups ambient-caps "
		"inh-caps bounding-set securebits pdeathsig selinux-label apparmor-profile" },
	{ .names = "strace ltrace", .values = "a A b D e E F I l n o O p P s S u U w x X output "
		"user trace" },
	{ .names = "systemd-inhibit", .values = "what who why mode" },
	{ .names = "time", .values = "f o format output" },
	{ .names = "unshare", .values = "S G R w setuid setgid root wd propagation setgroups "
		"map-user map-users map-group map-groups" },
	{ .names = "tapctl", .how = RUNS_DASHES },
	{ .names = "ash bash dash ksh sh zsh", .values = "o O rcfile init-file", .how = RUNS_TEXT,
	  .text = "c" },
	{ .names = "su script", .values = "c g G s T w B E I O m o command group supp-group "
		"shell echo",
	  .how = RUNS_UNSEEN, .text = "c command" },
	{ .names = "runuser", .values = "u g G c user group supp-group command",
	  .text = "c command" },

	{ .names = "sudo", .values = "C D g h p R r T t U u chdir chroot close-from group host "
		"prompt user",
	  .closes = true, .unless = "C close-from", .user = "u user" },
	{ .names = "doas pkexec", .values = "C u user", .closes = true, .user = "u user" },
	{ .names = "run0", .values = "u g D unit property description slice user group nice "
		"chdir setenv",
	  .closes = true, .user = "u user" },
	{ .names = "systemd-run", .values = "p E u H M unit property description slice uid gid "
		"nice setenv host machine service-type working-directory",
	  .closes = true, .unless = "scope", .user = "uid", .remedy = "say systemd-run --scope" },
	{ .names = "firejail", .closes = true, .unless = "keep-fd",
	  .remedy = "say firejail --keep-fd=all" },
	{ .names = "screen", .values = "c e h p s S t T x", .closes = true },
	{ .names = "daemon", .values = "n u e i O o E r F P C M A L X name user", .closes = true },
	{ .names = "unbuffer", .closes = true },
	{ .names = "docker", .how = RUNS_UNSEEN, .closes = true,
	  .remedy = "say tapctl add --owner and let the VMM open the tap by its name" },
	{ .names = "expect ssh tmux", .how = RUNS_UNSEEN, .closes = true },
	{ .names = "podman", .how = RUNS_UNSEEN, .closes = true,
	  .unless = "preserve-fds preserve-fd",
	  .remedy = "say podman run --preserve-fds=N, of N descriptors from 3 upwards" },
	{ .names = "start-stop-daemon", .values = "x a p n u c g s R d r N k P I O exec startas "
		"pidfile name user chuid group signal retry chroot chdir nicelevel umask",
	  .how = RUNS_UNSEEN, .closes = true, .unless = "C no-close", .only = "b background",
	  .remedy = "say start-stop-daemon --no-close" },
};
/* clang-format on */

/* What the options of a wrapper say. */
struct seen {
	bool unless, only;
	const char *user, *text;
};

bool args_listed(const char *list, const char *name, size_t len)
{
	for (; list && *list; list += strspn(list, " ")) {
		size_t here = strcspn(list, " ");
		bool prefix = here > 1 && list[here - 1] == '*';

		if (prefix ? len >= here - 1 && strncmp(list, name, here - 1) == 0 :
			     len == here && strncmp(list, name, len) == 0)
			return true;
		list += here;
	}
	return false;
}

static enum args_vmm find_vmm(const char *name)
{
	enum args_vmm vmm = VMM_UML;

	while (vmm > VMM_UNKNOWN && !args_listed(vmms[vmm], name, strlen(name)))
		vmm--;
	return vmm;
}

static const struct wrapper *find_wrapper(const char *name)
{
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(*wrappers); i++)
		if (args_listed(wrappers[i].names, name, strlen(name)))
			return &wrappers[i];
	return NULL;
}

/* NAME=VALUE, which env and a shell take in front of a program. */
static bool is_assignment(const char *word)
{
	size_t len = 0;

	while (isalnum((unsigned char)word[len]) || word[len] == '_')
		len++;
	return len > 0 && word[len] == '=';
}

/* Read the option at @words, letters behind one dash or a name behind two. Returns the words behind
 * it. */
static char *const *read_option(struct seen *seen, const struct wrapper *row, char *const words[])
{
	const char *name = *words++ + 1;
	bool is_name = *name == '-';
	size_t len;

	for (name += is_name; *name; name += len) {
		bool has_value;
		const char *value;

		len = is_name ? strcspn(name, "=") : 1;
		has_value = args_listed(row->values, name, len);
		value = name[len] ? name + len + is_name : *words;
		seen->unless |= args_listed(row->unless, name, len);
		seen->only |= args_listed(row->only, name, len);
		if (args_listed(row->user, name, len))
			seen->user = value;
		if (args_listed(row->text, name, len))
			seen->text = value;
		if (is_name || has_value)
			return words + (has_value && !name[len] && *words);
	}
	return words;
}

static void read_text(struct args_program *program, const char *text, unsigned depth);

/* The program that the wrapper @row at @words runs; NULL: it is not seen. */
static char *const *pass_wrapper(struct args_program *program, const struct wrapper *row,
				 const char *name, char *const words[], unsigned depth)
{
	struct seen seen = { 0 };
	bool everywhere = row->how == RUNS_DASHES || row->how == RUNS_UNSEEN;

	for (words++; *words && strcmp(*words, "--") != 0;) {
		if ((*words)[0] == '-' && (*words)[1])
			words = read_option(&seen, row, words);
		else if (everywhere)
			words++;
		else
			break;
	}
	words += *words && strcmp(*words, "--") == 0;
	for (unsigned places = row->places; *words && places > 0; places--)
		words++;
	program->opens |= row->how == RUNS_DASHES;
	if (row->closes && !program->closing.name && !seen.unless && (!row->only || seen.only))
		program->closing = (struct args_closing){ name, row->remedy, seen.user };
	if (seen.text && row->how == RUNS_TEXT)
		seen.text = *words;
	if (seen.text)
		read_text(program, seen.text, depth + 1);
	return row->how == RUNS || row->how == RUNS_DASHES ? words : NULL;
}

/* One command: its wrappers, and the VMM if it is one. */
static void read_command(struct args_program *program, char *const words[], unsigned depth)
{
	while (words && *words) {
		const char *slash = strrchr(*words, '/'), *name = slash ? slash + 1 : *words;
		const struct wrapper *row = find_wrapper(name);
		enum args_vmm vmm = is_assignment(*words) ? VMM_UNKNOWN : find_vmm(name);

		if (vmm != VMM_UNKNOWN) {
			program->vmms++;
			program->vmm = vmm;
			program->words = words;
			return;
		}
		if (is_assignment(*words))
			words++;
		else
			words = row ? pass_wrapper(program, row, name, words, depth) : NULL;
	}
}

/* Words that a shell will make of a text: NULL behind each command, and once more at the end. */
struct shell_words {
	struct shell_words *next;
	char *words[];
};

/* A text that is taken apart. */
struct cutter {
	char *out;
	char **words;
	size_t count;
	bool inside; /* a word */
	bool is_target; /* the next one belongs to a redirection */
};

static void end_word(struct cutter *cutter)
{
	if (cutter->inside) {
		*cutter->out++ = '\0';
		cutter->count -= cutter->is_target;
		cutter->inside = cutter->is_target = false;
	}
}

/* What ends a word, at @at. Returns its last character. */
static const char *cut_operator(struct cutter *cutter, const char *at, bool *opens)
{
	const char *word = cutter->inside ? cutter->words[cutter->count - 1] : "";
	bool number = *at == '<' || *at == '>';

	*cutter->out = '\0';
	number &= *word && !word[strspn(word, "0123456789")];
	*opens |= number && strtoul(word, NULL, 10) > 2;
	cutter->is_target |= number;
	end_word(cutter);
	if (*at == '<' || *at == '>') {
		cutter->is_target = true;
		return at + strspn(at, "<>&|") - 1;
	}
	if (*at != ' ' && *at != '\t' && cutter->count && cutter->words[cutter->count - 1])
		cutter->words[cutter->count++] = NULL;
	return at;
}

/* Words without their quotes; variables stay as they are written. False where the shell would run
 * something for a word or take its input from the text, or an end is missing. */
static bool cut_text(struct cutter *cutter, const char *at, bool *opens)
{
	for (char quote = '\0';; at++) {
		bool literal = quote == '\'', escaped = !literal && *at == '\\' && at[1];

		if ((!literal && (*at == '`' || strncmp(at, "$(", 2) == 0)) || (quote && !*at) ||
		    (!quote && (strncmp(at, "<<", 2) == 0 || strncmp(at, "<(", 2) == 0)))
			return false;
		if (!quote && strchr(" \t\n;&|()<>", *at)) {
			at = cut_operator(cutter, at, opens);
			if (!*at)
				return true;
			continue;
		}
		if (!quote && !cutter->inside && *at == '#') {
			at += strcspn(at, "\n") - 1;
			continue;
		}
		if (escaped && *++at == '\n')
			continue;
		if (!cutter->inside)
			cutter->words[cutter->count++] = cutter->out;
		cutter->inside = true;
		if (!escaped && (quote ? *at == quote : *at == '\'' || *at == '"'))
			quote = (char)(quote ? 0 : *at);
		else
			*cutter->out++ = *at;
	}
}

/* Each command of a text. That one closes its descriptors counts where the VMM is behind it, or
 * nothing else is in the text. */
static void read_text(struct args_program *program, const char *text, unsigned depth)
{
	enum { DEPTH_MAX = 4 };
	size_t len = strlen(text), count = len + 3;
	struct shell_words *shell;
	struct cutter cutter;

	if (depth > DEPTH_MAX)
		return;
	shell = calloc(1, sizeof(*shell) + count * sizeof(*shell->words) + len + 2);
	if (!shell) {
		program->no_memory = true;
		return;
	}
	shell->next = program->shells;
	program->shells = shell;
	cutter = (struct cutter){ .words = shell->words, .out = (char *)(shell->words + count) };
	if (!cut_text(&cutter, text, &program->opens))
		return;
	for (char **words = shell->words; *words; words++) {
		struct args_closing closing = program->closing;
		unsigned before = program->vmms;
		bool alone = words == shell->words;

		read_command(program, words, depth);
		while (*words)
			words++;
		if (program->vmms == before && !(alone && !words[1]))
			program->closing = closing;
	}
}

void args_program_find(struct args_program *program, char *const words[])
{
	*program = (struct args_program){ 0 };
	read_command(program, words, 0);
	if (program->vmms != 1)
		program->words = NULL;
}

void args_program_end(struct args_program *program)
{
	while (program->shells) {
		struct shell_words *shell = program->shells;

		program->shells = shell->next;
		free(shell);
	}
}

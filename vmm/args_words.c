/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/args_words.h"

static const struct {
	const char *pattern;
	enum args_vmm vmm;
} vmms[] = {
	{ "qemu-system-*", VMM_QEMU },
	{ "qemu-kvm*", VMM_QEMU },
	{ "kvm", VMM_QEMU },
	{ "qemu", VMM_QEMU },
	{ "stratovirt", VMM_QEMU },
	{ "crosvm", VMM_CROSVM },
	{ "cloud-hypervisor*", VMM_CLOUD_HYPERVISOR },
	{ "lkvm*", VMM_LKVM },
	{ "kvmtool", VMM_LKVM },
	{ "firecracker*", VMM_FIRECRACKER },
	{ "solo5-hvt", VMM_SOLO5 },
	{ "solo5-spt", VMM_SOLO5 },
	{ "linux.uml", VMM_UML },
	{ "linux", VMM_UML },
};

/* An option that is not named here is taken for one without a value. */
static const struct wrapper wrappers[] = {
	{ .names = "busybox command dbus-run-session do eatmydata else if linux32 linux64 nohup "
		   "setsid then until valgrind while { !" },
	{ .names = "chroot setarch setuidgid taskset", .places = 1 },
	{ .names = "chrt",
	  .values = "T P D sched-runtime sched-period sched-deadline",
	  .places = 1 },
	{ .names = "flock", .values = "E w conflict-exit-code timeout wait", .places = 1 },
	{ .names = "timeout", .values = "k s kill-after signal", .places = 1 },
	{ .names = "cgexec", .values = "g" },
	{ .names = "choom", .values = "n adjust" },
	{ .names = "dumb-init tini catatonit", .values = "p e r rewrite" },
	{ .names = "env", .values = "u C a unset chdir argv0" },
	{ .names = "exec", .values = "a" },
	{ .names = "fakeroot", .values = "l f s i b" },
	{ .names = "ionice", .values = "c n class classdata" },
	{ .names = "ltrace", .values = "a A b D e F l n o p s u w x" },
	{ .names = "nice", .values = "n adjustment" },
	{ .names = "nsenter", .values = "t S G W target setuid setgid wdns" },
	{ .names = "numactl",
	  .values = "i p P N C m w interleave preferred preferred-many cpunodebind physcpubind "
		    "membind weighted-interleave" },
	{ .names = "prlimit", .values = "o output" },
	{ .names = "rlwrap", .values = "a b C D f g H l m M O p q s S t w z" },
	{ .names = "setpriv",
	  .values = "reuid regid ruid euid rgid egid groups ambient-caps inh-caps bounding-set "
		    "securebits pdeathsig selinux-label apparmor-profile landlock-access "
		    "landlock-rule seccomp-filter ptracer" },
	{ .names = "softlimit", .values = "a c d f l m o p r s t" },
	{ .names = "stdbuf", .values = "i o e input output error" },
	{ .names = "strace",
	  .values = "a b e E I o O p P s S u U X attach env output user trace string-limit" },
	{ .names = "systemd-cat",
	  .values = "t p identifier priority stderr-priority level-prefix namespace" },
	{ .names = "systemd-inhibit", .values = "what who why mode" },
	{ .names = "time", .values = "f o format output" },
	{ .names = "unshare",
	  .values = "S G R w setuid setgid root wd propagation setgroups map-user map-users "
		    "map-group map-groups monotonic boottime load-interp" },
	{ .names = "xvfb-run", .values = "e f n p s w" },

	{ .names = "ash bash dash ksh sh zsh",
	  .values = "o O rcfile init-file",
	  .kind = WRAPS_TEXT },
	{ .names = "su",
	  .values = "c g G s T w command session-command group supp-group shell "
		    "whitelist-environment",
	  .text = "c command session-command",
	  .kind = WRAPS_ANYWHERE },
	{ .names = "script",
	  .values = "c E I O B T o m command echo log-in log-out log-io log-timing output-limit",
	  .text = "c command",
	  .kind = WRAPS_ANYWHERE },
	{ .names = "runuser",
	  .values = "u g G c user group supp-group command",
	  .text = "c command" },

	{ .names = "sudo",
	  .values = "C D g h p R r T t U u chdir chroot close-from group host prompt role type "
		    "command-timeout other-user user",
	  .closes = true,
	  .unless = "C close-from",
	  .user = "u user" },
	{ .names = "doas", .values = "C u", .closes = true, .user = "u" },
	{ .names = "pkexec", .values = "user", .closes = true, .user = "user" },
	{ .names = "run0",
	  .values = "u g D unit property description slice user group nice chdir setenv background "
		    "machine",
	  .closes = true,
	  .user = "u user" },
	{ .names = "systemd-run",
	  .values = "p E u H M unit property description slice uid gid nice setenv host machine "
		    "service-type working-directory path-property socket-property timer-property "
		    "on-active on-boot on-calendar",
	  .closes = true,
	  .unless = "scope",
	  .user = "uid",
	  .remedy = "say systemd-run --scope" },
	{ .names = "firejail",
	  .closes = true,
	  .unless = "keep-fd",
	  .remedy = "say firejail --keep-fd=all" },
	{ .names = "screen", .values = "c e h p s S t T x", .closes = true },
	{ .names = "unbuffer", .closes = true },
	{ .names = "daemon", .values = "n u e i O o E r F P C M A L X name user", .closes = true },
	{ .names = "expect", .kind = WRAPS_UNSEEN, .closes = true },
	{ .names = "tmux", .kind = WRAPS_UNSEEN, .closes = true },
	{ .names = "ssh", .kind = WRAPS_UNSEEN, .closes = true },
	{ .names = "docker", .kind = WRAPS_UNSEEN, .closes = true },
	{ .names = "podman",
	  .kind = WRAPS_UNSEEN,
	  .closes = true,
	  .unless = "preserve-fds preserve-fd",
	  .remedy = "say podman run --preserve-fds=N, of N descriptors from 3 upwards" },
	{ .names = "start-stop-daemon",
	  .values = "x a p n u c g s R d r N k P I O exec startas pidfile name user chuid group "
		    "signal retry chroot chdir nicelevel umask procsched iosched ppid pid output",
	  .kind = WRAPS_UNSEEN,
	  .closes = true,
	  .unless = "C no-close",
	  .only = "b background",
	  .remedy = "say start-stop-daemon --no-close" },
};

/* What the options of a wrapper say. */
struct seen {
	bool unless, only, dash_c;
	const char *user, *text;
};

bool args_listed(const char *list, const char *name, size_t len)
{
	for (; list && *list; list += strspn(list, " ")) {
		size_t here = strcspn(list, " ");

		if (here == len && strncmp(list, name, len) == 0)
			return true;
		list += here;
	}
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static enum args_vmm find_vmm(const char *name)
{
	for (size_t i = 0; i < sizeof(vmms) / sizeof(*vmms); i++)
		if (fnmatch(vmms[i].pattern, name, 0) == 0)
			return vmms[i].vmm;
	return VMM_UNKNOWN;
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

static void note(struct seen *seen, const struct wrapper *row, const char *name, size_t len,
		 const char *value)
{
	seen->unless |= args_listed(row->unless, name, len);
	seen->only |= args_listed(row->only, name, len);
	seen->dash_c |= len == 1 && *name == 'c';
	if (args_listed(row->user, name, len))
		seen->user = value;
	if (args_listed(row->text, name, len))
		seen->text = value;
}

/* Read the option *@words, letters behind one dash or a name behind two. Returns how many words it
 * takes. */
static size_t read_option(struct seen *seen, const struct wrapper *row, char *const words[])
{
	const char *name = words[0] + 1;
	size_t len = strcspn(name, "=");
	bool has_value;

	if (*name == '-') {
		name++, len--;
		has_value = args_listed(row->values, name, len);
		note(seen, row, name, len,
		     name[len] ? name + len + 1 :
		     has_value ? words[1] :
				 NULL);
		return has_value && !name[len] && words[1] ? 2 : 1;
	}
	for (; *name; name++) {
		has_value = args_listed(row->values, name, 1);
		note(seen, row, name, 1, !has_value ? NULL : name[1] ? name + 1 : words[1]);
		if (has_value)
			return !name[1] && words[1] ? 2 : 1;
	}
	return 1;
}

static int read_command(struct args_program *program, char *const words[], unsigned depth);
static int read_text(struct args_program *program, const char *text, unsigned depth);

/* Go on behind the wrapper *@words, to the program in *@next; NULL: it is not seen. */
static int pass_wrapper(struct args_program *program, const struct wrapper *row,
			char *const words[], char *const **next, unsigned depth)
{
	struct seen seen = { 0 };
	bool everywhere = row->kind == WRAPS_ANYWHERE || row->kind == WRAPS_UNSEEN;
	unsigned places = row->places;

	for (words++; *words && strcmp(*words, "--") != 0;) {
		if ((*words)[0] == '-' && (*words)[1])
			words += read_option(&seen, row, words);
		else if (everywhere)
			words++;
		else
			break;
	}
	words += *words && strcmp(*words, "--") == 0;
	while (*words && places-- > 0)
		words++;
	if (row->closes && !program->closing && !seen.unless && (!row->only || seen.only)) {
		program->closing = row;
		program->user = seen.user;
	}
	*next = everywhere ? NULL : words;
	if (row->kind == WRAPS_TEXT) {
		*next = NULL;
		seen.text = seen.dash_c ? *words : NULL;
	}
	return seen.text ? read_text(program, seen.text, depth + 1) : 0;
}

/* Of the inner one of two tapctls this one's descriptors are inherited, and it opens others. */
static char *const *pass_inner(struct args_program *program, char *const words[])
{
	program->opens = true;
	while (*words && strcmp(*words, "--") != 0)
		words++;
	return *words ? words + 1 : words;
}

static char *const *pass_netns(char *const words[])
{
	bool runs = words[1] && words[2] && words[3] && strcmp(words[2], "exec") == 0;

	return runs ? words + 4 : NULL;
}

/* One command: its wrappers, and the VMM if it is one. */
static int read_command(struct args_program *program, char *const words[], unsigned depth)
{
	while (words && *words) {
		const char *name = base_name(*words);
		const struct wrapper *row = find_wrapper(name);
		enum args_vmm vmm = find_vmm(name);
		int err = 0;

		if (vmm != VMM_UNKNOWN) {
			program->vmms++;
			program->vmm = vmm;
			program->words = words;
			return 0;
		}
		if (is_assignment(*words))
			words++;
		else if (row)
			err = pass_wrapper(program, row, words, &words, depth);
		else if (strcmp(name, "tapctl") == 0)
			words = pass_inner(program, words);
		else
			words = strcmp(name, "ip") == 0 ? pass_netns(words) : NULL;
		if (err)
			return err;
	}
	return 0;
}

/* A shell's text while it is taken apart into shell_words. */
struct cutter {
	const char *at;
	char *out;
	char **words;
	size_t count;
	bool opens; /* a redirection of a descriptor from 3 upwards */
};

/* The word at cutter->at, without its quotes; variables stay as they are written. False where the
 * shell would run something for it or an end is missing. */
static bool cut_word(struct cutter *cutter)
{
	char quote = 0;

	cutter->words[cutter->count++] = cutter->out;
	for (; *cutter->at; cutter->at++) {
		char c = *cutter->at;

		if (c == quote && c) {
			quote = 0;
			continue;
		}
		if (quote != '\'') {
			if (c == '`' || (c == '$' && cutter->at[1] == '('))
				return false;
			if (c == '\\' && cutter->at[1]) {
				c = *++cutter->at;
				if (c != '\n')
					*cutter->out++ = c;
				continue;
			}
			if (!quote && (c == '\'' || c == '"')) {
				quote = c;
				continue;
			}
			if (!quote && strchr(" \t\n;&|()<>", c))
				break;
		}
		*cutter->out++ = c;
	}
	*cutter->out++ = '\0';
	return !quote;
}

/* A redirection, with the number in front of it and its target. */
static bool cut_redirection(struct cutter *cutter, const char *begin)
{
	const char *last = cutter->count ? cutter->words[cutter->count - 1] : NULL;
	bool number = last && cutter->at > begin && isdigit((unsigned char)cutter->at[-1]) &&
		      last[strspn(last, "0123456789")] == '\0';

	if (strncmp(cutter->at, "<<", 2) == 0 || cutter->at[1] == '(')
		return false;
	cutter->opens |= number && strtoul(last, NULL, 10) > 2;
	cutter->count -= number;
	cutter->at += strspn(cutter->at, "<>&|");
	cutter->at += strspn(cutter->at, " \t");
	if (!cut_word(cutter))
		return false;
	cutter->count--;
	return true;
}

static bool cut_text(struct cutter *cutter, const char *text)
{
	for (cutter->at = text; *cutter->at;) {
		char c = *cutter->at;

		if (c == ' ' || c == '\t') {
			cutter->at++;
		} else if (c == '\\' && cutter->at[1] == '\n') {
			cutter->at += 2;
		} else if (c == '#') {
			cutter->at += strcspn(cutter->at, "\n");
		} else if (strchr("\n;&|()", c)) {
			cutter->at++;
			if (cutter->count && cutter->words[cutter->count - 1])
				cutter->words[cutter->count++] = NULL;
		} else if (c == '<' || c == '>') {
			if (!cut_redirection(cutter, text))
				return false;
		} else if (!cut_word(cutter)) {
			return false;
		}
	}
	if (cutter->count && cutter->words[cutter->count - 1])
		cutter->words[cutter->count++] = NULL;
	cutter->words[cutter->count] = NULL;
	return true;
}

/* Each command of a cut text. That one closes its descriptors counts where the VMM is behind it, or
 * nothing else is in the text. */
static int read_commands(struct args_program *program, char **words, unsigned depth)
{
	char **const begin = words;
	int err = 0;

	while (*words && !err) {
		const struct wrapper *closing = program->closing;
		unsigned before = program->vmms;
		char **const command = words;

		err = read_command(program, command, depth);
		while (*words)
			words++;
		words++;
		if (program->vmms == before && (command != begin || *words))
			program->closing = closing;
	}
	return err;
}

static int read_text(struct args_program *program, const char *text, unsigned depth)
{
	enum { DEPTH_MAX = 4 };
	size_t len = strlen(text);
	struct shell_words *shell;
	struct cutter cutter = { 0 };

	if (depth > DEPTH_MAX)
		return 0;
	shell = calloc(1, sizeof(*shell));
	if (!shell)
		return -ENOMEM;
	shell->next = program->shells;
	program->shells = shell;
	shell->text = cutter.out = malloc(2 * len + 2);
	shell->words = cutter.words = calloc(len + 3, sizeof(*shell->words));
	if (!cutter.out || !cutter.words)
		return -ENOMEM;
	if (!cut_text(&cutter, text))
		return 0;
	program->opens |= cutter.opens;
	return read_commands(program, cutter.words, depth);
}

int args_program_find(struct args_program *program, char *const words[])
{
	int err;

	*program = (struct args_program){ 0 };
	err = read_command(program, words, 0);
	if (program->vmms != 1)
		program->words = NULL;
	return err;
}

void args_program_end(struct args_program *program)
{
	while (program->shells) {
		struct shell_words *shell = program->shells;

		program->shells = shell->next;
		free(shell->words);
		free(shell->text);
		free(shell);
	}
}

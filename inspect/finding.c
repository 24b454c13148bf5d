/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inspect/finding.h"
#include "kernel/sysfs.h"
#include "lib/array.h"
#include "lib/json.h"

/* What was found at a first look, and of which link. */
struct seen {
	int ifindex;
	const char *id;
	unsigned count;
};

const char *severity_name(enum severity severity)
{
	static const char *const names[] = { "note", "warning", "error" };

	return names[severity];
}

static void keep_seen(struct check *check, int ifindex, const char *id, unsigned count)
{
	struct seen *seen = array_grow(check->seen, check->count, sizeof(*seen));

	if (!seen) {
		check->err = -ENOMEM;
		return;
	}
	check->seen = seen;
	check->seen[check->count++] = (struct seen){ .ifindex = ifindex, .id = id, .count = count };
}

static const struct seen *find_seen(struct check *check, int ifindex, const char *id)
{
	for (size_t i = 0; i < check->count; i++) {
		size_t k = (check->next + i) % check->count;

		if (check->seen[k].ifindex != ifindex || strcmp(check->seen[k].id, id) != 0)
			continue;
		check->next = k + 1;
		return &check->seen[k];
	}
	return NULL;
}

bool grew(struct check *check, const struct link *link, const char *id, unsigned count)
{
	const struct seen *before;

	if (!check->tell) {
		check->patient = true;
		keep_seen(check, link->ifindex, id, count);
		return false;
	}
	before = find_seen(check, link->ifindex, id);
	return before && count != before->count;
}

void find(struct check *check, const struct link *link, enum severity severity, const char *id,
	  const char *fmt, ...)
{
	struct finding finding = { .name = link->name, .id = id, .severity = severity };
	char text[512], *end;
	va_list args;

	if (!check->tell) {
		keep_seen(check, link->ifindex, id, 0);
		return;
	}
	if (!find_seen(check, link->ifindex, id))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	end = strchrnul(text, '\n');
	finding.problem = text;
	finding.remedy = *end ? end + 1 : end;
	*end = '\0';
	check->tell(&finding, check->data);
}

void finding_print_json(FILE *out, const struct finding *finding, bool first)
{
	fputs(first ? "[{\"name\":" : ",\n{\"name\":", out);
	json_string(out, finding->name);
	json_member(out, "id", finding->id);
	json_member(out, "severity", severity_name(finding->severity));
	json_member(out, "problem", finding->problem);
	json_member(out, "remedy", finding->remedy);
	putc('}', out);
}

void miss(struct check *check, enum unseen what)
{
	check->missed |= 1U << what;
}

void tell_missed(const struct check *check)
{
	static const char *const names[UNSEEN_COUNT] = {
		[UNSEEN_PROCESSES] = "some processes",
		[UNSEEN_FIREWALL] = "the rules of nftables",
		[UNSEEN_LEGACY] = "the legacy rules of iptables, arptables or ebtables",
		[UNSEEN_ADDRESSES] = "whether somebody has set a bridge's address",
		[UNSEEN_SETTINGS] = "the settings in /proc/sys/net",
	};
	struct finding finding = { .name = "",
				   .id = "not-looked-at",
				   .problem = NULL,
				   .remedy = "to see that, run it as root, on the host" };
	char text[256];
	int len = 0;

	for (enum unseen what = 0; what < UNSEEN_COUNT; what++) {
		if (!(check->missed & 1U << what))
			continue;
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s",
				len ? "; " : "not looked at: ", names[what]);
		finding.problem = text;
	}
	if (check->missed == 1U << UNSEEN_LEGACY)
		finding.remedy = "look at them: iptables-legacy-save, arptables-legacy-save, "
				 "ebtables-legacy-save";
	if (finding.problem)
		check->tell(&finding, check->data);
}

int setting_read(struct check *check, const char *fmt, ...)
{
	char path[128] = "/proc/sys/net/";
	size_t len = strlen(path);
	unsigned value = 0;
	va_list args;

	va_start(args, fmt);
	vsnprintf(path + len, sizeof(path) - len, fmt, args);
	va_end(args);
	if (sysfs_read_numbers(AT_FDCWD, path, &value, NULL) == 1)
		return (int)value;
	if (access("/proc/sys/net/ipv4/ip_forward", F_OK) < 0)
		miss(check, UNSEEN_SETTINGS);
	return -1;
}

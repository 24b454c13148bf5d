/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "inspect/finding.h"
#include "kernel/sysfs.h"
#include "lib/array.h"
#include "lib/json.h"

/* What was found at a first look, and of which link. */
struct seen {
	int ifindex;
	const char *id;
};

static void keep_seen(struct check *check, int ifindex, const char *id)
{
	struct seen *seen = array_grow(check->seen, check->count, sizeof(*seen));

	if (!seen) {
		check->err = -ENOMEM;
		return;
	}
	check->seen = seen;
	check->seen[check->count++] = (struct seen){ .ifindex = ifindex, .id = id };
}

static bool was_seen(struct check *check, int ifindex, const char *id)
{
	for (size_t i = 0; i < check->count; i++) {
		size_t k = (check->next + i) % check->count;

		if (check->seen[k].ifindex != ifindex || strcmp(check->seen[k].id, id) != 0)
			continue;
		check->next = k + 1;
		return true;
	}
	return false;
}

void find(struct check *check, const struct link *link, enum severity severity, const char *id,
	  const char *fmt, ...)
{
	struct finding finding = { .name = link->name, .id = id, .error = severity == ERROR };
	char text[512], *end;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!check->tell) {
		keep_seen(check, link->ifindex, id);
		return;
	}
	if (!was_seen(check, link->ifindex, id))
		return;
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
	json_member(out, "severity", finding->error ? "error" : "warning");
	json_member(out, "problem", finding->problem);
	json_member(out, "remedy", finding->remedy);
	putc('}', out);
}

bool setting_is_on(const char *setting)
{
	char path[128];
	unsigned value = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", setting);
	return sysfs_read_numbers(AT_FDCWD, path, &value, NULL) == 1 && value;
}

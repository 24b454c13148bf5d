/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report.h"

#define LINE 512
#define SUBJECT 128 /* a longer subject must not push the reason off the line */

struct line {
	const char *word;
	char text[LINE];
	size_t subject; /* its length, or 0 */
	size_t remedy; /* where it begins, or 0 */
};

static struct line error_line = { .word = "" };
static struct {
	report_fn *tell;
	enum report_kind most;
} listener;

/* What scripts know a failure by, where no more is known than its errno. */
static const char *word_of(int err)
{
	static const struct {
		int err;
		const char *word;
	} words[] = {
		{ EEXIST, "exists" },
		{ EBUSY, "in-use" },
		{ ENODEV, "no-such-device" },
		{ EPERM, "not-permitted" },
		{ EACCES, "not-permitted" },
		{ EOPNOTSUPP, "not-supported" },
		{ EADDRINUSE, "address-in-use" },
		{ EXFULL, "bridge-full" },
		{ ESTALE, "differs" },
		{ EBADFD, "disappeared" },
		{ E2BIG, "too-long" },
		{ EINVAL, "invalid" },
		{ ENOMEM, "no-memory" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i].err == -err)
			return words[i].word;
	return "failed";
}

/* How long the first @len bytes of @fmt become. */
static size_t prefix_length(const char *fmt, size_t len, va_list ap)
{
	char prefix[LINE];
	int n;

	if (len >= sizeof(prefix))
		return 0;
	memcpy(prefix, fmt, len);
	prefix[len] = '\0';
	n = vsnprintf(NULL, 0, prefix, ap);
	return n > 0 ? (size_t)n : 0;
}

static void find_parts(struct line *line, const char *fmt, va_list ap)
{
	const char *colon = strstr(fmt, ": "), *newline = strchr(fmt, '\n');
	va_list copy;

	line->subject = line->remedy = 0;
	if (colon && (!newline || colon < newline) && strncmp(fmt, "cannot ", 7) != 0) {
		va_copy(copy, ap);
		line->subject = prefix_length(fmt, (size_t)(colon - fmt), copy);
		va_end(copy);
	}
	if (newline) {
		va_copy(copy, ap);
		line->remedy = prefix_length(fmt, (size_t)(newline - fmt), copy) + 1;
		va_end(copy);
	}
}

static void format_line(struct line *line, const char *fmt, va_list ap)
{
	char *text;

	find_parts(line, fmt, ap);
	if (vasprintf(&text, fmt, ap) < 0) {
		*line = (struct line){ .word = line->word, .text = "out of memory" };
		return;
	}
	if (strlen(text) >= LINE && line->subject > SUBJECT) {
		size_t cut = line->subject - SUBJECT;

		memmove(text + SUBJECT, text + line->subject, strlen(text + line->subject) + 1);
		memcpy(text + SUBJECT - 3, "...", 3);
		line->subject = SUBJECT;
		line->remedy -= line->remedy ? cut : 0;
	}
	/* A remedy may be "", where there is one in some cases only. */
	if (line->remedy && !text[line->remedy]) {
		text[line->remedy - 1] = '\0';
		line->remedy = 0;
	}
	if (line->remedy >= LINE)
		line->remedy = 0;
	if (line->remedy)
		snprintf(line->text, LINE, "%.*s: %s", (int)line->remedy - 1, text,
			 text + line->remedy);
	else
		snprintf(line->text, LINE, "%s", text);
	line->remedy += line->remedy ? 1 : 0;
	free(text);
}

int report_error(int err, const char *fmt, ...)
{
	va_list ap;

	if (error_line.text[0])
		return err;
	error_line.word = word_of(err);
	va_start(ap, fmt);
	format_line(&error_line, fmt, ap);
	va_end(ap);
	return err;
}

int report_failure(const char *word, int err, const char *fmt, ...)
{
	va_list ap;

	if (error_line.text[0])
		return err;
	error_line.word = word;
	va_start(ap, fmt);
	format_line(&error_line, fmt, ap);
	va_end(ap);
	return err;
}

void report_misuse(void)
{
	if (strcmp(error_line.word, word_of(-EINVAL)) == 0)
		error_line.word = "usage";
}

const char *report_line(void)
{
	return error_line.text;
}

void report_get_parts(struct report_parts *parts)
{
	static char text[LINE];
	size_t message = error_line.subject ? error_line.subject + 2 : 0;

	memcpy(text, error_line.text, LINE);
	*parts = (struct report_parts){ .word = error_line.word, .message = text + message };
	if (error_line.subject) {
		bool quoted = text[0] == '\'' && text[error_line.subject - 1] == '\'';

		text[error_line.subject - quoted] = '\0';
		parts->subject = text + quoted;
	}
	if (error_line.remedy) {
		text[error_line.remedy - 2] = '\0';
		parts->remedy = text + error_line.remedy;
	}
}

void report_forget(void)
{
	error_line.text[0] = '\0';
}

void report_to(report_fn *tell, enum report_kind most)
{
	listener.tell = tell;
	listener.most = most;
}

void report_tell(enum report_kind kind, const char *fmt, ...)
{
	struct line line = { .word = "" };
	va_list ap;

	if (!listener.tell || kind > listener.most)
		return;
	va_start(ap, fmt);
	format_line(&line, fmt, ap);
	va_end(ap);
	listener.tell(kind, line.text);
}

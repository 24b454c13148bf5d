/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report.h"

#define LINE 512
#define SUBJECT 128 /* a longer subject must not push the reason off the line */

static char error_line[LINE];
static report_fn *listener;

/* Into @line; the subject is what stands before the first ": ". */
static void format_line(char line[static LINE], const char *fmt, va_list ap)
{
	const char *reason;
	char *text;

	if (vasprintf(&text, fmt, ap) < 0) {
		snprintf(line, LINE, "out of memory");
		return;
	}
	reason = strstr(text, ": ");
	if (strlen(text) >= LINE && reason && reason - text > SUBJECT)
		snprintf(line, LINE, "%.*s...%s", SUBJECT, text, reason);
	else
		snprintf(line, LINE, "%s", text);
	free(text);
}

int report_error(int err, const char *fmt, ...)
{
	va_list ap;

	if (error_line[0])
		return err;
	va_start(ap, fmt);
	format_line(error_line, fmt, ap);
	va_end(ap);
	return err;
}

const char *report_line(void)
{
	return error_line;
}

void report_forget(void)
{
	error_line[0] = '\0';
}

void report_to(report_fn *tell)
{
	listener = tell;
}

void report_tell(enum report_kind kind, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	if (!listener)
		return;
	va_start(ap, fmt);
	format_line(line, fmt, ap);
	va_end(ap);
	listener(kind, line);
}

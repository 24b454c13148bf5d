/* SPDX-License-Identifier: MIT */
/*
 * Untrusted text, written as JSON for programs or for a terminal.
 *
 * Names and aliases come from the kernel, commands from /proc: whatever bytes they contain, the
 * JSON is valid and no control byte reaches a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* A string as JSON, in quotes. Bytes that are not UTF-8 become U+FFFD. */
void json_string(FILE *out, const char *text);

/* One more member of an object, with a comma before it: a string (NULL: null), a boolean, a number
 * (unless it is @known: null). */
void json_member(FILE *out, const char *key, const char *text);
void json_member_bool(FILE *out, const char *key, bool value);
void json_member_number(FILE *out, const char *key, bool known, unsigned number);

/* JSON as @fmt has it, with ' for ", %s for a string, in quotes, and %d for a number. */
void json_format(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A string for a terminal: whatever it or its reader would act on becomes question marks, one a
 * byte; so does all that is not ASCII, unless the locale is one of UTF-8. */
void plain_string(FILE *out, const char *text);

/* Whether the locale is one of UTF-8, as the environment says, without reading it: what is not
 * takes bytes for signs. */
bool plain_is_utf8(void);

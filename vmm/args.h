/* SPDX-License-Identifier: MIT */
/*
 * What the words of COMMAND mean to the VMM among them: which card of the guest is on which file
 * descriptor, and which address it has.
 *
 * The words are read once, as the VMM will read them: behind env, nice, timeout, `sh -c` and other
 * programs that run a program, in key=value form or as JSON. Everything else is asked of the table
 * that comes of it. What cannot be known (a script, a file that is read, a shell variable) says
 * nothing: a false alarm costs more than a missing warning.
 *
 * Pure: it looks at strings, prints nothing, and opens nothing but libjansson, when there is JSON.
 * The time is that of sorting the words.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "macutil.h"

struct args;

/* Read @words, which end with NULL and have to stay until args_free(). NULL: no memory. */
struct args *args_read(char *const words[]);
void args_free(struct args *args);

/* What COMMAND says of its guest's address. */
enum args_answer {
	ARGS_NONE, /* nothing */
	ARGS_ONE,
	ARGS_SEVERAL, /* different ones */
	ARGS_INVALID, /* only @text, which is not an address; it goes on behind @length */
	ARGS_MENTIONED, /* the address macs[0] stands in or behind @text, which is not known */
};

enum { ARGS_MACS = 3 };

struct args_guest {
	enum args_answer answer;
	bool named; /* the answer is for the cards on these descriptors, and not for any card */
	uint8_t macs[ARGS_MACS][MAC_LEN]; /* the first @count different ones */
	size_t count;
	const char *text; /* until args_free() */
	int length;
};

/*
 * The address of the card on the descriptors @first to @first + @count - 1, or, where COMMAND names
 * none of them, that of any card. The words of a program that is not known, or not all of whose
 * words are, are searched for mac=ADDRESS, macaddr=ADDRESS and "mac":"ADDRESS".
 */
void args_find_guest(const struct args *args, int first, unsigned count, struct args_guest *guest);

/* A NIC that is handed over. */
struct args_nic {
	uint8_t guest[MAC_LEN];
	const char *name; /* of the device */
	int fd, vhost_fd; /* the first of @queues each; vhost_fd -1: there are none */
	unsigned queues;
};

/* Where the warnings go: a line each, "SUBJECT: what is wrong: what to write instead". */
typedef void args_warn_fn(void *context, const char *line);

/*
 * Compare the table with what is handed over, once. @is_open tells of any other descriptor whether
 * COMMAND inherits it. 0 or -ENOMEM.
 */
int args_check(struct args *args, const struct args_nic nics[], size_t count,
	       bool (*is_open)(int fd), args_warn_fn *warn, void *context);

/* The name that a running VM has by its command line (-name or -uuid of qemu's, --name, --id). It
 * stays until args_free(); NULL: none. */
const char *args_vm_name(const struct args *args);

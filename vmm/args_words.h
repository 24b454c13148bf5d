/* SPDX-License-Identifier: MIT */
/*
 * Which of COMMAND's words is the VMM: behind programs that run a program (env, nice, sh -c), and
 * whether one of these closes the descriptors that it was given.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum args_vmm {
	VMM_UNKNOWN,
	VMM_QEMU,
	VMM_CROSVM,
	VMM_CLOUD_HYPERVISOR,
	VMM_LKVM,
	VMM_FIRECRACKER,
	VMM_SOLO5,
	VMM_UML,
};

/* A program that runs another one. */
struct wrapper {
	const char *names; /* lists of words, as the other strings */
	const char *values; /* its options that have a value, by letter and by name */
	const char *text; /* those whose value is a shell's text */
	unsigned places; /* how many words stand between its options and the program */
	enum { WRAPS, WRAPS_TEXT, WRAPS_ANYWHERE, WRAPS_UNSEEN } kind;
	bool closes; /* the descriptors from 3 upwards, */
	const char *unless, *only; /* unless one of these options is there, or only with one */
	const char *user; /* the option that says which user the program is to be */
	const char *remedy; /* what to write where it closes them; NULL: put it in front */
};

/* Words that a shell will make of a text. */
struct shell_words {
	char **words; /* NULL behind each command, and once more at the end */
	char *text;
	struct shell_words *next;
};

struct args_program {
	enum args_vmm vmm;
	char *const *words; /* from the VMM's name on; NULL: there is none, or more than one */
	unsigned vmms;
	const struct wrapper *closing; /* what closes the descriptors before the VMM gets them */
	const char *user; /* who the program behind it is to be */
	bool opens; /* a word in front may open descriptors of its own */
	struct shell_words *shells;
};

/* Find it in @words, which have to stay; free with args_program_end(). 0 or -ENOMEM. */
int args_program_find(struct args_program *program, char *const words[]);
void args_program_end(struct args_program *program);

/* Whether @name, of @len bytes, is one of the words of @list. */
bool args_listed(const char *list, const char *name, size_t len);

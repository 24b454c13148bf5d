/* SPDX-License-Identifier: MIT */
/*
 * The parts of args.h, for each other: args_program.c finds the VMM among the words, args_options.c
 * makes a table of its options, args_check.c compares that with what is handed over.
 */
#pragma once

#include "vmm/args.h"

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

/* What closes the descriptors from 3 upwards before the VMM gets them. */
struct args_closing {
	const char *name; /* NULL: nothing does */
	const char *remedy; /* what to write for it; NULL: put it in front */
	const char *user; /* who the program behind it is to be, or NULL */
};

struct args_program {
	enum args_vmm vmm;
	char *const *words; /* from the VMM's name on; NULL: there is none, or more than one */
	unsigned vmms;
	struct args_closing closing;
	bool opens; /* a word in front may open descriptors of its own */
	bool no_memory;
	struct shell_words *shells;
};

/* Find it in @words, which have to stay; free with args_program_end() in any case. */
void args_program_find(struct args_program *program, char *const words[]);
void args_program_end(struct args_program *program);

/* Whether @name, of @len bytes, is one of the words of @list, of which A* stands for all that begin
 * with A. */
bool args_listed(const char *list, const char *name, size_t len);

enum { KEYS_OF_FDS = 4 };

/* One kind of option that has to do with network devices. */
struct option_kind {
	enum args_vmm vmm;
	const char *names;
	enum {
		READ_KEYS, /* KEY=VALUE,... */
		READ_JSON, /* that or JSON */
		READ_LIST, /* several words of KEY=VALUE,... */
		READ_PLAIN, /* the value of one key; all such options are one device */
		READ_NAME, /* the VM's */
		READ_SET, /* GROUP.ID.KEY=VALUE, of another option */
		READ_GLOBAL, /* DRIVER.KEY=VALUE, of all cards */
		READ_MONITOR,
		READ_UNCLEAR, /* it brings what is not seen here, or no guest starts at all */
		READ_NOTHING, /* whatever its value looks like, it is not for us */
	} how;
	enum { MAKES_NETDEV = 1, MAKES_CARD = 2, MAKES_BOTH = 3 } makes;
	const char *first; /* the key of a first value without one */
	const char *mac; /* the key of the card's address */
	const char *link; /* the key of what is the same on a card and on its netdev */
	const char *fds[KEYS_OF_FDS]; /* the keys of one and of several, then those of vhost's */
};

struct option_key {
	const char *key, *value;
	struct option_key *next;
};

struct option {
	const struct option_kind *kind;
	const char *word; /* as it is written, with its dashes */
	struct option_key *keys, **end;
	bool netdev, card; /* what it makes */
	const char *link; /* the same text where a card is on a netdev; NULL: on no other's */
	bool is_set; /* some of its keys are -set's */
	bool told; /* a warning says how to write it */
};

/* A descriptor that an option names. */
struct option_fd {
	int fd;
	bool vhost;
	struct option *option;
};

struct option_table {
	struct option *options; /* the last is without a kind */
	void *memory; /* of the others, and of the text that keys point into */
	struct option_fd *fds;
	struct option_key *keys;
	char *text;
	size_t count, fd_count, key_count, set_count;
	bool networks; /* some option has to do with them */
	bool unclear; /* there may be more than was read */
	bool plugged; /* a monitor may add what is missing */
	const char *vm_name;
};

/* Read the options of @vmm in @words, its name first, into a table of zeros. False: no memory. */
bool option_table_read(struct option_table *table, enum args_vmm vmm, char *const words[]);

/* The value of the last @key, which is the one that counts, or NULL. */
const char *option_get(const struct option *option, const char *key);

/* The address that the option gives its card, as it is written, or NULL. */
const char *option_mac(const struct option *option);

/* Whether @card is on @netdev. */
bool option_is_linked(const struct option *card, const struct option *netdev);

/* The card on @netdev (NULL: any card) behind @last (NULL: the first), or NULL. */
struct option *option_next_card(const struct option_table *table, const struct option *netdev,
				const struct option *last);

struct args {
	char *const *words;
	struct args_program program;
	struct option_table table;
};

/* Add to @guest what stands behind mac=, macaddr= and "mac": in @words. */
void args_search_words(struct args_guest *guest, char *const words[]);

/* The next address at or behind @at, in any spelling, or NULL. */
const char *args_next_mac(const char *at, uint8_t mac[static MAC_LEN]);

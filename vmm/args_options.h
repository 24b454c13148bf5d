/* SPDX-License-Identifier: MIT */
/*
 * The options of a VMM that are about network devices: descriptor -> netdev -> card -> address.
 *
 * Pure but for loading libjansson.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "vmm/args_words.h"

/* How a VMM writes descriptors: the key of one, and that of several with what stands between. */
struct fd_keys {
	const char *fd, *fds, *separator;
	const char *vhostfd, *vhostfds;
};

/* One kind of option. */
struct option_kind {
	enum args_vmm vmm;
	const char *names;
	enum { MAKES_NOTHING, MAKES_NETDEV = 1, MAKES_CARD = 2, MAKES_BOTH = 3 } makes;
	enum {
		FORM_KEYS, /* KEY=VALUE,... */
		FORM_JSON, /* that or JSON */
		FORM_LIST, /* several words of KEY=VALUE,... */
		FORM_PLAIN, /* the value of one key; all such options are one device */
	} form;
	const char *first; /* the key of a first value without one */
	const char *mac; /* the key of the card's address */
	const struct fd_keys *fds;
};

/* A word that is taken apart. */
struct option_text {
	struct option_text *next;
	char text[];
};

struct option_key {
	const char *key, *value;
};

struct option {
	const struct option_kind *kind;
	const char *word; /* as it is written, with its dashes */
	struct option_key *keys;
	size_t key_count;
	char *text; /* what the keys point into */
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
	struct option_text *texts;
	struct option *options;
	size_t count, netdev_count;
	struct option **cards; /* in the order of their links */
	size_t card_count;
	struct option_fd *fds; /* in the order of their numbers, vhost behind others */
	size_t fd_count;
	bool unclear; /* there may be more than was read */
	bool unclear_fds, unclear_macs; /* the same of descriptors and of addresses alone */
	bool plugged; /* a monitor may add what is missing */
	const char *vm_name;
};

/* Read the options of @vmm in @words, its name first. 0 or -ENOMEM; free it in any case. */
int option_table_read(struct option_table *table, enum args_vmm vmm, char *const words[]);
void option_table_free(struct option_table *table);

/* How @vmm writes descriptors; NULL: it takes none. */
const struct fd_keys *option_fd_keys(enum args_vmm vmm);

/* The value of the last @key, which is the one that counts, or NULL. */
const char *option_get(const struct option *option, const char *key);

/* The address that the option gives its card, as it is written, or NULL. */
const char *option_mac(const struct option *option);

/* The cards on @netdev; @count says how many. */
struct option *const *option_cards(const struct option_table *table, const struct option *netdev,
				   size_t *count);

/* The places where the descriptor @fd is named; @count says how many. */
const struct option_fd *option_fds(const struct option_table *table, int fd, bool vhost,
				   size_t *count);

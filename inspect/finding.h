/* SPDX-License-Identifier: MIT */
/*
 * Findings: what is wrong, and what to do, told only when it is so at a second look.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "inspect/inventory.h"
#include "kernel/nftables.h"

enum severity {
	NOTE, /* true, by design, worth knowing: not a fault */
	WARNING, /* something may not get through, or not always */
	ERROR, /* nothing gets through */
};

struct finding {
	const char *name; /* of the link that it is about */
	const char *id; /* programs rely on it: it never changes */
	enum severity severity;
	const char *problem, *remedy;
};

/* "note", "warning" or "error". */
const char *severity_name(enum severity severity);

/* As the next object of a JSON array; the first one begins it. */
void finding_print_json(FILE *out, const struct finding *finding, bool first);

typedef void finding_fn(const struct finding *finding, void *data);

/* One check: what was read for the present look, and what was found at the first. */
struct check {
	struct nl *nl;
	struct inventory inventory;
	struct nft_rules rules;
	const struct link *outside; /* by which the host reaches other networks, or NULL */
	bool outside_shut; /* it forwards nothing that comes in, like answers to guests */
	int connections, connections_max; /* that its firewall knows; -1: it keeps none */
	finding_fn *tell; /* NULL: at the first look */
	void *data;
	struct seen *seen;
	size_t count;
	size_t next; /* of seen: most are found again in the same order */
	bool patient; /* the second look is to be a second later */
	bool steps; /* are told, at the first look */
	unsigned missed; /* 1U << enum unseen */
	int err; /* -ENOMEM: not all were kept */
	/* of Open vSwitch, where a device is on it, or was: */
	struct ovs_ports rows;
	bool rows_known, no_ovs; /* no_ovs: nobody listens where its database would */
};

/*
 * Something is wrong with @link. The problem and the remedy are the two lines of @fmt. Kept at the
 * first look, told at the second when it was seen at the first.
 */
void find(struct check *check, const struct link *link, enum severity severity, const char *id,
	  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/*
 * Whether what @link has counted under @id is more than at the first look, at which nothing is
 * known yet. With it the looks are a second apart: long enough for a guest that talks.
 */
bool grew(struct check *check, const struct link *link, const char *id, unsigned count);

/* What a caller may not be able to look at: silence about it is not an all-clear. */
enum unseen {
	UNSEEN_PROCESSES, /* who has what open */
	UNSEEN_FIREWALL,
	UNSEEN_LEGACY, /* of iptables and ebtables */
	UNSEEN_ADDRESSES, /* which of them were set */
	UNSEEN_SETTINGS,
	UNSEEN_COUNT,
};
void miss(struct check *check, enum unseen what);

/* The last finding, not-looked-at, of no link, when anything could not be looked at. */
void tell_missed(const struct check *check);

/* The number in /proc/sys/net, which shows the caller's network namespace, at the path that @fmt
 * makes; -1: there is none. */
int setting_read(struct check *check, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

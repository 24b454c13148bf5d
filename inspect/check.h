/* SPDX-License-Identifier: MIT */
/*
 * Why a guest does not get through: what is wrong with its device and with what lies between that
 * and the wire.
 *
 * It reads, and changes nothing. What is merely unusual is no finding.
 */
#pragma once

#include <stdbool.h>

#include "netlink.h"
#include "lib/report.h"
#include "inspect/select.h"

struct finding {
	const char *name; /* of the link that it is about */
	const char *id; /* the same for ever: programs know it */
	bool error; /* nothing gets through; else it may, or will not always */
	const char *problem, *remedy;
};
typedef void finding_fn(const struct finding *finding, void *data);

/*
 * Tell what is wrong with the devices of @selection (NULL: all taps and macvtaps of tapctl's), with
 * their bridges and with their lower devices. Returns 0, also when there are findings, or a
 * negative errno with a line of error.
 */
int check_devices(struct nl *nl, const struct selection *selection, finding_fn *tell, void *data);

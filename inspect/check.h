/* SPDX-License-Identifier: MIT */
/*
 * Why a guest does not get through: what is wrong with its device, the bridge or lower device, and
 * the uplink.
 *
 * It changes nothing. What is merely unusual is not a finding.
 */
#pragma once

#include "inspect/finding.h"
#include "inspect/select.h"

/*
 * Tell what is wrong with the devices of @selection (NULL: all taps and macvtaps of tapctl's),
 * their bridges and their lower devices; a bridge or lower device stands for the devices on it.
 * With @steps, what was looked at is told as well (lib/report.h).
 * Returns 0, also when there are findings, or a negative errno with a line of error.
 */
int check_devices(struct nl *nl, const struct selection *selection, bool steps, finding_fn *tell,
		  void *data);

/* SPDX-License-Identifier: MIT */
/*
 * tapctl pin: make a bridge keep its address.
 */
#include <errno.h>

#include "commands/command.h"
#include "lib/parse.h"
#include "lib/report.h"

static int find_bridge(struct nl *nl, const char *name, struct link *link)
{
	char mac[MAC_STRLEN];
	int err = command_find_bridge(nl, name, link);

	if (err)
		return err;
	if (mac_fault(link->address))
		return report_error(-EADDRNOTAVAIL,
				    "%s: its address %s %s\ngive it a port first, or "
				    "an address: ip link set %s address ADDRESS",
				    name, mac_format(mac, link->address), mac_fault(link->address),
				    name);
	return 0;
}

static int run_pin(struct run *run)
{
	const char *name = run->words[0], *fault = parse_name_fault(name, false);
	struct nl_result result;
	char mac[MAC_STRLEN];
	struct link link;
	int err;

	if (fault) {
		report_error(-EINVAL, "'%s': %s", name, fault);
		return EXIT_USAGE;
	}
	err = find_bridge(run->nl, name, &link);
	if (err)
		return err;
	result = nl_link_set_address(run->nl, link.ifindex, link.address);
	if (result.err)
		return report_error(result.err, "%s: cannot set its address: %s\n%s", name,
				    nl_result_text(&result),
				    result.err == -EPERM ? "run it with sudo" : "");
	report_tell(REPORT_STEP, "%s: keeps the address %s", name, mac_format(mac, link.address));
	return 0;
}

const struct command command_pin = {
	.name = "pin",
	.words = "BRIDGE",
	.summary = "make a bridge keep its address",
	.options = FOR_PIN,
	.min_words = 1,
	.max_words = 1,
	.wants_netlink = true,
	.run = run_pin,
};

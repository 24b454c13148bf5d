/* SPDX-License-Identifier: MIT */
/*
 * tapctl mac: the host-side address for a guest's, and new addresses for guests.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "lib/report.h"
#include "macutil.h"

static void print_mac(const struct run *run, const uint8_t *guest, size_t index)
{
	char guest_text[MAC_STRLEN], host_text[MAC_STRLEN], tap[MAC_NAMELEN], macvtap[MAC_NAMELEN];
	uint8_t host[MAC_LEN];

	mac_derive_host(host, guest);
	mac_format(guest_text, guest);
	mac_format(host_text, host);
	mac_name(tap, "tap", guest);
	mac_name(macvtap, "mvt", guest);
	if (run->options.json)
		printf("%s{\"guest_mac\":\"%s\",\"host_mac\":\"%s\","
		       "\"tap\":\"%s\",\"macvtap\":\"%s\"}",
		       index ? ",\n" : "[", guest_text, host_text, tap, macvtap);
	else
		puts(run->options.random ? guest_text : host_text);
}

/* All are checked before the first is printed. */
static int check_words(const char **words)
{
	uint8_t mac[MAC_LEN];

	for (; *words; words++) {
		if (!mac_parse(mac, *words))
			return report_error(-EINVAL,
					    "'%s': is not a MAC address\nwrite one like "
					    "52:54:00:84:e3:62",
					    *words);
		if (mac_fault(mac))
			return report_error(-EINVAL, "%s: %s: no guest can have it", *words,
					    mac_fault(mac));
	}
	return 0;
}

static int run_mac(struct run *run)
{
	uint8_t mac[MAC_LEN];
	size_t count = 0;
	int err;

	if (run->options.random == (run->words[0] != NULL)) {
		report_error(-EINVAL, "mac: takes either addresses or --random\ngive one of "
				      "them");
		return EXIT_USAGE;
	}
	if (check_words(run->words) < 0)
		return EXIT_USAGE;
	if (run->options.random) {
		err = mac_draw(mac);
		if (err)
			return report_error(err, "cannot draw an address: %s", strerror(-err));
		print_mac(run, mac, count++);
	}
	for (const char **word = run->words; *word && mac_parse(mac, *word); word++)
		print_mac(run, mac, count++);
	if (run->options.json)
		puts("]");
	return command_flush_output();
}

const struct command command_mac = {
	.name = "mac",
	.words = "[MAC...]",
	.summary = "print the host-side address for a guest's",
	.options = FOR_MAC,
	.max_words = -1,
	.unprivileged = true,
	.run = run_mac,
};

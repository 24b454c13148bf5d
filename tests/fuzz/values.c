/* SPDX-License-Identifier: MIT */
/* The values of options: numbers, device names, modes, VLANs, addresses, rates. */
#include <ctype.h>
#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "commands/values.h"
#include "kernel/bridge.h"
#include "lib/parse.h"
#include "lib/prefix.h"
#include "lib/rate.h"
#include "lib/report.h"
#include "nic/nic.h"

static void check_number(const char *text)
{
	static const unsigned long ranges[][2] = {
		{ 0, 1 << 20 }, { 1, 256 }, { 68, 65535 }, { 0, 4294967294 }, { 0, -1UL }, { 1, 4 },
	};
	bool digits = *text && text[strspn(text, "0123456789")] == '\0';
	unsigned long number, expected;

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		errno = 0;
		expected = strtoul(text, NULL, 10);
		number = 7;
		if (parse_number(&number, text, ranges[i][0], ranges[i][1]))
			always(digits && errno == 0 && number == expected &&
				       number >= ranges[i][0] && number <= ranges[i][1],
			       "a number is what strtoul says and in its range");
		else
			always(number == 7 && (!digits || errno || expected < ranges[i][0] ||
					       expected > ranges[i][1]),
			       "what is refused is no number of the range");
	}
}

static void check_name(const char *text)
{
	bool plain = !parse_name_fault(text, false), pattern = !parse_name_fault(text, true);

	always(!plain || pattern, "a name is a pattern, too");
	if (!pattern)
		return;
	always(*text && strlen(text) < IFNAMSIZ, "a name has 1 to 15 bytes");
	always(strcmp(text, ".") != 0 && strcmp(text, "..") != 0, "and is no directory");
	always(!strpbrk(text, "/:"), "and holds nothing that the kernel refuses");
	for (const char *c = text; *c; c++)
		always((unsigned char)*c > ' ' && *c != 0x7f && *c != '\xa0',
		       "nor anything that the kernel takes for a space");
	always(plain == !strchr(text, '%'), "only a pattern holds a %");
	always(plain || (strstr(text, "%d") && strchr(text, '%') == strrchr(text, '%')),
	       "which is one %d");
}

static void check_vlans(const char *text)
{
	static const struct option_rule rule = { .name = "vlan" };
	struct port_policy policy = { .vlan_count = 99, .hairpin = true }, again;
	char list[64 * 5 + 1] = "";
	size_t at = 0;

	report_forget();
	if (value_vlans(&policy, &rule, text) < 0) {
		always(policy.vlan_count == 99, "a list that is refused leaves the result alone");
		return;
	}
	always(policy.hairpin && !policy.locked, "only the VLANs change");
	always(policy.vlan_count >= 1 && policy.vlan_count <= 64, "there are 1 to 64");
	for (unsigned i = 0; i < policy.vlan_count; i++) {
		always(policy.vlans[i] >= 1 && policy.vlans[i] <= VLAN_MAX, "each of 1 to 4094");
		for (unsigned k = 0; k < i; k++)
			always(policy.vlans[i] != policy.vlans[k], "each once");
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%u", i ? "," : "",
				       policy.vlans[i]);
	}
	always(value_vlans(&again, &rule, list) == 0 && again.vlan_count == policy.vlan_count &&
		       memcmp(again.vlans, policy.vlans,
			      policy.vlan_count * sizeof(*again.vlans)) == 0,
	       "a list that is printed is read again");
}

static void check_prefixes(const char *text)
{
	struct prefixes prefixes, again;
	char list[PREFIXES_MAX * IP_STRLEN] = "", word[IP_STRLEN];
	size_t at = 0;

	if (prefixes_parse(&prefixes, text))
		return;
	always(prefixes.count && prefixes.count <= PREFIXES_MAX, "a list has 1 to 32 addresses");
	for (unsigned i = 0; i < prefixes.count; i++)
		at += (size_t)sprintf(list + at, "%s%s", i ? "," : "",
				      prefix_format(word, &prefixes.list[i]));
	always(!prefixes_parse(&again, list) && prefixes_equal(&prefixes, &again),
	       "it is read the same when it is written");
}

static void check_rate(const char *text)
{
	struct rate rate = { .bytes = 7 }, again;
	char word[RATE_TEXT];

	if (rate_parse(&rate, text)) {
		always(rate.bytes == 7, "what is refused changes nothing");
		return;
	}
	always(rate.bytes >= 1000, "a rate is at least 8kbit");
	always(!rate.burst || rate.burst >= BURST_LEAST, "its burst holds two frames");
	always(!rate_parse(&again, rate_format(word, &rate)) && rate_equal(&rate, &again),
	       "it is read the same when it is written");
}

static void check_addresses(const char *text)
{
	static const struct option_rule rule = { .name = "address" };
	struct ip_addresses addresses = { .count = 99 };

	report_forget();
	if (value_addresses(&addresses, &rule, text) < 0) {
		always(addresses.count == 99, "a list that is refused leaves the result alone");
		return;
	}
	always(addresses.count >= 1 && addresses.count <= 8, "there are 1 to 8");
	for (unsigned i = 0; i < addresses.count; i++) {
		struct ip_address again;
		char one[IP_STRLEN];

		ip_format(one, &addresses.list[i]);
		always(ip_parse_span(&again, one, strlen(one), false) &&
			       ip_equal(&again, &addresses.list[i]),
		       "an address that is printed is read again");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = as_string(data, size);
	enum macvtap_mode mode;

	check_number(text);
	check_name(text);
	check_vlans(text);
	check_prefixes(text);
	check_rate(text);
	check_addresses(text);
	if (macvtap_mode_parse(&mode, text))
		always(strcmp(macvtap_mode_name(mode), text) == 0, "a mode is printed as read");
	free(text);
	return 0;
}

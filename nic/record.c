/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/parse.h"
#include "lib/report.h"
#include "nic/record.h"

#define GUEST "tapctl guest " /* and the guest's address */
#define HOST "tapctl host"

static const char *const makers[] = { [RECORD_BY_ADD] = "add", [RECORD_BY_EXEC] = "exec" };

const char *record_maker_name(enum record_maker by)
{
	return makers[by];
}

/* --- writing --- */

/* The alias under construction; @len grows beyond what there is room for. */
struct text {
	char *alias;
	size_t len;
};

static void add(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *fmt, ...)
{
	size_t at = text->len < LINK_ALIAS ? text->len : LINK_ALIAS;
	va_list ap;

	va_start(ap, fmt);
	text->len += (size_t)vsnprintf(text->alias + at, LINK_ALIAS - at, fmt, ap);
	va_end(ap);
}

/* 10,20-29: neighbours as ranges; the first one is the PVID. */
static void add_vlans(struct text *text, const struct port_policy *policy)
{
	for (unsigned i = 0, end; i < policy->vlan_count; i = end) {
		end = i + 1;
		while (end < policy->vlan_count && policy->vlans[end] == policy->vlans[end - 1] + 1)
			end++;
		add(text, "%s%u", i ? "," : " vlan=", policy->vlans[i]);
		if (end - i > 1)
			add(text, "-%u", policy->vlans[end - 1]);
	}
}

static void add_traffic(struct text *text, const struct traffic *traffic)
{
	char word[IP_STRLEN > RATE_TEXT ? IP_STRLEN : RATE_TEXT];

	for (unsigned i = 0; i < traffic->ip.count; i++)
		add(text, "%s%s", i ? "," : " ip=", prefix_format(word, &traffic->ip.list[i]));
	if (traffic->in.bytes)
		add(text, " in=%s", rate_format(word, &traffic->in));
	if (traffic->out.bytes)
		add(text, " out=%s", rate_format(word, &traffic->out));
}

bool record_write(char alias[static LINK_ALIAS], const struct record *record)
{
	struct text text = { .alias = alias };
	char mac[MAC_STRLEN];

	if (record->host)
		add(&text, HOST);
	else
		add(&text, GUEST "%s", mac_format(mac, record->guest));
	if (record->by != RECORD_OLD)
		add(&text, " by=%s", makers[record->by]);
	if (record->parent[0])
		add(&text, " on=%s", record->parent);
	if (record->ovs[0])
		add(&text, " ovs=%s", record->ovs);
	if (record->iface_id[0])
		add(&text, " iface-id=%s", record->iface_id);
	if (record->policy.isolated)
		add(&text, " isolated");
	if (record->policy.locked)
		add(&text, " locked");
	if (record->policy.hairpin)
		add(&text, " hairpin");
	add_vlans(&text, &record->policy);
	if (record->mtu)
		add(&text, " mtu=%u", record->mtu);
	add_traffic(&text, &record->traffic);
	return text.len < LINK_ALIAS;
}

/* --- reading --- */

/* "10,20-29" into @policy. */
static bool read_ranges(struct port_policy *policy, char *text)
{
	unsigned long first, last;
	char *save, *part;

	policy->vlan_count = 0;
	for (part = strtok_r(text, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		char *dash = strchr(part, '-');

		if (dash)
			*dash = '\0';
		if (!parse_number(&first, part, 1, VLAN_MAX) ||
		    !parse_number(&last, dash ? dash + 1 : part, first, VLAN_MAX))
			return false;
		for (; first <= last; first++) {
			if (policy->vlan_count == sizeof(policy->vlans) / sizeof(*policy->vlans))
				return false;
			policy->vlans[policy->vlan_count++] = (uint16_t)first;
		}
	}
	return policy->vlan_count;
}

/* All of them, or none. */
static bool read_vlans(struct port_policy *policy, char *text)
{
	if (read_ranges(policy, text))
		return true;
	policy->vlan_count = 0;
	return false;
}

/* All of it, or nothing. */
static bool read_addresses(struct prefixes *ip, const char *text)
{
	if (!prefixes_parse(ip, text))
		return true;
	ip->count = 0;
	return false;
}

static bool read_maker(struct record *record, const char *value)
{
	for (enum record_maker by = RECORD_BY_ADD; by <= RECORD_BY_EXEC; by++) {
		if (strcmp(value, makers[by]) != 0)
			continue;
		record->by = by;
		return true;
	}
	return false;
}

static bool read_text(char *to, size_t size, const char *value)
{
	if (strlen(value) >= size)
		return false;
	memcpy(to, value, strlen(value) + 1);
	return true;
}

/* One word, which is taken apart in place. False: it is not known. */
static bool read_word(struct record *record, char *word)
{
	char *value = strchr(word, '=');
	unsigned long number;

	if (!value) {
		bool *flag = strcmp(word, "isolated") == 0 ? &record->policy.isolated :
			     strcmp(word, "locked") == 0   ? &record->policy.locked :
			     strcmp(word, "hairpin") == 0  ? &record->policy.hairpin :
							     NULL;

		if (flag)
			*flag = true;
		return flag;
	}
	*value++ = '\0';
	if (strcmp(word, "by") == 0)
		return read_maker(record, value);
	if (strcmp(word, "vlan") == 0)
		return read_vlans(&record->policy, value);
	if (strcmp(word, "ip") == 0)
		return read_addresses(&record->traffic.ip, value);
	if (strcmp(word, "in") == 0)
		return !rate_parse(&record->traffic.in, value);
	if (strcmp(word, "out") == 0)
		return !rate_parse(&record->traffic.out, value);
	if (strcmp(word, "on") == 0)
		return read_text(record->parent, sizeof(record->parent), value);
	if (strcmp(word, "ovs") == 0)
		return read_text(record->ovs, sizeof(record->ovs), value);
	if (strcmp(word, "iface-id") == 0)
		return read_text(record->iface_id, sizeof(record->iface_id), value);
	if (strcmp(word, "mtu") == 0 && parse_number(&number, value, 1, UINT32_MAX)) {
		record->mtu = (uint32_t)number;
		return true;
	}
	return false;
}

bool record_read(struct record *record, const struct link *link)
{
	char text[LINK_ALIAS], *words = text, *save, *word;

	*record = (struct record){ .host = record_is_host(link) };
	if (!record->host && !record_guest(record->guest, link))
		return false;
	snprintf(text, sizeof(text), "%s", link->alias);
	words += record->host ? strlen(HOST) : strlen(GUEST) + MAC_STRLEN - 1;
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		record->has_unknown |= !read_word(record, word);
	return true;
}

/* Whether @text, with its @len first bytes, is at the end of a word. */
static bool ends_word(const char *text, size_t len)
{
	return text[len] == '\0' || text[len] == ' ';
}

/* The first word of @words that @others lack, in its place; "" where there is none. */
static void keep_first_lacking(char words[static LINK_ALIAS], const char *others)
{
	char text[LINK_ALIAS], *save, *word;
	bool found = false;

	memcpy(text, words, LINK_ALIAS);
	words[0] = '\0';
	for (word = strtok_r(text, " ", &save); word && !found; word = strtok_r(NULL, " ", &save)) {
		size_t len = strlen(word);
		const char *at = others;

		while (*at && (strncmp(at, word, len) != 0 || !ends_word(at, len))) {
			at += strcspn(at, " ");
			at += strspn(at, " ");
		}
		found = !*at;
		if (found)
			memcpy(words, word, len + 1);
	}
}

bool record_differs(char is[static LINK_ALIAS], char wanted[static LINK_ALIAS])
{
	char was[LINK_ALIAS];

	memcpy(was, is, LINK_ALIAS);
	keep_first_lacking(is, wanted);
	keep_first_lacking(wanted, was);
	return is[0] || wanted[0];
}

void record_tell_unknown(const struct record *record, const struct link *link)
{
	if (record->has_unknown)
		report_tell(REPORT_STEP,
			    "%s: its record has a word that this tapctl does not know, and a newer "
			    "one may: %s",
			    link->name, link->alias);
}

bool record_guest(uint8_t guest[static MAC_LEN], const struct link *link)
{
	const char *mac = link->alias + strlen(GUEST);

	return link_is_tap(link) && strncmp(link->alias, GUEST, strlen(GUEST)) == 0 &&
	       strnlen(mac, MAC_STRLEN) >= MAC_STRLEN - 1 && ends_word(mac, MAC_STRLEN - 1) &&
	       mac_parse_span(guest, mac, MAC_STRLEN - 1);
}

bool record_is_host(const struct link *link)
{
	return link->kind == LINK_MACVLAN && strncmp(link->alias, HOST, strlen(HOST)) == 0 &&
	       ends_word(link->alias, strlen(HOST));
}

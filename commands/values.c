/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands/values.h"
#include "lib/parse.h"
#include "lib/privs.h"
#include "lib/report.h"
#include "nic/nic.h"

int value_flag(void *target, const struct option_rule *rule, const char *text)
{
	(void)rule, (void)text;
	*(bool *)target = true;
	return 0;
}

int value_number(void *target, const struct option_rule *rule, const char *text)
{
	unsigned long number;

	if (!parse_number(&number, text, rule->min, rule->max))
		return report_error(-EINVAL,
				    "--%s '%s': is not valid\nwrite a number from %u to %u",
				    rule->name, text, rule->min, rule->max);
	*(unsigned *)target = (unsigned)number;
	return 0;
}

int value_fd(void *target, const struct option_rule *rule, const char *text)
{
	unsigned long number;

	if (!parse_number(&number, text, rule->min, rule->max))
		return report_error(
			-EINVAL,
			"--%s '%s': is not valid\nwrite a file descriptor's number, like 3",
			rule->name, text);
	*(int *)target = (int)number;
	return 0;
}

int value_text(void *target, const struct option_rule *rule, const char *text)
{
	if (!*text || strlen(text) >= rule->max)
		return report_error(-EINVAL,
				    "--%s '%s': is not valid\nwrite a name, a PID or a path",
				    rule->name, text);
	memcpy(target, text, strlen(text) + 1);
	return 0;
}

/* A device name into @target; with @pattern it may contain one %d. */
static int read_name(char *target, const struct option_rule *rule, const char *text, bool pattern)
{
	const char *fault = parse_name_fault(text, pattern);

	if (fault)
		return report_error(-EINVAL, "--%s '%s': %s", rule->name, text, fault);
	memcpy(target, text, strlen(text) + 1);
	return 0;
}

int value_bridge(void *target, const struct option_rule *rule, const char *text)
{
	return read_name(target, rule, text, false);
}

int value_name(void *target, const struct option_rule *rule, const char *text)
{
	return read_name(target, rule, text, true);
}

/* --- a NIC --- */

int value_mac(void *target, const struct option_rule *rule, const char *text)
{
	const char *fault;
	uint8_t mac[MAC_LEN];
	int err;

	if (strcmp(text, "random") == 0) {
		err = mac_draw(target);
		return err ? report_error(err, "--%s random: cannot draw one: %s", rule->name,
					  strerror(-err)) :
			     0;
	}
	if (!mac_parse(mac, text))
		return report_error(-EINVAL,
				    "--%s '%s': is not a MAC address\nwrite one like "
				    "52:54:00:84:e3:62, or random",
				    rule->name, text);
	fault = mac_fault(mac);
	if (fault)
		return report_error(-EINVAL, "--%s %s: %s: no device can have it", rule->name, text,
				    fault);
	memcpy(target, mac, MAC_LEN);
	return 0;
}

int value_parent(void *target, const struct option_rule *rule, const char *text)
{
	struct nic_options *nic = target;
	int err = read_name(nic->parent, rule, text, false);

	/* --host may have come first; that is on a lower device, too. */
	if (!err && nic->kind != NIC_HOST)
		nic->kind = (enum nic_kind)rule->min;
	return err;
}

int value_kind(void *target, const struct option_rule *rule, const char *text)
{
	struct nic_options *nic = target;

	(void)text;
	nic->kind = (enum nic_kind)rule->min;
	if (nic->kind == NIC_UNATTACHED)
		nic->parent[0] = '\0';
	return 0;
}

/* A word of the record. */
int value_iface_id(void *target, const struct option_rule *rule, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			len = 0;
	if (!len || len >= rule->max)
		return report_error(-EINVAL,
				    "--%s '%s': is not valid\nwrite the name of a logical port, "
				    "without blanks and in ASCII",
				    rule->name, text);
	memcpy(target, text, len + 1);
	return 0;
}

int value_seconds(void *target, const struct option_rule *rule, const char *text)
{
	return value_number(target, rule, text ? text : "10");
}

int value_mode(void *target, const struct option_rule *rule, const char *text)
{
	if (!macvtap_mode_parse(target, text))
		return report_error(
			-EINVAL, "--%s '%s': is not valid\nwrite bridge, vepa, private or passthru",
			rule->name, text);
	return 0;
}

int value_vhost(void *target, const struct option_rule *rule, const char *text)
{
	enum vhost_mode *mode = target;

	if (!text || strcmp(text, "auto") == 0)
		*mode = VHOST_AUTO;
	else if (strcmp(text, "on") == 0)
		*mode = VHOST_ON;
	else
		return report_error(-EINVAL, "--%s=%s: is not valid\nwrite on or auto", rule->name,
				    text);
	return 0;
}

static bool parse_vlans(struct port_policy *policy, const char *text)
{
	unsigned long vid;
	char word[8];

	for (;; text++) {
		size_t len = strcspn(text, ",");

		if (len >= sizeof(word) ||
		    policy->vlan_count == sizeof(policy->vlans) / sizeof(*policy->vlans))
			return false;
		memcpy(word, text, len);
		word[len] = '\0';
		if (!parse_number(&vid, word, 1, VLAN_MAX))
			return false;
		for (unsigned i = 0; i < policy->vlan_count; i++)
			if (policy->vlans[i] == vid)
				return false;
		policy->vlans[policy->vlan_count++] = (uint16_t)vid;
		text += len;
		if (!*text)
			return true;
	}
}

int value_vlans(void *target, const struct option_rule *rule, const char *text)
{
	struct port_policy *policy = target, read = { .vlan_count = 0 };

	if (!parse_vlans(&read, text))
		return report_error(
			-EINVAL,
			"--%s '%s': is not valid\nwrite VLAN numbers from 1 to %d, each once, like "
			"10,20",
			rule->name, text, VLAN_MAX);
	policy->vlan_count = read.vlan_count;
	memcpy(policy->vlans, read.vlans, sizeof(read.vlans));
	return 0;
}

/* @at is the one that is refused, where it could be read. */
static int refuse_prefix(const struct option_rule *rule, const char *text, const char *fault,
			 const struct ip_address *at)
{
	struct ip_address cut = *at;
	char network[IP_STRLEN], address[IP_STRLEN];

	if (!prefix_cut(&cut))
		return report_error(-EINVAL,
				    "--%s '%s': %s\nwrite ADDR[/LEN][,ADDR...], like "
				    "10.0.1.2,fd00::2, or prefixes, like 10.0.1.0/28",
				    rule->name, text, fault);
	ip_format(address, at);
	address[strcspn(address, "/")] = '\0';
	return report_error(-EINVAL,
			    "--%s '%s': %s\nwrite %s for that address, or %s for its network",
			    rule->name, text, fault, address, ip_format(network, &cut));
}

int value_prefixes(void *target, const struct option_rule *rule, const char *text)
{
	struct prefixes read = { .count = 0 };
	const char *fault = prefixes_parse(&read, text);

	if (fault)
		return refuse_prefix(rule, text, fault,
				     &read.list[read.count < PREFIXES_MAX ? read.count : 0]);
	*(struct prefixes *)target = read;
	return 0;
}

int value_rate(void *target, const struct option_rule *rule, const char *text)
{
	const char *fault = rate_parse(target, text);

	return fault ? report_error(-EINVAL,
				    "--%s '%s': %s\nwrite one like 10mbit, 1.5gbit or 1000kbps, or "
				    "with a burst: 10mbit:256k",
				    rule->name, text, fault) :
		       0;
}

/* NULL, or what is wrong. */
static const char *parse_addresses(struct ip_addresses *addresses, const char *text)
{
	for (;; text++) {
		struct ip_address *ip = &addresses->list[addresses->count];
		size_t len = strcspn(text, ",");

		if (addresses->count == sizeof(addresses->list) / sizeof(*ip))
			return "has too many addresses";
		if (!ip_parse_span(ip, text, len, false))
			return "is not a list of IP addresses with their lengths";
		if (ip_fault(ip))
			return ip_fault(ip);
		for (unsigned i = 0; i < addresses->count; i++)
			if (ip_equal(&addresses->list[i], ip))
				return "has an address twice";
		addresses->count++;
		text += len;
		if (!*text)
			return NULL;
	}
}

int value_addresses(void *target, const struct option_rule *rule, const char *text)
{
	struct ip_addresses *addresses = target, read = { .count = 0 };
	const char *fault = parse_addresses(&read, text);

	if (fault)
		return report_error(-EINVAL,
				    "--%s '%s': %s\nwrite up to %zu addresses of this host's, each "
				    "once and with its length, like 192.0.2.1/24,fd00::1/64",
				    rule->name, text, fault,
				    sizeof(read.list) / sizeof(*read.list));
	*addresses = read;
	return 0;
}

/* --- users --- */

static bool find_user(uid_t *uid, const char *word)
{
	const struct passwd *entry;
	unsigned long number;

	if (parse_number(&number, word, 0, (uid_t)-2)) {
		*uid = (uid_t)number;
		return true;
	}
	entry = getpwnam(word);
	if (entry)
		*uid = entry->pw_uid;
	return entry;
}

static bool find_group(gid_t *gid, const char *word)
{
	const struct group *entry;
	unsigned long number;

	if (parse_number(&number, word, 0, (gid_t)-2)) {
		*gid = (gid_t)number;
		return true;
	}
	entry = getgrnam(word);
	if (entry)
		*gid = entry->gr_gid;
	return entry;
}

int value_owner(void *target, const struct option_rule *rule, const char *text)
{
	if (!find_user(target, text))
		return report_error(-EINVAL, "--%s '%s': there is no such user\n%s", rule->name,
				    text, strchr(text, ':') ? "give the group by --group" : "");
	return 0;
}

int value_group(void *target, const struct option_rule *rule, const char *text)
{
	if (!find_group(target, text))
		return report_error(-EINVAL, "--%s '%s': there is no such group", rule->name, text);
	return 0;
}

int value_user(void *target, const struct option_rule *rule, const char *text)
{
	const char *colon = strchrnul(text, ':');
	struct privs_user user = { .wanted = true };
	const struct passwd *entry;
	char word[sizeof(user.name)];
	size_t len = (size_t)(colon - text);

	if (len == 0 || len >= sizeof(word))
		return report_error(-EINVAL, "--%s '%s': is not valid\nwrite USER or USER:GROUP",
				    rule->name, text);
	memcpy(word, text, len);
	word[len] = '\0';
	if (!find_user(&user.uid, word))
		return report_error(-EINVAL, "--%s %s: there is no such user", rule->name, word);
	entry = getpwuid(user.uid);
	snprintf(user.name, sizeof(user.name), "%s", entry ? entry->pw_name : "");
	if (entry)
		user.gid = entry->pw_gid;
	if (*colon && !find_group(&user.gid, colon + 1))
		return report_error(-EINVAL, "--%s %s: there is no group '%s'", rule->name, text,
				    colon + 1);
	if (!*colon && !entry)
		return report_error(-EINVAL,
				    "--%s %s: no user has that number, so its group "
				    "is not known\nwrite %s:GROUP",
				    rule->name, word, word);
	*(struct privs_user *)target = user;
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "commands/options.h"
#include "commands/values.h"
#include "kernel/tap.h"
#include "lib/array.h"
#include "lib/report.h"
#include "lib/suggest.h"
#include "vmm/args.h"

#define NICS (FOR_ADD | FOR_EXEC)
#define ALL                                                                                       \
	(FOR_ADD | FOR_EXEC | FOR_LIST | FOR_CHECK | FOR_TRACE | FOR_DEL | FOR_ATTACH | FOR_PIN | \
	 FOR_HELPER)

#define BRIDGED (1U << NIC_BRIDGED)
#define MACVTAP (1U << NIC_MACVTAP)
#define HOST (1U << NIC_HOST)
#define UNATTACHED (1U << NIC_UNATTACHED)
#define OVS (1U << NIC_OVS)
#define GUEST (BRIDGED | UNATTACHED | MACVTAP | OVS) /* a kind that has queues */
#define KERNEL (GUEST & ~OVS) /* with traffic control of the kernel in its way */
#define ANY (GUEST | HOST)

#define NIC(field) offsetof(struct nic_options, field)
#define RUN(field) offsetof(struct options, field)

/*
 * Name, letter, value, help; reader, its min and max; commands, kinds of NIC, whether an
 * unprivileged caller may use it, where it goes.
 *
 * Such a caller may use what affects only its own device: no name that others rely on, no MTU or
 * VLAN of the bridge, no address tied to a port, no other device, user or namespace.
 */
/* clang-format off */
static const struct option_rule rules[] = {
	{ "mac", 'm', "MAC|random", "the guest's address; each begins another NIC",
	  value_mac, 0, 0, NICS, ANY, true, NIC(guest) },
	{ "bridge", 'b', "BRIDGE", "a tap on this bridge",
	  value_parent, NIC_BRIDGED, 0, NICS, BRIDGED, true, 0 },
	{ "link", 'l', "IFNAME", "a macvtap on this device",
	  value_parent, NIC_MACVTAP, 0, NICS, MACVTAP | HOST, true, 0 },
	{ "ovs", 0, "BRIDGE", "a tap on this bridge of Open vSwitch",
	  value_parent, NIC_OVS, 0, NICS, OVS, false, 0 },
	{ "iface-id", 0, "ID", "with --ovs: the logical port of OVN",
	  value_iface_id, 0, OVS_ID, NICS, OVS, false, NIC(iface_id) },
	{ "wait-installed", 0, "N",
	  "with --iface-id: wait for OVN, or fail",
	  value_seconds, 1, 3600, NICS, OVS, false, NIC(wait_installed) },
	{ "unattached", 0, NULL, "a tap on no bridge",
	  value_kind, NIC_UNATTACHED, 0, NICS, UNATTACHED, false, 0 },
	{ "address", 0, "IP/LEN,...", "with --unattached: the host's IP addresses",
	  value_addresses, 0, 0, NICS, UNATTACHED, false, NIC(addresses) },
	{ "mode", 0, "MODE", "of a macvtap: bridge, vepa, private, passthru",
	  value_mode, 0, 0, NICS, MACVTAP | HOST, true, NIC(mode) },
	{ "name", 'n', "NAME",
	  "its name, instead of tap or mvt and the digits",
	  value_name, 0, 0, NICS, ANY, false, NIC(name) },
	{ "mtu", 0, "N", "its MTU, instead of the bridge's or link's",
	  value_number, 68, 65535, NICS, ANY, false, NIC(mtu) },
	{ "queues", 'q', "N", "its queues, each an fd (default: 1)",
	  value_number, 1, QUEUES_MAX, NICS, GUEST, true, NIC(queues) },
	{ "vhost", 0, "on|auto",
	  "also a vhost fd per queue; auto: if possible",
	  value_vhost, 0, 0, NICS, GUEST, true, NIC(vhost) },
	{ "no-vnet-hdr", 0, NULL, "bare Ethernet frames, without IFF_VNET_HDR",
	  value_flag, 0, 0, NICS, GUEST, true, NIC(no_vnet_hdr) },
	{ "lock-mac", 0, NULL, "drop frames from any but the guest's address",
	  value_flag, 0, 0, NICS, BRIDGED, false, NIC(policy.locked) },
	{ "isolated", 0, NULL, "nothing from or to other isolated ports",
	  value_flag, 0, 0, NICS, BRIDGED, true, NIC(policy.isolated) },
	{ "hairpin", 0, NULL, "frames may leave where they came in",
	  value_flag, 0, 0, NICS, BRIDGED, false, NIC(policy.hairpin) },
	{ "vlan", 0, "VID,...", "the first VLAN untagged, the others tagged",
	  value_vlans, 0, 0, NICS, BRIDGED | OVS, false, NIC(policy) },
	{ "ip", 0, "ADDR,...", "drop frames from any other IP address",
	  value_prefixes, 0, 0, NICS, KERNEL, true, NIC(traffic.ip) },
	{ "limit-in", 0, "RATE", "bandwidth to the guest, like 100mbit",
	  value_rate, 0, 0, NICS, KERNEL, true, NIC(traffic.in) },
	{ "limit-out", 0, "RATE", "bandwidth from the guest",
	  value_rate, 0, 0, NICS, KERNEL, true, NIC(traffic.out) },
	{ "host", 0, NULL, "with --link: a macvlan for this host itself",
	  value_kind, NIC_HOST, 0, FOR_ADD, HOST, false, 0 },
	{ "owner", 'o', "USER", "the user who may open it without privilege",
	  value_owner, 0, 0, FOR_ADD, GUEST, false, NIC(owner) },
	{ "group", 'g', "GROUP", "the same for a group",
	  value_group, 0, 0, FOR_ADD, GUEST, false, NIC(group) },
	{ "may-exist", 0, NULL, "one that exists, as asked for, is no error",
	  value_flag, 0, 0, FOR_ADD, 0, false, RUN(may_exist) },
	{ "mac", 'm', "MAC", "the guest's address, if it is known",
	  value_mac, 0, 0, FOR_HELPER, BRIDGED, true, NIC(guest) },
	{ "br", 0, "BRIDGE", "the bridge",
	  value_parent, NIC_BRIDGED, 0, FOR_HELPER, BRIDGED, true, 0 },
	{ "fd", 0, "N", "the Unix socket that takes the tap's fd",
	  value_fd, 0, 1 << 20, FOR_HELPER, 0, true, RUN(fd) },
	{ "use-vnet", 0, NULL, "with IFF_VNET_HDR",
	  value_flag, 0, 0, FOR_HELPER, 0, true, RUN(use_vnet) },
	{ "fd", 'f', "N", "the first fd's number (default: 3)",
	  value_fd, 0, 1 << 20, FOR_EXEC, 0, true, RUN(fd) },
	{ "user", 'u', "USER[:GROUP]", "run COMMAND as this user, without privilege",
	  value_user, 0, 0, FOR_EXEC, 0, false, RUN(user) },
	{ "reuse", 0, NULL, "open the device when it exists; it then stays",
	  value_flag, 0, 0, FOR_EXEC, 0, false, RUN(reuse) },
	{ "dry-run", 0, NULL, "print the commands of ip and others instead",
	  value_flag, 0, 0, FOR_ADD | FOR_EXEC, 0, false, RUN(dry_run) },
	{ "no-audit", 0, NULL, "write nothing to the kernel's audit log",
	  value_flag, 0, 0, FOR_EXEC | FOR_HELPER, 0, false, RUN(no_audit) },
	{ "all", 'a', NULL, "all taps and macvtaps, not only tapctl's",
	  value_flag, 0, 0, FOR_LIST, 0, true, RUN(all) },
	{ "holders", 'H', NULL, "also which processes have them open",
	  value_flag, 0, 0, FOR_LIST, 0, true, RUN(holders) },
	{ "tree", 't', NULL, "bridges, their uplinks and guests, as a tree",
	  value_flag, 0, 0, FOR_LIST, 0, true, RUN(tree) },
	{ "force", 'f', NULL,
	  "also what others made, and what is in use",
	  value_flag, 0, 0, FOR_DEL, 0, false, RUN(force) },
	{ "if-exists", 0, NULL, "what does not exist is no error",
	  value_flag, 0, 0, FOR_DEL, 0, false, RUN(if_exists) },
	{ "stale", 's', NULL, "what exec has left: macvtaps, ports of OVS",
	  value_flag, 0, 0, FOR_DEL, 0, false, RUN(stale) },
	{ "bridge", 'b', "BRIDGE", "move the named taps to this bridge",
	  value_bridge, 0, 0, FOR_ATTACH, 0, false, RUN(bridge) },
	{ "seconds", 0, "N", "how long to listen (default: 5)",
	  value_number, 1, 86400, FOR_TRACE, 0, false, RUN(seconds) },
	{ "random", 'r', NULL, "print a new address for a guest",
	  value_flag, 0, 0, FOR_MAC, 0, true, RUN(random) },
	{ "json", 'j', NULL, "print JSON, also of an error",
	  value_flag, 0, 0, FOR_MAC | (ALL & ~FOR_HELPER), 0, true, RUN(json) },
	{ "netns", 'N', "NAME|PID|PATH", "work in that network namespace",
	  value_text, 0, sizeof(((struct options *)NULL)->netns), ALL, 0, false, RUN(netns) },
	{ "verbose", 'v', NULL, "report each step on stderr",
	  value_flag, 0, 0, ALL, 0, true, RUN(verbose) },
};
/* clang-format on */

enum { RULES = sizeof(rules) / sizeof(*rules) }; /* 63 at most: they are bits in a set */

static uint64_t bit(const struct option_rule *rule)
{
	return (uint64_t)1 << (rule - rules);
}

/* The options that say what a NIC is on: the last one counts. */
static bool says_kind(const struct option_rule *rule)
{
	return rule->read == value_parent || (rule->read == value_kind && rule->min != NIC_HOST);
}

static uint64_t all_that_say_kind(void)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < RULES; i++)
		bits |= says_kind(&rules[i]) ? bit(&rules[i]) : 0;
	return bits;
}

/* --- for popt --- */

/* A row of popt's: its number is that of the rule, from 1. */
static struct poptOption popt_row(const struct option_rule *rule)
{
	struct poptOption row = {
		.longName = rule->name,
		.shortName = rule->letter,
		.argInfo = rule->value ? POPT_ARG_STRING : POPT_ARG_NONE,
		.val = (int)(rule - rules) + 1,
		.descrip = rule->help,
		.argDescrip = rule->value,
	};

	if (rule->read == value_vhost || rule->read == value_seconds)
		row.argInfo |= POPT_ARGFLAG_OPTIONAL;
	return row;
}

static struct poptOption popt_table(struct poptOption *table, const char *title)
{
	return (struct poptOption){ .argInfo = POPT_ARG_INCLUDE_TABLE,
				    .arg = table,
				    .descrip = title };
}

const struct option_rule *options_next(enum option_command command, const struct option_rule *after)
{
	for (const struct option_rule *rule = after ? after + 1 : rules; rule < rules + RULES;
	     rule++)
		if (rule->commands & command)
			return rule;
	return NULL;
}

/* What everybody needs, or comes first for another reason. */
static bool is_first(const struct option_rule *rule)
{
	return says_kind(rule) || rule->read == value_mac || rule->read == value_user ||
	       rule->read == value_owner || rule->read == value_group || rule->read == value_fd ||
	       !rule->kinds;
}

/* Beside the rules: their numbers are above all of those. */
enum { HELP = RULES + 1, USAGE };

static const struct poptOption help_rows[] = {
	{ "help", '?', POPT_ARG_NONE, NULL, HELP, "show this (-h, too)", NULL },
	{ "usage", 0, POPT_ARG_NONE, NULL, USAGE, "the same in short", NULL },
	{ NULL, 'h', POPT_ARG_NONE | POPT_ARGFLAG_DOC_HIDDEN, NULL, HELP, NULL, NULL },
};

void options_fill(struct option_tables *tables, enum option_command command)
{
	struct poptOption *top = tables->top, *device = tables->device, *port = tables->port;
	struct poptOption *general = tables->general;

	for (size_t i = 0; i < RULES; i++) {
		const struct option_rule *rule = &rules[i];

		if (!(rule->commands & command))
			continue;
		if (rule->commands & FOR_PIN || rule->offset == RUN(no_audit) ||
		    rule->offset == RUN(dry_run))
			*general++ = popt_row(rule);
		else if (is_first(rule) || !(rule->commands & NICS))
			*top++ = popt_row(rule);
		else if (rule->kinds == BRIDGED)
			*port++ = popt_row(rule);
		else
			*device++ = popt_row(rule);
	}
	memcpy(tables->help, help_rows, sizeof(help_rows));
	if (device != tables->device)
		*top++ = popt_table(tables->device, "The device:");
	if (port != tables->port)
		*top++ = popt_table(tables->port, "The port of a bridge:");
	if (general != tables->general)
		*top++ = popt_table(tables->general, "General options:");
	*top = popt_table(tables->help, "Help options:");
}

/* What was probably meant by an option that @command does not have. */
static const char *suggest_option(const char *option, enum option_command command)
{
	const char *names[RULES];
	size_t count = 0;

	for (size_t i = 0; i < RULES; i++)
		if (rules[i].commands & command)
			names[count++] = rules[i].name;
	return strncmp(option, "--", 2) == 0 ? suggest_word(option + 2, names, count) : NULL;
}

/* --- one option after the other --- */

/* Where an option goes: to all NICs until the first --mac, then to the last one. */
struct reading {
	struct options *options;
	struct nic_options common;
	uint64_t seen, nic_seen; /* options that were given: bits of rules */
};

static struct nic_options *present_nic(struct reading *reading)
{
	struct options *options = reading->options;

	return options->nic_count ? &options->nics[options->nic_count - 1] : &reading->common;
}

static int begin_nic(struct reading *reading)
{
	struct options *options = reading->options;
	struct nic_options *nics;

	nics = array_grow(options->nics, options->nic_count, sizeof(*nics));
	if (!nics)
		return report_error(-ENOMEM, "out of memory");
	options->nics = nics;
	options->nics[options->nic_count++] = reading->common;
	reading->nic_seen = 0;
	return 0;
}

static int check_repetition(struct reading *reading, const struct option_rule *rule)
{
	uint64_t *seen = rule->kinds ? &reading->nic_seen : &reading->seen;

	/* qemu adds --use-vnet to what its user wrote. */
	if (rule->read == value_mac || rule->offset == RUN(use_vnet))
		return 0;
	if (*seen & bit(rule) && rule->value && strstr(rule->value, ",..."))
		return report_error(-EINVAL, "--%s: given twice\nwrite it once, as --%s %s",
				    rule->name, rule->name, rule->value);
	if (*seen & bit(rule))
		return report_error(-EINVAL, "--%s: given twice", rule->name);
	if (says_kind(rule) && *seen & all_that_say_kind())
		return report_error(-EINVAL, "--bridge, --link, --ovs and --unattached: exclude "
					     "each other\ngive one of them");
	*seen |= bit(rule);
	return 0;
}

static int check_reach(const struct option_rule *rule)
{
	if (rule->open || !privs_from_file())
		return 0;
	return report_error(-EPERM,
			    "--%s: not permitted for an unprivileged caller of a tapctl with file "
			    "capabilities\nrun it with sudo (other ways: tapctl(8), ACCESS)",
			    rule->name);
}

static int read_option(struct reading *reading, const struct option_rule *rule, const char *text)
{
	void *target = reading->options;
	int err = check_reach(rule);

	if (!err)
		err = check_repetition(reading, rule);
	if (!err && rule->read == value_mac)
		err = begin_nic(reading);
	if (err)
		return err;
	if (rule->kinds) {
		struct nic_options *nic = present_nic(reading);

		if (says_kind(rule))
			nic->said &= ~all_that_say_kind();
		nic->said |= bit(rule);
		target = nic;
	}
	return rule->read((char *)target + rule->offset, rule, text);
}

/* --- all together --- */

/* Which kinds an option is for. */
static const char *kinds_words(unsigned kinds)
{
	return kinds == OVS		? "for a port of Open vSwitch, with --ovs" :
	       kinds == BRIDGED		? "for a bridge port, with --bridge" :
	       kinds == (BRIDGED | OVS) ? "for a bridge port, with --bridge or --ovs" :
	       kinds == UNATTACHED	? "for a tap on no bridge, with --unattached" :
	       kinds & GUEST & ~MACVTAP ? "for a guest's device, not with --host" :
					  "for a macvtap, with --link";
}

/* What does it with Open vSwitch, which is another switch than the kernel's. */
static const char *ovs_words(const struct option_rule *rule)
{
	static const char *const rows[][2] = {
		{ "lock-mac", "OVN's port security does it: ovn-nbctl lsp-set-port-security" },
		{ "isolated", "a protected port does it: ovs-vsctl set port NAME protected=true" },
		{ "hairpin", "a flow with the action in_port does it: ovs-ofctl add-flow" },
		{ "ip", "OVN's port security does it: ovn-nbctl lsp-set-port-security" },
		{ "limit-in", "a QoS does it: ovs-vsctl set port NAME qos=..." },
		{ "limit-out",
		  "policing does it: ovs-vsctl set interface NAME ingress_policing_rate=..." },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rule->name, rows[i][0]) == 0)
			return rows[i][1];
	return NULL;
}

static int check_kind(const struct nic_options *nic)
{
	for (size_t i = 0; i < RULES; i++) {
		const struct option_rule *rule = &rules[i];
		const char *instead = nic->kind == NIC_OVS ? ovs_words(rule) : NULL;

		if (!(nic->said & bit(rule)) || rule->kinds & 1U << nic->kind)
			continue;
		return report_error(-EINVAL, "--%s: is %s%s%s", rule->name,
				    kinds_words(rule->kinds), instead ? ": with --ovs " : "",
				    instead ? instead : "");
	}
	return 0;
}

/* Whether the option that said what a NIC is on goes with --host. */
static bool is_on_lower(const struct nic_options *nic)
{
	for (size_t i = 0; i < RULES; i++)
		if (says_kind(&rules[i]) && nic->said & bit(&rules[i]))
			return rules[i].kinds & HOST;
	return false;
}

static int check_nic(const struct nic_options *nic)
{
	if (nic->kind == NIC_NONE)
		return report_error(
			-EINVAL,
			"no place for the device\ngive --bridge BRIDGE, --link IFNAME, "
			"--ovs BRIDGE or --unattached, before the first --mac or for each");
	if (nic->kind == NIC_HOST && (!is_on_lower(nic) || nic->mode != MODE_BRIDGE))
		return report_error(-EINVAL, "--host: is a macvlan in mode bridge on a lower "
					     "device\ngive --link IFNAME");
	if (nic->wait_installed && !nic->iface_id[0])
		return report_error(-EINVAL, "--wait-installed: is for a logical port of OVN\ngive "
					     "--iface-id ID");
	if (nic->mode == MODE_PASSTHRU && privs_from_file())
		return report_error(-EPERM, "--mode passthru: not permitted for an unprivileged "
					    "caller, as it takes a whole device\nrun it with sudo");
	if (nic->kind != NIC_MACVTAP && nic->kind != NIC_HOST && nic->mtu > TAP_MTU_MAX)
		return report_error(-EINVAL, "--mtu %u: a tap's is 68 to %d", nic->mtu,
				    TAP_MTU_MAX);
	if (nic->traffic.ip.count && nic->policy.vlan_count > 1)
		return report_error(-EINVAL,
				    "--ip: a guest in several VLANs tags its frames, which "
				    "the filter drops\ngive each VLAN a NIC of its own");
	return check_kind(nic);
}

static int compare_macs(const void *a, const void *b)
{
	const void *const *one = a, *const *other = b;

	return memcmp(*one, *other, MAC_LEN);
}

static int compare_texts(const void *a, const void *b)
{
	const char *const *one = a, *const *other = b;

	return strcmp(*one, *other);
}

/* One that is there twice, or NULL. The order is lost. */
static const void *find_twice(const void **values, size_t count,
			      int (*compare)(const void *, const void *))
{
	qsort(values, count, sizeof(*values), compare);
	for (size_t k = 1; k < count; k++)
		if (compare(&values[k - 1], &values[k]) == 0)
			return values[k];
	return NULL;
}

/* @values has room for one of each NIC. */
static int refuse_twice(const struct options *options, const void **values)
{
	const struct nic_options *nics = options->nics;
	size_t total = options->nic_count, count = 0;
	char text[MAC_STRLEN];
	const void *twice;

	for (size_t k = 0; k < total; k++)
		values[k] = nics[k].guest;
	twice = find_twice(values, total, compare_macs);
	if (twice)
		return report_error(-EINVAL, "--mac %s: given twice", mac_format(text, twice));
	for (size_t k = 0; k < total; k++)
		if (nics[k].iface_id[0])
			values[count++] = nics[k].iface_id;
	twice = find_twice(values, count, compare_texts);
	if (twice)
		return report_error(-EINVAL,
				    "--iface-id %s: a logical port is one NIC's\n"
				    "give each --mac its own",
				    (const char *)twice);
	count = 0;
	for (size_t k = 0; k < total; k++)
		if (nics[k].name[0] && !strchr(nics[k].name, '%'))
			values[count++] = nics[k].name;
	twice = find_twice(values, count, compare_texts);
	if (twice)
		return report_error(-EINVAL,
				    "--name %s: two NICs cannot have the same name\n"
				    "write it with %%d",
				    (const char *)twice);
	return 0;
}

/* The second of two devices for one guest, or with one name, would be refused only later. */
static int check_duplicates(const struct options *options)
{
	const void **values;
	int err;

	if (options->nic_count < 2)
		return 0;
	values = calloc(options->nic_count, sizeof(*values));
	if (!values)
		return report_error(-ENOMEM, "out of memory");
	err = refuse_twice(options, values);
	free(values);
	return err;
}

/* Why COMMAND's words do not tell the guest's address. */
static int explain_no_mac(const struct args_guest *guest, const char *command)
{
	char one[MAC_STRLEN], two[MAC_STRLEN];

	mac_format(one, guest->macs[0]);
	switch (guest->answer) {
	case ARGS_INVALID:
		return report_error(-EINVAL,
				    "mac=%.*s: is not a MAC address\nwrite one like "
				    "52:54:00:84:e3:62, or give the guest's by --mac",
				    guest->length, guest->text);
	case ARGS_SEVERAL:
		return report_error(-EINVAL,
				    "%s: its arguments name several addresses, %s, %s%s\ngive a "
				    "--mac for each NIC that tapctl is to make",
				    command, one, mac_format(two, guest->macs[1]),
				    guest->count > 2 ? " ..." : "");
	case ARGS_MENTIONED:
		return report_error(-EINVAL,
				    "%s: none of its arguments says mac=ADDRESS: it has %s in %s\n"
				    "if that is the guest's, say --mac %s",
				    command, one, guest->text, one);
	default:
		return report_error(
			-EINVAL,
			"%s: none of its arguments says mac=ADDRESS%s, and qemu would give every "
			"such guest the same 52:54:00:12:34:56\nwrite it there, or give --mac "
			"when the guest gets it otherwise",
			command, guest->named ? " for the card on this device" : "");
	}
}

/* The address of the card that is on the descriptors by COMMAND's own words. */
static int take_mac_of_command(struct reading *reading, char *const command[])
{
	int first = reading->options->fd >= 0 ? reading->options->fd : 3, err;
	struct args *args = args_read(command);
	struct args_guest guest;
	const char *fault;
	char text[MAC_STRLEN];

	if (!args)
		return report_error(-ENOMEM, "out of memory");
	args_find_guest(args, first, reading->common.queues, &guest);
	err = guest.answer == ARGS_ONE ? 0 : explain_no_mac(&guest, command[0]);
	args_free(args);
	if (err)
		return err;
	fault = mac_fault(guest.macs[0]);
	if (fault)
		return report_error(-EINVAL, "mac=%s: %s: no guest can have it",
				    mac_format(text, guest.macs[0]), fault);
	err = begin_nic(reading);
	if (!err)
		memcpy(present_nic(reading)->guest, guest.macs[0], MAC_LEN);
	return err;
}

static int finish_nics(struct reading *reading, char *const command[])
{
	struct options *options = reading->options;
	int err = 0;

	if (options->nic_count == 0 && reading->common.kind == NIC_HOST)
		err = begin_nic(reading);
	else if (options->nic_count == 0 && !command)
		return report_error(-EINVAL, "no guest address\ngive --mac MAC");
	else if (options->nic_count == 0)
		err = take_mac_of_command(reading, command);
	for (size_t k = 0; k < options->nic_count && !err; k++)
		err = check_nic(&options->nics[k]);
	return err ? err : check_duplicates(options);
}

/* qemu gives the bridge and the socket; its user may give the guest's address. */
static int finish_helper(struct reading *reading)
{
	struct options *options = reading->options;
	int err = 0;

	if (options->nic_count > 1)
		return report_error(-EINVAL, "--mac: given twice");
	if (present_nic(reading)->kind != NIC_BRIDGED || options->fd < 0)
		return report_error(-EINVAL, "bridge-helper: lacks an option\ngive --br=BRIDGE and "
					     "--fd=N, as qemu does");
	if (options->nic_count == 0)
		err = begin_nic(reading);
	/* qemu's own helper asks first whether IFF_VNET_HDR exists: every kernel has it today. */
	if (!err)
		present_nic(reading)->no_vnet_hdr = !options->use_vnet;
	return err;
}

static int refuse_option(poptContext context, int number, enum option_command command)
{
	const char *option = poptBadOption(context, POPT_BADOPTION_NOALIAS);
	const char *meant = NULL, *help = poptGetInvocationName(context);

	if (number != POPT_ERROR_BADOPT)
		return report_error(-EINVAL, "%s: %s\nsee %s --help", option, poptStrerror(number),
				    help);
	meant = suggest_option(option, command);
	if (meant)
		return report_error(-EINVAL, "%s: unknown option\ndid you mean --%s? see %s --help",
				    option, meant, help);
	return report_error(-EINVAL, "%s: unknown option\nsee %s --help", option, help);
}

int options_read(struct options *options, poptContext context, enum option_command command,
		 char *const tail[])
{
	struct reading reading = {
		.options = options,
		.common = { .queues = 1, .owner = (uid_t)-1, .group = (gid_t)-1 },
	};
	int number, err = 0;

	*options = (struct options){ .fd = -1 };
	while (!err && (number = poptGetNextOpt(context)) > 0) {
		char *text = poptGetOptArg(context);

		options->help |= number == HELP;
		options->usage |= number == USAGE;
		if (number > RULES)
			return 0;
		err = read_option(&reading, &rules[number - 1], text);
		free(text);
	}
	if (!err && number < -1)
		return refuse_option(context, number, command);
	if (!err && command & NICS)
		err = finish_nics(&reading, tail);
	if (!err && command == FOR_HELPER)
		err = finish_helper(&reading);
	return err;
}

void options_free(struct options *options)
{
	free(options->nics);
	options->nics = NULL;
}

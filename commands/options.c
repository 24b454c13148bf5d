/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/array.h"
#include "vmm/args.h"
#include "commands/options.h"
#include "kernel/tap.h"
#include "lib/parse.h"

/* Bits in the set of what was given already: 63 at most. */
enum option_id {
	OPT_MAC = 1,
	OPT_BRIDGE,
	OPT_LINK,
	OPT_UNATTACHED,
	OPT_MODE,
	OPT_NAME,
	OPT_MTU,
	OPT_QUEUES,
	OPT_VHOST,
	OPT_NO_VNET_HDR,
	OPT_LOCK_MAC,
	OPT_ISOLATED,
	OPT_HAIRPIN,
	OPT_VLAN,
	OPT_HOST,
	OPT_OWNER,
	OPT_GROUP,
	OPT_LAST_OF_NIC = OPT_GROUP,
	OPT_JSON,
	OPT_NETNS,
	OPT_VERBOSE,
	OPT_FD,
	OPT_REUSE,
	OPT_USER,
	OPT_ALL,
	OPT_HOLDERS,
	OPT_FORCE,
	OPT_STALE,
	OPT_RANDOM,
	OPT_NO_AUDIT,
	OPT_USE_VNET,
};

/* A row is an option, a line or two. */
/* clang-format off */
#define WORD(short, long, id, help, value) \
	{ long, short, POPT_ARG_STRING, NULL, id, help, value }
#define FLAG(short, long, id, help) \
	{ long, short, POPT_ARG_NONE, NULL, id, help, NULL }
#define TABLE(table, title) \
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)(table), 0, title, NULL }

static const struct poptOption nic_table[] = {
	WORD('m', "mac", OPT_MAC, "the guest's address; each one begins another NIC", "MAC|random"),
	WORD('b', "bridge", OPT_BRIDGE, "a tap on this bridge", "BRIDGE"),
	WORD('l', "link", OPT_LINK, "a macvtap on this device", "IFNAME"),
	FLAG(0, "unattached", OPT_UNATTACHED, "a tap on no bridge"),
	WORD(0, "mode", OPT_MODE, "of a macvtap: bridge (default), vepa, private, passthru",
	     "MODE"),
	WORD('n', "name", OPT_NAME,
	     "device name; may hold one %d (default: tap or mvt and the address's digits)", "NAME"),
	WORD(0, "mtu", OPT_MTU, "its MTU (default: that of the bridge or lower device)", "N"),
	WORD('q', "queues", OPT_QUEUES, "as many queues, and so fds (default: 1)", "N"),
	{ "vhost", 0, POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, NULL, OPT_VHOST,
	  "also a vhost fd a queue: on fails without it, auto (default) goes on", "on|auto" },
	FLAG(0, "no-vnet-hdr", OPT_NO_VNET_HDR, "bare Ethernet frames, without IFF_VNET_HDR"),
	FLAG(0, "lock-mac", OPT_LOCK_MAC, "drop frames from any source but the guest's address"),
	FLAG(0, "isolated", OPT_ISOLATED, "bridge port: nothing from or to other isolated ports"),
	FLAG(0, "hairpin", OPT_HAIRPIN, "bridge port: frames may leave where they came in"),
	WORD(0, "vlan", OPT_VLAN, "bridge port: the first VLAN untagged, the others tagged",
	     "VID[,VID...]"),
	POPT_TABLEEND
};

static const char nic_title[] =
	"NIC options (before the first --mac: for all NICs; after a --mac: for that one):";

static const struct poptOption json_table[] = {
	FLAG('j', "json", OPT_JSON, "print JSON"),
	POPT_TABLEEND
};

static const struct poptOption general_table[] = {
	WORD('N', "netns", OPT_NETNS, "work in that network namespace", "NAME|PID|PATH"),
	FLAG('v', "verbose", OPT_VERBOSE, "tell each step on stderr"),
	POPT_TABLEEND
};

static const struct poptOption audit_table[] = {
	FLAG(0, "no-audit", OPT_NO_AUDIT, "write nothing to the kernel's audit log"),
	POPT_TABLEEND
};

const struct poptOption options_mac[] = {
	FLAG('r', "random", OPT_RANDOM, "draw a guest's address"),
	TABLE(json_table, NULL),
	POPT_AUTOHELP POPT_TABLEEND
};

const struct poptOption options_add[] = {
	TABLE(json_table, NULL),
	TABLE(nic_table, nic_title),
	FLAG(0, "host", OPT_HOST,
	     "with --link: a macvlan for this host, beside the guests' macvtaps"),
	WORD('o', "owner", OPT_OWNER, "who may open the device without privilege", "USER"),
	WORD('g', "group", OPT_GROUP, "the same for a group", "GROUP"),
	TABLE(general_table, "General options:"),
	POPT_AUTOHELP POPT_TABLEEND
};

const struct poptOption options_exec[] = {
	TABLE(audit_table, NULL),
	TABLE(nic_table, nic_title),
	WORD('f', "fd", OPT_FD, "the first fd's number (default: 3)", "N"),
	WORD('u', "user", OPT_USER, "run COMMAND as this user, without any privilege",
	     "USER[:GROUP]"),
	FLAG(0, "reuse", OPT_REUSE, "open the device when it is there already; then it stays"),
	TABLE(general_table, "General options:"),
	POPT_AUTOHELP POPT_TABLEEND
};

const struct poptOption options_list[] = {
	FLAG('a', "all", OPT_ALL, "all taps and macvtaps, not only tapctl's"),
	FLAG('H', "holders", OPT_HOLDERS, "also which processes have them open"),
	TABLE(json_table, NULL),
	TABLE(general_table, "General options:"),
	POPT_AUTOHELP POPT_TABLEEND
};

const struct poptOption options_del[] = {
	FLAG('f', "force", OPT_FORCE,
	     "also what tapctl did not make; what may be in use by processes unseen"),
	FLAG('s', "stale", OPT_STALE, "all macvtaps of tapctl's that nobody has open"),
	TABLE(general_table, "General options:"),
	POPT_AUTOHELP POPT_TABLEEND
};

const struct poptOption options_pin[] = {
	TABLE(general_table, "General options:"),
	POPT_AUTOHELP POPT_TABLEEND
};

const struct poptOption options_check[] = {
	TABLE(json_table, NULL),
	TABLE(general_table, "General options:"),
	POPT_AUTOHELP POPT_TABLEEND
};

const struct poptOption options_bridgehelper[] = {
	WORD(0, "br", OPT_BRIDGE, "the bridge", "BRIDGE"),
	WORD(0, "fd", OPT_FD, "the Unix socket that the tap's fd is sent through", "N"),
	FLAG(0, "use-vnet", OPT_USE_VNET, "with IFF_VNET_HDR"),
	WORD('m', "mac", OPT_MAC, "the guest's address, if it is known", "MAC"),
	TABLE(audit_table, NULL),
	TABLE(general_table, "General options:"),
	POPT_AUTOHELP POPT_TABLEEND
};
/* clang-format on */

/* --- values --- */

bool option_vlans(struct port_policy *policy, const char *text)
{
	struct port_policy read = { .vlan_count = 0 };
	unsigned long vid;
	char word[8];

	for (;;) {
		size_t len = strcspn(text, ",");

		if (len >= sizeof(word) ||
		    read.vlan_count == sizeof(read.vlans) / sizeof(*read.vlans))
			return false;
		memcpy(word, text, len);
		word[len] = '\0';
		if (!parse_number(&vid, word, 1, VLAN_MAX))
			return false;
		for (unsigned i = 0; i < read.vlan_count; i++)
			if (read.vlans[i] == vid)
				return false;
		read.vlans[read.vlan_count++] = (uint16_t)vid;
		if (!text[len])
			break;
		text += len + 1;
	}
	policy->vlan_count = read.vlan_count;
	memcpy(policy->vlans, read.vlans, sizeof(read.vlans));
	return true;
}

/* --- one option --- */

static int read_mac(uint8_t mac[static MAC_LEN], const char *text)
{
	const char *fault;
	int err;

	if (strcmp(text, "random") == 0) {
		err = mac_draw(mac);
		return err ? report_error(err, "--mac random: cannot draw one: %s",
					  strerror(-err)) :
			     0;
	}
	if (!mac_parse(mac, text))
		return report_error(-EINVAL,
				    "--mac '%s': that is no MAC address: write one like "
				    "52:54:00:84:e3:62, or random",
				    text);
	fault = mac_fault(mac);
	if (fault)
		return report_error(-EINVAL, "--mac %s: it %s: no device can have it", text, fault);
	return 0;
}

static int read_parent(struct nic_options *nic, enum nic_kind kind, const char *option,
		       const char *name)
{
	const char *fault = parse_name_fault(name, false);

	if (fault)
		return report_error(-EINVAL, "--%s '%s': %s", option, name, fault);
	nic->kind = kind;
	memcpy(nic->parent, name, strlen(name) + 1);
	return 0;
}

static int read_number(unsigned *number, const char *option, const char *value, unsigned min,
		       unsigned max)
{
	unsigned long read;

	if (!parse_number(&read, value, min, max))
		return report_error(-EINVAL, "--%s '%s': write a number of %u to %u", option, value,
				    min, max);
	*number = (unsigned)read;
	return 0;
}

static int read_vhost(struct nic_options *nic, const char *mode)
{
	if (!mode || strcmp(mode, "auto") == 0)
		nic->vhost = VHOST_AUTO;
	else if (strcmp(mode, "on") == 0)
		nic->vhost = VHOST_ON;
	else
		return report_error(-EINVAL, "--vhost=%s: write on or auto", mode);
	return 0;
}

static int read_nic_option(struct nic_options *nic, enum option_id id, const char *value)
{
	const char *fault;

	switch (id) {
	case OPT_BRIDGE:
		return read_parent(nic, NIC_BRIDGED, "bridge", value);
	case OPT_LINK:
		return read_parent(nic, NIC_MACVTAP, "link", value);
	case OPT_UNATTACHED:
		nic->kind = NIC_UNATTACHED;
		nic->parent[0] = '\0';
		return 0;
	case OPT_MODE:
		if (!macvtap_mode_parse(&nic->mode, value))
			return report_error(-EINVAL,
					    "--mode '%s': write bridge, vepa, private or passthru",
					    value);
		nic->has_mode = true;
		return 0;
	case OPT_NAME:
		fault = parse_name_fault(value, true);
		if (fault)
			return report_error(-EINVAL, "--name '%s': %s", value, fault);
		memcpy(nic->name, value, strlen(value) + 1);
		return 0;
	case OPT_MTU:
		return read_number(&nic->mtu, "mtu", value, 68, 65535);
	case OPT_QUEUES:
		return read_number(&nic->queues, "queues", value, 1, QUEUES_MAX);
	case OPT_VHOST:
		return read_vhost(nic, value);
	case OPT_VLAN:
		if (!option_vlans(&nic->policy, value))
			return report_error(-EINVAL,
					    "--vlan '%s': write VLAN numbers of 1 to %d, each "
					    "once, like 10,20",
					    value, VLAN_MAX);
		return 0;
	case OPT_OWNER:
		if (!privs_find_user(&nic->owner, value))
			return report_error(-EINVAL, "--owner '%s': there is no such user%s", value,
					    strchr(value, ':') ? ": name the group by --group" :
								 "");
		return 0;
	case OPT_GROUP:
		if (!privs_find_group(&nic->group, value))
			return report_error(-EINVAL, "--group '%s': there is no such group", value);
		return 0;
	case OPT_HOST:
		nic->for_host = true;
		return 0;
	case OPT_NO_VNET_HDR:
		nic->no_vnet_hdr = true;
		return 0;
	case OPT_LOCK_MAC:
		nic->policy.locked = true;
		return 0;
	case OPT_ISOLATED:
		nic->policy.isolated = true;
		return 0;
	case OPT_HAIRPIN:
		nic->policy.hairpin = true;
		return 0;
	default:
		return report_error(-EINVAL, "option %d is unknown", id);
	}
}

static int read_general_option(struct options *options, enum option_id id, const char *value)
{
	unsigned long number;

	switch (id) {
	case OPT_FD:
		if (!parse_number(&number, value, 0, 1 << 20))
			return report_error(-EINVAL,
					    "--fd '%s': write the number of a free file "
					    "descriptor, like 3",
					    value);
		options->fd = (int)number;
		return 0;
	case OPT_USER:
		return privs_parse(&options->user, value);
	case OPT_NETNS:
		if (!*value || strlen(value) >= sizeof(options->netns))
			return report_error(-EINVAL, "--netns '%s': write a name, a PID or a path",
					    value);
		memcpy(options->netns, value, strlen(value) + 1);
		return 0;
	case OPT_JSON:
		options->json = true;
		return 0;
	case OPT_VERBOSE:
		options->verbose = true;
		return 0;
	case OPT_REUSE:
		options->reuse = true;
		return 0;
	case OPT_ALL:
		options->all = true;
		return 0;
	case OPT_HOLDERS:
		options->holders = true;
		return 0;
	case OPT_FORCE:
		options->force = true;
		return 0;
	case OPT_STALE:
		options->stale = true;
		return 0;
	case OPT_RANDOM:
		options->random = true;
		return 0;
	case OPT_NO_AUDIT:
		options->no_audit = true;
		return 0;
	case OPT_USE_VNET:
		options->use_vnet = true;
		return 0;
	default:
		return report_error(-EINVAL, "option %d is unknown", id);
	}
}

/* --- all options --- */

/* Where an option is going: all NICs until the first --mac, then the newest one. */
struct reading {
	const struct poptOption *table;
	struct options *options;
	struct nic_options common;
	uint64_t seen, nic_seen; /* bits of option_id */
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

static uint64_t bit(enum option_id id)
{
	return (uint64_t)1 << id;
}

/* The long name of an option, for errors: what poptBadOption() tells may be its value. */
static const char *name_of(const struct poptOption *table, enum option_id id)
{
	const char *name = NULL;

	for (; !name && (table->longName || table->arg); table++)
		if (table->argInfo == POPT_ARG_INCLUDE_TABLE)
			name = name_of(table->arg, id);
		else if (table->val == (int)id)
			name = table->longName;
	return name;
}

static int check_repetition(struct reading *reading, enum option_id id)
{
	const uint64_t places = bit(OPT_BRIDGE) | bit(OPT_LINK) | bit(OPT_UNATTACHED);
	uint64_t *seen = id <= OPT_LAST_OF_NIC ? &reading->nic_seen : &reading->seen;

	/* qemu says --use-vnet behind what its user says. */
	if (id == OPT_MAC || id == OPT_USE_VNET)
		return 0;
	if (*seen & bit(id))
		return report_error(-EINVAL, "--%s: it is given twice",
				    name_of(reading->table, id));
	if (bit(id) & places && *seen & places)
		return report_error(-EINVAL, "--bridge, --link and --unattached: give one of them");
	*seen |= bit(id);
	return 0;
}

/*
 * A caller without privilege of its own may say what touches nothing but its own device: no name
 * that others go by, no MTU or VLAN of the bridge, no address that is tied to a port, nobody else's
 * device, user or namespace.
 */
static int check_reach(const struct reading *reading, enum option_id id)
{
	const uint64_t near = bit(OPT_MAC) | bit(OPT_BRIDGE) | bit(OPT_LINK) | bit(OPT_MODE) |
			      bit(OPT_QUEUES) | bit(OPT_VHOST) | bit(OPT_NO_VNET_HDR) |
			      bit(OPT_ISOLATED) | bit(OPT_FD) | bit(OPT_JSON) | bit(OPT_VERBOSE) |
			      bit(OPT_ALL) | bit(OPT_HOLDERS) | bit(OPT_RANDOM) | bit(OPT_USE_VNET);

	if (!privs_are_lent() || near & bit(id))
		return 0;
	return report_error(-EPERM,
			    "--%s: a caller without privilege of its own may not say this: run it "
			    "with sudo",
			    name_of(reading->table, id));
}

static int read_option(struct reading *reading, poptContext context, enum option_id id)
{
	char *value = poptGetOptArg(context);
	int err = check_reach(reading, id);

	if (!err)
		err = check_repetition(reading, id);
	if (!err && id == OPT_MAC) {
		err = begin_nic(reading);
		if (!err)
			err = read_mac(present_nic(reading)->guest, value);
	} else if (!err && id <= OPT_LAST_OF_NIC) {
		err = read_nic_option(present_nic(reading), id, value);
	} else if (!err) {
		err = read_general_option(reading->options, id, value);
	}
	free(value);
	return err;
}

/* A macvlan has no queues that somebody could open. */
static int check_host_macvlan(const struct nic_options *nic)
{
	if (nic->kind != NIC_MACVTAP || nic->mode != MODE_BRIDGE)
		return report_error(
			-EINVAL, "--host: it stands beside guests' macvtaps in mode bridge: give "
				 "--link IFNAME");
	if (nic->queues > 1 || nic->vhost != VHOST_OFF || nic->no_vnet_hdr ||
	    nic->owner != (uid_t)-1 || nic->group != (gid_t)-1)
		return report_error(-EINVAL,
				    "--host: nobody opens that device: --queues, --vhost, "
				    "--no-vnet-hdr, --owner and --group are for a guest's");
	return 0;
}

static int check_nic(const struct nic_options *nic)
{
	if (nic->kind == NIC_NOWHERE && !nic->for_host)
		return report_error(-EINVAL, "where to? give --bridge BRIDGE, --link IFNAME or "
					     "--unattached, before the first --mac or for each");
	if (nic->kind != NIC_MACVTAP && nic->has_mode)
		return report_error(-EINVAL, "--mode: it is for a macvtap, with --link");
	if (nic->mode == MODE_PASSTHRU && privs_are_lent())
		return report_error(
			-EPERM, "--mode passthru: a caller without privilege of its own may not "
				"take a whole device: run it with sudo");
	if (nic->kind == NIC_MACVTAP && nic->queues > 1 && geteuid() != 0)
		return report_error(-EPERM,
				    "--queues: several queues of a macvtap are for root, as each "
				    "is opened by a device node of its own");
	if (nic->kind != NIC_BRIDGED && nic_has_policy(nic))
		return report_error(-EINVAL,
				    "--lock-mac, --isolated, --hairpin and --vlan: they are for "
				    "a bridge port, with --bridge");
	if (nic->kind != NIC_MACVTAP && nic->mtu > TAP_MTU_MAX)
		return report_error(-EINVAL, "--mtu %u: a tap's is 68 to %d", nic->mtu,
				    TAP_MTU_MAX);
	return nic->for_host ? check_host_macvlan(nic) : 0;
}

/* Of two devices for one guest address, or of one name, the second would be refused later. */
static int check_duplicates(const struct options *options)
{
	char text[MAC_STRLEN];

	for (size_t k = 1; k < options->nic_count; k++) {
		const struct nic_options *nic = &options->nics[k];

		for (size_t i = 0; i < k; i++) {
			const struct nic_options *other = &options->nics[i];

			if (mac_equal(nic->guest, other->guest))
				return report_error(-EINVAL, "--mac %s: it is given twice",
						    mac_format(text, nic->guest));
			if (nic->name[0] && !strchr(nic->name, '%') &&
			    strcmp(nic->name, other->name) == 0)
				return report_error(-EINVAL,
						    "--name %s: two NICs cannot have the "
						    "same name: write it with %%d",
						    nic->name);
		}
	}
	return 0;
}

#define MACS_SHOWN 4

/* The one address that COMMAND's own words give its guest. */
static int take_mac_of_command(struct reading *reading, char *const command[])
{
	uint8_t macs[MACS_SHOWN][MAC_LEN];
	char texts[MACS_SHOWN][MAC_STRLEN];
	size_t found = args_find_macs(command, macs, MACS_SHOWN);
	const char *fault = args_find_fault(command);
	int err;

	if (found == 0 && fault)
		return report_error(-EINVAL,
				    "mac=%.*s: that is no MAC address: write one like "
				    "52:54:00:84:e3:62, or say here by --mac what it will be",
				    (int)strcspn(fault, ",\"'"), fault);
	if (found == 0)
		return report_error(
			-EINVAL,
			"%s: none of its arguments says mac=ADDRESS, and qemu would give every "
			"such guest the same 52:54:00:12:34:56: say it there, or here by --mac "
			"when the guest gets it otherwise",
			command[0]);
	for (size_t i = 0; i < found && i < MACS_SHOWN; i++)
		mac_format(texts[i], macs[i]);
	if (found > 1)
		return report_error(-EINVAL,
				    "%s: its arguments name %zu addresses, %s, %s%s: give a --mac "
				    "for each NIC that tapctl is to make",
				    command[0], found, texts[0], texts[1], found > 2 ? " ..." : "");
	fault = mac_fault(macs[0]);
	if (fault)
		return report_error(-EINVAL, "mac=%s: it %s: no guest can have it", texts[0],
				    fault);
	err = begin_nic(reading);
	if (!err)
		memcpy(present_nic(reading)->guest, macs[0], MAC_LEN);
	return err;
}

static int finish_nics(struct reading *reading, char *const command[])
{
	struct options *options = reading->options;
	int err = 0;

	if (options->nic_count == 0 && reading->common.for_host)
		err = begin_nic(reading);
	else if (options->nic_count == 0 && !command)
		return report_error(-EINVAL,
				    "whose device? give the guest's address with --mac MAC");
	else if (options->nic_count == 0)
		err = take_mac_of_command(reading, command);
	for (size_t k = 0; k < options->nic_count && !err; k++)
		err = check_nic(&options->nics[k]);
	return err ? err : check_duplicates(options);
}

/* qemu says the bridge and the socket, and its user the guest's address, or nobody does. */
static int finish_helper(struct reading *reading)
{
	struct options *options = reading->options;
	int err = 0;

	if (options->nic_count > 1)
		return report_error(-EINVAL, "--mac: there is one guest's address");
	if (present_nic(reading)->kind != NIC_BRIDGED || options->fd < 0)
		return report_error(-EINVAL,
				    "bridge-helper: give --br=BRIDGE and --fd=N, as qemu does");
	if (options->nic_count == 0) {
		err = begin_nic(reading);
		if (!err)
			err = read_mac(present_nic(reading)->guest, "random");
		if (!err)
			present_nic(reading)->anonymous = true;
	}
	/* qemu's own helper asks first whether there is IFF_VNET_HDR: no kernel is left without. */
	present_nic(reading)->no_vnet_hdr = !options->use_vnet;
	return err;
}

int options_read(struct options *options, poptContext context, const struct poptOption *table,
		 enum options_nics nics, char *const command[])
{
	struct reading reading = {
		.table = table,
		.options = options,
		.common = { .queues = 1, .owner = (uid_t)-1, .group = (gid_t)-1 },
	};
	int id, err = 0;

	*options = (struct options){ .fd = -1 };
	while (!err && (id = poptGetNextOpt(context)) > 0)
		err = read_option(&reading, context, (enum option_id)id);
	if (!err && id < -1)
		return report_error(-EINVAL, "%s: %s: see %s --help",
				    poptBadOption(context, POPT_BADOPTION_NOALIAS),
				    id == POPT_ERROR_BADOPT ? "unknown option" : poptStrerror(id),
				    poptGetInvocationName(context));
	if (err || nics == NICS_NONE)
		return err;
	return nics == NICS_HELPER ? finish_helper(&reading) : finish_nics(&reading, command);
}

void options_free(struct options *options)
{
	free(options->nics);
	options->nics = NULL;
}

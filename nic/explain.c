/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kernel/holders.h"
#include "kernel/macvtap.h"
#include "lib/report.h"
#include "nic/explain.h"
#include "nic/lease.h"
#include "nic/record.h"

/* Keeps the line of error and returns @err. */
typedef int explain_fn(struct nl *nl, const struct nic *nic, int err);

#define HELD_BY ", held by %s (pid %d)"

static int refuse_disappeared(const char *name, int err)
{
	return report_failure("disappeared", err,
			      "%s: it disappeared: something removed it in the meantime", name);
}

static int explain_disappeared(struct nl *nl, const struct nic *nic, int err)
{
	(void)nl;
	return refuse_disappeared(nic->name, err);
}

static int explain_changed(struct nl *nl, const struct nic *nic, int err)
{
	char mac[MAC_STRLEN];

	(void)nl;
	return report_error(err,
			    "%s: its address was changed from %s, and again when it was set once "
			    "more\nfind out what on this host does that (udev: see OTHER MANAGERS "
			    "in tapctl(8))",
			    nic->name, mac_format(mac, nic->host));
}

/* The name is taken: by whom. No advice is given that would harm a guest that runs. */
static int explain_exists(struct nl *nl, const struct nic *nic, int err)
{
	char words[HOLDER_TEXT] = "", text[MAC_STRLEN];
	const char *name = nic->name;
	uint8_t guest[MAC_LEN];
	struct link link;

	if (nl_link_get(nl, name, 0, &link) < 0)
		return report_error(err, "%s: already exists", name);
	if (record_is_host(&link))
		return report_error(
			err, "%s: already exists, as this host's macvlan\ntapctl del removes it",
			name);
	if (!record_guest(guest, &link))
		return report_error(err,
				    "%s: already exists, a %s that tapctl did not make%s\n"
				    "choose another --name",
				    name, link_kind_word(&link),
				    link_is_tap(&link) ? holders_look_up(words, HELD_BY, name,
									 macvtap_rdev(&link)) :
							 "");
	mac_format(text, guest);
	holders_look_up(words, " (%s, pid %d)", name, macvtap_rdev(&link));
	if (words[0] || lease_find_use(nl, &link, NULL) == USE_HELD)
		return report_error(err, "%s: already exists, and its guest %s runs already%s",
				    name, text, words);
	return report_error(err,
			    "%s: already exists, made for the guest %s\nexec --reuse opens it, "
			    "tapctl del removes it",
			    name, text);
}

static int explain_in_use(struct nl *nl, const struct nic *nic, int err)
{
	char words[HOLDER_TEXT];

	(void)nl;
	return report_error(err, "%s: in use%s", nic->name,
			    holders_look_up(words, HELD_BY, nic->name, nic->rdev));
}

static int explain_busy(struct nl *nl, const struct nic *nic, int err)
{
	return nic->reused ? explain_in_use(nl, nic, err) : explain_exists(nl, nic, -EEXIST);
}

/* Plain sudo would run COMMAND as root. */
static const char *sudo_words(const struct nic *nic)
{
	return nic->reused || nic->record.by == RECORD_BY_EXEC ?
		       "run it with sudo and --user $USER (other ways: tapctl(8), ACCESS)" :
		       "run it with sudo (other ways: tapctl(8), ACCESS)";
}

static int explain_no_right(struct nl *nl, const struct nic *nic, int err)
{
	const struct link *link = &nic->link;
	bool by_uid = link->tun.has_owner && link->tun.owner != geteuid();

	(void)nl;
	if (nic->reused && (by_uid || link->tun.has_group))
		return report_error(err,
				    "%s: belongs to %s %u, and another user needs "
				    "CAP_NET_ADMIN to open it\n%s",
				    nic->name, by_uid ? "uid" : "gid",
				    by_uid ? link->tun.owner : link->tun.group, sudo_words(nic));
	return report_error(err,
			    "%s: making a tap needs CAP_NET_ADMIN over this network "
			    "namespace\n%s",
			    nic->name, sudo_words(nic));
}

static int explain_queues(struct nl *nl, const struct nic *nic, int err)
{
	(void)nl;
	if (!nic->reused)
		return report_error(err, "%s: the kernel refuses this name or these flags",
				    nic->name);
	return report_error(err, "%s: was made %s several queues\n--queues has to agree", nic->name,
			    nic->link.tun.multi_queue ? "for" : "without");
}

/* The bridge or lower device was there when it was looked up. */
static bool parent_disappeared(struct nl *nl, const struct nic *nic)
{
	struct link link;

	return nic->parent.ifindex && nl_link_get(nl, NULL, nic->parent.ifindex, &link) == -ENODEV;
}

static int explain_full(struct nl *nl, const struct nic *nic, int err)
{
	(void)nl;
	return report_error(
		err, "%s: the bridge is full, it takes 1023 ports\ntapctl list shows leftovers",
		nic->parent.name);
}

static int explain_no_port(struct nl *nl, const struct nic *nic, int err)
{
	if (parent_disappeared(nl, nic))
		return refuse_disappeared(nic->parent.name, err);
	if (!nic->parent.ifindex)
		return report_error(err, "%s: cannot set it up: %s", nic->name,
				    nl_result_text(&nic->refusal));
	return report_error(err, "%s: cannot make it a port of %s: %s", nic->name, nic->parent.name,
			    nl_result_text(&nic->refusal));
}

static int explain_no_ipv6(struct nl *nl, const struct nic *nic, int err)
{
	(void)nl;
	return report_error(err,
			    "%s: --address: IPv6 is off here, so it can have no IPv6 address\nsee "
			    "sysctl net.ipv6.conf.default.disable_ipv6",
			    nic->name);
}

/* --- macvtaps --- */

static const char *macvtap_word(const struct nic *nic)
{
	return nic->want->kind == NIC_HOST ? "macvlan" : "macvtap";
}

static int explain_no_right_macvtap(struct nl *nl, const struct nic *nic, int err)
{
	(void)nl;
	return report_error(err,
			    "%s: making a %s needs CAP_NET_ADMIN over this network "
			    "namespace\n%s",
			    nic->name, macvtap_word(nic), sudo_words(nic));
}

static int explain_no_driver(struct nl *nl, const struct nic *nic, int err)
{
	const char *kind = macvtap_word(nic);

	(void)nl;
	return report_error(err, "%s: this kernel has no %s\nmodprobe %s", nic->name, kind, kind);
}

static int explain_address_in_use(struct nl *nl, const struct nic *nic, int err)
{
	const char *lower = nic->parent.name;
	struct link rival;
	char mac[MAC_STRLEN], words[HOLDER_TEXT];

	mac_format(mac, nic->guest);
	if (mac_equal(nic->parent.address, nic->guest))
		return report_failure("address-in-use", err,
				      "%s: the address is that of %s itself\ngive the "
				      "guest another one",
				      mac, lower);
	if (nic_find_rival(nl, nic, false, &rival) != -EEXIST)
		return report_failure("address-in-use", err,
				      "%s: the address is in use on %s already", mac, lower);
	return report_failure("address-in-use", err, "%s: the address is in use on %s by %s%s", mac,
			      lower, rival.name,
			      holders_look_up(words, HELD_BY, rival.name, macvtap_rdev(&rival)));
}

static int explain_any_macvtap(struct nl *nl, const struct nic *nic, int err)
{
	if (parent_disappeared(nl, nic))
		return refuse_disappeared(nic->parent.name, err);
	return report_error(err, "%s: cannot make a %s on %s: %s", nic->name, macvtap_word(nic),
			    nic->parent.name, nl_result_text(&nic->refusal));
}

static int explain_passthru(struct nl *nl, const struct nic *nic, int err)
{
	struct link rival;
	const char *lower = nic->parent.name;

	if (nic->want->mode == MODE_PASSTHRU)
		return report_error(err,
				    "%s: --mode passthru wants %s for itself, and it carries "
				    "other devices already",
				    nic->name, lower);
	if (nic_find_rival(nl, nic, true, &rival) == -EEXIST)
		return report_error(err, "%s: %s is used exclusively by %s, in mode passthru",
				    nic->name, lower, rival.name);
	return explain_any_macvtap(nl, nic, err);
}

/* --- traffic control --- */

/* Of a module that is missing the kernel says no more than that something is not found. */
static int explain_traffic(struct nl *nl, const struct nic *nic, int err)
{
	static const char *const modules[] = {
		[NL_SHAPE] = "sch_tbf",
		[NL_CLSACT] = "sch_ingress",
		[NL_FILTER] = "cls_bpf",
		[NL_POLICE] = "act_police",
	};
	enum nl_step step = nic->refusal.step;
	bool filters = step == NL_FILTER || (step == NL_CLSACT && nic->want->traffic.ip.count);
	const char *option = filters				   ? "--ip" :
			     (step == NL_SHAPE) == nic_is_tap(nic) ? "--limit-in" :
								     "--limit-out";

	(void)nl;
	if (err != -ENOENT && err != -EOPNOTSUPP)
		return report_error(err, "%s: %s: cannot put it in place: %s", nic->name, option,
				    nl_result_text(&nic->refusal));
	return report_failure("not-supported", err, "%s: %s: this kernel has no %s\nmodprobe %s",
			      nic->name, option, modules[step], modules[step]);
}

/* --- which refusal means what --- */

/* A number that no user or group has in a container's user namespace (drivers/net/tun.c). */
static int explain_unmapped(struct nl *nl, const struct nic *nic, int err)
{
	(void)nl;
	return report_error(err,
			    "%s: cannot give it to its owner: this user namespace has no such user "
			    "or group\n/proc/self/uid_map and gid_map show which it has",
			    nic->name);
}

#define ANY 0

/*
 * The first row that fits. @at: where in a transaction it happened, NL_LOOKUP for anywhere.
 * Without a function, @doing is what could not be done.
 */
/* clang-format off */
static const struct refusal {
	enum nic_step step;
	enum nl_step at;
	int err;
	explain_fn *explain;
	const char *doing;
} refusals[] = {
	{ NIC_STEP_CREATE, NL_CREATE, EEXIST, explain_exists, NULL },
	{ NIC_STEP_CREATE, NL_CREATE, EPERM, explain_no_right_macvtap, NULL },
	{ NIC_STEP_CREATE, NL_CREATE, EOPNOTSUPP, explain_no_driver, NULL },
	{ NIC_STEP_CREATE, NL_CREATE, EINVAL, explain_passthru, NULL },
	{ NIC_STEP_ANY, NL_CLSACT, ANY, explain_traffic, NULL },
	{ NIC_STEP_ANY, NL_FILTER, ANY, explain_traffic, NULL },
	{ NIC_STEP_ANY, NL_SHAPE, ANY, explain_traffic, NULL },
	{ NIC_STEP_ANY, NL_POLICE, ANY, explain_traffic, NULL },
	{ NIC_STEP_CREATE, NL_UP, EADDRINUSE, explain_address_in_use, NULL },
	{ NIC_STEP_CREATE, NL_UP, EBUSY, explain_address_in_use, NULL }, /* before Linux 5.0 */
	{ NIC_STEP_CREATE, ANY, ANY, explain_any_macvtap, NULL },
	/* A tap removed meanwhile leaves an fd without a device. */
	{ NIC_STEP_ANY, ANY, EBADFD, explain_disappeared, NULL },
	{ NIC_STEP_ANY, ANY, ENODEV, explain_disappeared, NULL },
	{ NIC_STEP_REUSE, ANY, ANY, explain_in_use, NULL },
	{ NIC_STEP_QUEUE, ANY, EBUSY, explain_busy, NULL },
	{ NIC_STEP_QUEUE, ANY, EPERM, explain_no_right, NULL },
	{ NIC_STEP_QUEUE, ANY, EINVAL, explain_queues, NULL },
	{ NIC_STEP_QUEUE, ANY, ANY, NULL, "make the tap" },
	{ NIC_STEP_SETUP, NL_READ, ENOENT, explain_changed, NULL },
	{ NIC_STEP_SETUP, NL_CONFIGURE, EXFULL, explain_full, NULL },
	{ NIC_STEP_SETUP, NL_CONFIGURE, ANY, explain_no_port, NULL },
	{ NIC_STEP_SETUP, NL_PORT, ANY, NULL, "set the flags of the bridge port" },
	{ NIC_STEP_SETUP, NL_VLAN, ANY, NULL, "set the VLANs of the bridge port" },
	{ NIC_STEP_SETUP, NL_ADDRESS, EACCES, explain_no_ipv6, NULL },
	{ NIC_STEP_SETUP, NL_ADDRESS, EAFNOSUPPORT, explain_no_ipv6, NULL },
	{ NIC_STEP_SETUP, NL_ADDRESS, ANY, NULL, "give it the addresses of --address" },
	{ NIC_STEP_SETUP, NL_FDB, ANY, NULL, "lock the guest's address to the bridge port" },
	{ NIC_STEP_OFFLOAD, ANY, ANY, NULL, "reset its offloads" },
	{ NIC_STEP_OWNER, ANY, EINVAL, explain_unmapped, NULL },
	{ NIC_STEP_OWNER, ANY, ANY, NULL, "give it to its owner" },
	{ NIC_STEP_PERSIST, ANY, ANY, NULL, "make it persistent" },
	{ NIC_STEP_ADDRESS, ANY, ANY, NULL, "set its address once more" },
	{ NIC_STEP_READ, ANY, ANY, NULL, "read it back" },
};
/* clang-format on */

static bool fits(const struct refusal *row, const struct nic *nic)
{
	return (row->step == NIC_STEP_ANY || row->step == nic->step) &&
	       (row->at == ANY || row->at == nic->refusal.step) &&
	       (row->err == ANY || row->err == -nic->refusal.err);
}

int explain_refusal(struct nl *nl, const struct nic *nic, int err)
{
	const char *doing = "set it up";

	if (report_line()[0])
		return err;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		if (!fits(&refusals[i], nic))
			continue;
		if (refusals[i].explain)
			return refusals[i].explain(nl, nic, err);
		doing = refusals[i].doing;
		break;
	}
	return report_error(err, "%s: cannot %s: %s", nic->name, doing,
			    nl_result_text(&nic->refusal));
}

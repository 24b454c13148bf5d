/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nic/record.h"
#include "nic/explain.h"
#include "kernel/holders.h"
#include "nic/nic.h"

bool link_disappeared(int err)
{
	return err == -EBADFD || err == -ENODEV;
}

int explain_disappeared(const struct nic *nic, int err)
{
	return report_error(err, "%s: it has gone: somebody removed it meanwhile", nic->name);
}

const char *explain_holder(char words[static 64], const char *name, dev_t rdev)
{
	const struct holder *holder;
	struct holders holders;

	words[0] = '\0';
	if (holders_read(&holders) < 0) {
		report_forget();
		return words;
	}
	holder = holders_next(&holders, NULL, name, rdev);
	if (holder)
		snprintf(words, 64, ", held by %s (pid %d)", holder->command, (int)holder->pid);
	holders_free(&holders);
	return words;
}

/* The name is taken: by whom. */
static int explain_exists(struct nl *nl, const char *name)
{
	char words[64] = "", text[MAC_STRLEN];
	uint8_t guest[MAC_LEN];
	struct link link;

	if (nl_link_get(nl, name, 0, &link) < 0)
		return report_error(-EEXIST, "%s: a device of that name exists already", name);
	if (link_is_tap(&link))
		explain_holder(words, name, macvtap_rdev(&link));
	if (record_guest(guest, &link))
		return report_error(
			-EEXIST,
			"%s: it exists already, made for the guest %s%s: exec --reuse opens it, "
			"tapctl del removes it",
			name, mac_format(text, guest), words);
	if (record_is_host(&link))
		return report_error(
			-EEXIST, "%s: it exists already, as this host's leg: tapctl del removes it",
			name);
	return report_error(-EEXIST,
			    "%s: it exists already, a %s that tapctl did not make%s: "
			    "choose another --name",
			    name, link_kind_word(&link), words);
}

int explain_connect(struct nl *nl, const struct nic *nic, int err)
{
	char words[64];

	switch (err) {
	case -EBUSY:
		if (!nic->reused)
			return explain_exists(nl, nic->name);
		return report_error(err, "%s: it is busy%s", nic->name,
				    explain_holder(words, nic->name, 0));
	case -EPERM:
		if (nic->reused && nic->link.tun.has_owner && nic->link.tun.owner != geteuid())
			return report_error(err,
					    "%s: it belongs to uid %u, and without CAP_NET_ADMIN "
					    "nobody else may open it",
					    nic->name, nic->link.tun.owner);
		return report_error(
			err,
			"%s: making a tap needs CAP_NET_ADMIN over this network "
			"namespace: run it with sudo, or in a user namespace of your own: "
			"unshare -Urn",
			nic->name);
	case -EINVAL:
		if (nic->reused)
			return report_error(err,
					    "%s: it was made %s several queues: --queues has to "
					    "agree",
					    nic->name,
					    nic->link.tun.multi_queue ? "for" : "without");
		return report_error(err, "%s: the kernel refuses that name or those flags",
				    nic->name);
	default:
		return report_error(err, "%s: cannot make the tap: %s", nic->name, strerror(-err));
	}
}

int explain_tap_setup(struct nl *nl, const struct nic *nic, int err)
{
	static const char *const steps[NL_DELETE + 1] = {
		[NL_PORT] = "set the flags of the bridge port",
		[NL_VLAN] = "set the VLANs of the bridge port",
		[NL_FDB] = "lock the guest's address to the bridge port",
	};
	const char *bridge = nic->parent.name, *step = steps[nl->failed];

	if (link_disappeared(err) || (nl->failed == NL_READ && err == -ENOENT))
		return explain_disappeared(nic, err);
	if (nl->failed == NL_CONFIGURE && err == -EXFULL)
		return report_error(
			err,
			"%s: the bridge is full, it takes 1023 ports: tapctl list shows leftovers",
			bridge);
	if (nl->failed == NL_CONFIGURE && nic->parent.ifindex)
		return report_error(err, "%s: cannot make it a port of %s: %s", nic->name, bridge,
				    nl_strerror(nl, err));
	return report_error(err, "%s: cannot %s: %s", nic->name, step ? step : "set it up",
			    nl_strerror(nl, err));
}

/* Another macvtap on the same lower device with the address @mac, for explain_macvtap(). */
struct duplicate {
	const uint8_t *mac;
	int lower, not_this;
	bool passthru;
	struct link link;
};

static int find_duplicate(const struct link *link, void *data)
{
	struct duplicate *duplicate = data;

	if (link->lower != duplicate->lower || link->ifindex == duplicate->not_this)
		return 0;
	if (duplicate->passthru ? link->mode != MODE_PASSTHRU :
				  !mac_equal(link->address, duplicate->mac))
		return 0;
	duplicate->link = *link;
	return -EEXIST;
}

static bool has_duplicate(struct nl *nl, struct duplicate *duplicate)
{
	return nl_link_dump(nl, LINK_MACVTAP, find_duplicate, duplicate) == -EEXIST ||
	       nl_link_dump(nl, LINK_MACVLAN, find_duplicate, duplicate) == -EEXIST;
}

int explain_macvtap(struct nl *nl, const struct nic *nic, int err)
{
	const char *lower = nic->parent.name;
	const char *kind = nic->want.for_host ? "macvlan" : "macvtap";
	char mac[MAC_STRLEN], words[64], said[sizeof(nl->text)];
	struct duplicate duplicate = {
		.mac = nic->want.guest,
		.lower = nic->parent.ifindex,
		.not_this = nic->link.ifindex,
	};
	enum nl_step failed = nl->failed;

	snprintf(said, sizeof(said), "%s", nl_strerror(nl, err));
	mac_format(mac, nic->want.guest);
	if (failed == NL_CREATE && err == -EEXIST)
		return explain_exists(nl, nic->name);
	if (failed == NL_CREATE && err == -EPERM)
		return report_error(err,
				    "%s: making a %s needs CAP_NET_ADMIN over this network "
				    "namespace: run it with sudo",
				    nic->name, kind);
	if (failed == NL_CREATE && err == -EOPNOTSUPP)
		return report_error(err, "%s: this kernel has no %s: modprobe %s", nic->name, kind,
				    kind);
	if (failed == NL_UP && (err == -EADDRINUSE || err == -EBUSY)) {
		if (mac_equal(nic->parent.address, nic->want.guest))
			return report_error(err,
					    "%s: the address is that of %s itself: give the "
					    "guest another one",
					    mac, lower);
		if (has_duplicate(nl, &duplicate))
			return report_error(err, "%s: the address is in use on %s by %s%s", mac,
					    lower, duplicate.link.name,
					    explain_holder(words, duplicate.link.name,
							   macvtap_rdev(&duplicate.link)));
		return report_error(err, "%s: the address is in use on %s already", mac, lower);
	}
	duplicate.passthru = true;
	if (failed == NL_CREATE && err == -EINVAL && nic->want.mode == MODE_PASSTHRU)
		return report_error(err,
				    "%s: --mode passthru wants %s for itself, and it carries "
				    "other devices already",
				    nic->name, lower);
	if (failed == NL_CREATE && err == -EINVAL && has_duplicate(nl, &duplicate))
		return report_error(err, "%s: %s is taken whole by %s in mode passthru", nic->name,
				    lower, duplicate.link.name);
	return report_error(err, "%s: cannot make a %s on %s: %s", nic->name, kind, lower, said);
}

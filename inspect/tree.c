/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "inspect/describe.h"
#include "inspect/tree.h"
#include "kernel/address.h"
#include "lib/json.h"
#include "lib/report.h"

/* What stands below a bridge or lower device, in this order. */
enum role {
	ROLE_UPLINK,
	ROLE_HOST,
	ROLE_GUEST,
	ROLE_NONE, /* it is not shown */
};

struct tree {
	FILE *out;
	struct nl *nl;
	bool colour, plain; /* without characters for drawing */
	struct inventory inventory;
	struct addresses addresses;
};

/* --- what is there --- */

static int read_tree(struct tree *tree)
{
	int err = inventory_read(&tree->inventory, tree->nl);

	if (err)
		return err;
	err = address_dump(tree->nl, addresses_keep_wide, &tree->addresses);
	if (err < 0)
		return report_error(err, "cannot look at the links: %s", nl_strerror(err));
	report_tell(REPORT_STEP, "links read from the kernel: %zu, and their IP addresses",
		    tree->inventory.count);
	return holders_read(&tree->inventory.holders);
}

static bool is_device(const struct inventory_link *link)
{
	return link_is_tap(&link->link) || record_is_host(&link->link);
}

/* Where it is on a bridge or lower device, the picture of that has it, whoever made it. */
static bool is_wired(const struct inventory *inventory, const struct inventory_link *link)
{
	const struct inventory_link *parent = inventory_find(inventory, link->parent);

	return parent && (parent->link.kind == LINK_BRIDGE || link->link.kind == LINK_MACVTAP);
}

static void choose(struct tree *tree, const struct selection *selection, bool all)
{
	struct inventory *inventory = &tree->inventory;

	for (size_t i = 0; i < inventory->count && !selection; i++) {
		struct inventory_link *link = &inventory->links[i];

		link->chosen = link->ours || link->link.kind == LINK_BRIDGE ||
			       record_is_host(&link->link) ||
			       (link_is_tap(&link->link) && (all || is_wired(inventory, link)));
	}
	for (size_t k = 0; selection && k < selection->count; k++) {
		int ifindex = selection->links[k].ifindex;

		for (size_t i = 0; i < inventory->count; i++) {
			struct inventory_link *link = &inventory->links[i];

			link->chosen |= link->link.ifindex == ifindex ||
					(is_device(link) && link->parent == ifindex);
		}
	}
}

/* The ifindex of what a device is on, as far as it is a link: Open vSwitch's datapath is not it. */
static int parent_of(const struct inventory_link *link)
{
	return link->record.ovs[0] ? 0 : link->parent;
}

static enum role role_of(const struct inventory_link *link, const struct link *parent)
{
	const struct link *own = &link->link;

	if (link_is_tap(own))
		return link->chosen && parent_of(link) == (parent ? parent->ifindex : 0) ?
			       ROLE_GUEST :
			       ROLE_NONE;
	/* A macvlan whose lower device is not here. */
	if (!parent)
		return link->chosen && record_is_host(own) && !link->parent ? ROLE_HOST : ROLE_NONE;
	if (link->parent == parent->ifindex && link->is_port)
		return ROLE_UPLINK;
	/* A veth's IFLA_LINK is its other end. */
	return own->lower == parent->ifindex && !own->lower_elsewhere &&
			       strcmp(own->kind_name, "veth") != 0 ?
		       ROLE_HOST :
		       ROLE_NONE;
}

/* --- in words --- */

static void print_addresses(const struct tree *tree, int ifindex)
{
	char text[IP_STRLEN];

	for (size_t i = 0; i < tree->addresses.count; i++)
		if (tree->addresses.list[i].ifindex == ifindex)
			fprintf(tree->out, " %s", ip_format(text, &tree->addresses.list[i].ip));
}

static void print_state(const struct tree *tree, const char *before, const char *text,
			enum colour colour)
{
	colour = tree->colour ? colour : COLOUR_NONE;
	fprintf(tree->out, "%s%s", before, colour_begin(colour));
	plain_string(tree->out, text);
	fputs(colour_end(colour), tree->out);
}

/* Of a link that is no guest's, where it is not as it should be. */
static void print_fault(const struct tree *tree, const struct link *link)
{
	if (!(link->flags & IFF_UP))
		print_state(tree, ", ", "down", COLOUR_BAD);
	else if (!link->carrier)
		print_state(tree, ", ", "no carrier", COLOUR_BAD);
}

static void print_head(const struct tree *tree, const struct link *parent, const char *ovs)
{
	char mac[MAC_STRLEN];

	if (!parent) {
		plain_string(tree->out, *ovs ? ovs : "on no bridge");
		fputs(*ovs ? " Open vSwitch\n" : "\n", tree->out);
		return;
	}
	plain_string(tree->out, parent->name);
	fprintf(tree->out, " %s", mac_format(mac, parent->address));
	print_addresses(tree, parent->ifindex);
	/* A bridge without guests that run has no carrier, and that is as it should be. */
	if (parent->kind != LINK_BRIDGE || !(parent->flags & IFF_UP))
		print_fault(tree, parent);
	putc('\n', tree->out);
}

static void print_device(const struct tree *tree, const struct inventory_link *link,
			 const struct link *parent)
{
	const struct holders *holders = &tree->inventory.holders;
	struct device device = {
		.link = &link->link,
		.parent = parent,
		.rdev = macvtap_rdev(&link->link),
		.use = lease_find_use(tree->nl, &link->link, holders),
	};
	enum state state = device_state(&device, holders);
	char mac[MAC_STRLEN], *held = device_holders(&device, holders, true);
	bool is_held = held && *held;

	fprintf(tree->out, " %-17s", link->ours ? mac_format(mac, link->guest) : "-");
	print_addresses(tree, link->link.ifindex);
	if (state == STATE_WAITING)
		print_state(tree, " ", "waits for its guest", state_colour(state));
	else if (state != STATE_RUNNING || !is_held)
		print_state(tree, " ", state_word(state), state_colour(state));
	if (state == STATE_OFF_BRIDGE)
		print_state(tree, " ", link->record.parent, state_colour(state));
	if (is_held)
		print_state(tree, state == STATE_RUNNING ? " " : ", ", held, state_colour(state));
	free(held);
}

/* --- the picture --- */

static int name_width(const char *name)
{
	return (int)strlen(name);
}

static void print_member(const struct tree *tree, const struct inventory_link *link,
			 const struct link *parent, int width, bool last)
{
	const struct link *own = &link->link;
	const char *branch = tree->plain ? last ? "`- " : "|- " : last ? "└─ " : "├─ ";

	fputs(branch, tree->out);
	plain_string(tree->out, own->name);
	fprintf(tree->out, "%*s", width - name_width(own->name), "");
	switch (role_of(link, parent)) {
	case ROLE_UPLINK:
		fputs(strcmp(own->kind_name, "dummy") == 0 ? " dummy" : " uplink", tree->out);
		print_fault(tree, own);
		break;
	case ROLE_HOST:
		fputs(" this host", tree->out);
		print_addresses(tree, own->ifindex);
		print_fault(tree, own);
		break;
	default:
		print_device(tree, link, parent);
	}
	putc('\n', tree->out);
}

/* The members of @role after @after (NULL: the first); NULL: no more. */
static const struct inventory_link *next_member(const struct tree *tree, const struct link *parent,
						const char *ovs, enum role role,
						const struct inventory_link *after)
{
	const struct inventory *inventory = &tree->inventory;

	for (size_t i = after ? (size_t)(after - inventory->links) + 1 : 0; i < inventory->count;
	     i++)
		if (role_of(&inventory->links[i], parent) == role &&
		    (parent || strcmp(inventory->links[i].record.ovs, ovs) == 0))
			return &inventory->links[i];
	return NULL;
}

/* @parent NULL: what is on the bridge @ovs of Open vSwitch or, "", on no bridge. */
static void print_group(const struct tree *tree, const struct link *parent, const char *ovs)
{
	const struct inventory_link *member, *pending = NULL;
	int width = 0;

	for (enum role role = 0; role < ROLE_NONE; role++)
		for (member = NULL; (member = next_member(tree, parent, ovs, role, member));)
			if (name_width(member->link.name) > width)
				width = name_width(member->link.name);
	if (!parent && !width)
		return;
	print_head(tree, parent, ovs);
	for (enum role role = 0; role < ROLE_NONE; role++)
		for (member = NULL; (member = next_member(tree, parent, ovs, role, member));) {
			if (pending)
				print_member(tree, pending, parent, width, false);
			pending = member;
		}
	if (pending)
		print_member(tree, pending, parent, width, true);
}

/* Whether anything is shown under it: itself, or a device on it. */
static bool is_shown(const struct tree *tree, const struct inventory_link *parent)
{
	const struct inventory *inventory = &tree->inventory;

	if (is_device(parent))
		return false;
	if (parent->chosen)
		return true;
	for (size_t i = 0; i < inventory->count; i++)
		if (inventory->links[i].chosen && is_device(&inventory->links[i]) &&
		    parent_of(&inventory->links[i]) == parent->link.ifindex)
			return true;
	return false;
}

/* The first one of its bridge of Open vSwitch. */
static bool is_first_on_ovs(const struct inventory *inventory, size_t i)
{
	const char *ovs = inventory->links[i].record.ovs;

	for (size_t k = 0; k < i; k++)
		if (strcmp(inventory->links[k].record.ovs, ovs) == 0)
			return false;
	return *ovs;
}

int tree_draw(FILE *out, struct nl *nl, const struct selection *selection, bool all, bool colour)
{
	struct tree tree = { .out = out, .nl = nl, .colour = colour, .plain = !plain_is_utf8() };
	const struct inventory *inventory = &tree.inventory;
	int err = read_tree(&tree);

	if (!err)
		choose(&tree, selection, all);
	for (size_t i = 0; i < inventory->count && !err; i++)
		if (is_shown(&tree, inventory->by_index[i]))
			print_group(&tree, &inventory->by_index[i]->link, "");
	for (size_t i = 0; i < inventory->count && !err; i++)
		if (is_first_on_ovs(inventory, i))
			print_group(&tree, NULL, inventory->links[i].record.ovs);
	if (!err)
		print_group(&tree, NULL, "");
	inventory_free(&tree.inventory);
	free(tree.addresses.list);
	return err;
}

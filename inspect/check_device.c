/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "inspect/check_device.h"
#include "inspect/check_ovs.h"
#include "inspect/difference.h"
#include "kernel/holders.h"
#include "kernel/macvtap.h"
#include "nic/lease.h"

const char *holder_words(char text[static HOLDER_TEXT], const struct check *check,
			 const struct link *link)
{
	const struct holder *holder = holders_next(&check->inventory.holders, NULL, link->name,
						   macvtap_rdev(link));

	if (!holder)
		return "not open in any process that is seen";
	snprintf(text, HOLDER_TEXT, "open in %s (pid %d)", holder->command, (int)holder->pid);
	return text;
}

/* It waits for its guest. Of a tap that tapctl did not make exec may expect another address. */
static void note_no_holder(struct check *check, const struct inventory_link *device,
			   const char *seen_by)
{
	const struct link *link = &device->link;
	bool is_tap = link->kind == LINK_TUN, several = link->tun.multi_queue;
	char usual[MAC_NAMELEN], reuse[128] = "", qemu[128] = "";

	mac_name(usual, is_tap ? "tap" : "mvt", device->guest);
	if (device->ours || !is_tap)
		snprintf(reuse, sizeof(reuse), "tapctl exec --reuse%s%s%s%s",
			 several ? " --queues 2" : "",
			 strcmp(link->name, usual) == 0 ? "" : " --name ",
			 strcmp(link->name, usual) == 0 ? "" : link->name, is_tap ? ", or " : "");
	if (is_tap)
		snprintf(qemu, sizeof(qemu),
			 "qemu -netdev tap,id=n0,ifname=%s,script=no,downscript=no%s", link->name,
			 several ? ",queues=2" : "");
	find(check, link, NOTE, "no-holder",
	     "no process%s has it open\nstart its guest with it (%s%s), or: tapctl del %s%s",
	     seen_by, reuse, qemu, device->ours ? "" : "--force ", link->name);
}

/* A tap has a carrier while a queue is open, unless its holder or root switched it off. */
static void check_tap_holder(struct check *check, const struct inventory_link *device)
{
	const struct link *link = &device->link;
	const struct holder *holder;

	if (link->carrier || !(link->flags & IFF_UP))
		return;
	holder = holders_next(&check->inventory.holders, NULL, link->name, 0);
	/* `add` is still making it, which leaves it without carrier, or `del` is at work. */
	if (holder && strcmp(holder->command, "tapctl") == 0)
		return;
	/* A tap that is not persistent exists, so a process has it open. */
	if (!holder && !link->tun.persistent)
		find(check, link, ERROR, "carrier-off",
		     "a process of another user or container has it open, and its carrier is "
		     "switched off\nip link set %s carrier on (or let that program do it)",
		     link->name);
	else if (holder)
		find(check, link, ERROR, "carrier-off",
		     "%s (pid %d) has it open, and its carrier is switched off\n"
		     "ip link set %s carrier on (or let that program do it)",
		     holder->command, (int)holder->pid, link->name);
	else
		note_no_holder(check, device, "");
}

static void check_tap(struct check *check, const struct inventory_link *device)
{
	const struct link *link = &device->link;

	check_tap_holder(check, device);
	if (link->tun.packet_info)
		find(check, link, ERROR, "packet-info",
		     "it puts four bytes before every frame, which no VMM expects\n"
		     "make it anew without them: tapctl del --force %s, then tapctl add",
		     link->name);
	if (link->tun.persistent && !link->tun.has_owner && !link->tun.has_group)
		find(check, link, WARNING, "no-owner",
		     "it has no owner, so every user of this host may open it\n"
		     "tapctl del --force %s, and make it anew: tapctl add --owner USER",
		     link->name);
}

/* The public node, which other programs open by its name. */
static void check_node(struct check *check, const struct link *link, dev_t rdev)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/tap%d", link->ifindex);
	if (stat(path, &st) < 0)
		return;
	if (!S_ISCHR(st.st_mode))
		find(check, link, WARNING, "node-no-device",
		     "%s is not a device: a shell that opened it before there was one made a file\n"
		     "rm %s",
		     path, path);
	else if (st.st_rdev != rdev)
		find(check, link, WARNING, "node-of-other",
		     "%s is the device of another network namespace's macvtap: who opens it gets "
		     "another guest's frames\nopen it with tapctl exec --reuse, which finds the "
		     "right one",
		     path);
	else if (st.st_mode & (S_IROTH | S_IWOTH))
		find(check, link, WARNING, "node-open-to-all",
		     "every user of this host may open %s and pose as this guest\nchmod 0600 %s",
		     path, path);
}

static void check_macvtap(struct check *check, const struct inventory_link *device)
{
	const struct link *link = &device->link;
	dev_t rdev = macvtap_rdev(link);

	/*
	 * The kernel itself tells it of one that is to live as long as it is open. Its watcher may
	 * be about to remove it, and have to wait for a processor.
	 */
	if (lease_is_stale(check->nl, link) > 0) {
		check->patient = true;
		find(check, link, WARNING, "no-holder",
		     "its program has ended, and nothing else will remove it\ntapctl del %s",
		     link->name);
	} else if (device->record.by != RECORD_BY_EXEC && rdev &&
		   !check->inventory.holders.incomplete &&
		   !holders_next(&check->inventory.holders, NULL, "", rdev))
		note_no_holder(check, device,
			       check->inventory.holders.nested ? " that this container sees" : "");
	if (link->lower_elsewhere && link->flags & IFF_UP && !link->carrier)
		find(check, link, ERROR, "lower-no-carrier",
		     "its lower device, in another network namespace, is down or has no carrier\n"
		     "there: ip link set DEVICE up (ip -d link show %s tells its index and the "
		     "namespace's)",
		     link->name);
	if (rdev)
		check_node(check, link, rdev);
	if (rdev && holders_disagree(&check->inventory.holders, rdev))
		find(check, link, ERROR, "queues-differ",
		     "some of its queues have vnet headers and some do not, and a frame may go to "
		     "any of them\nopen all of them alike (tapctl exec --queues N)");
	if (device->ours && device->has_ip)
		find(check, link, WARNING, "macvtap-ip",
		     "the host has an IP address on it, and answers for it with the guest's "
		     "address\n"
		     "ip address flush dev %s",
		     link->name);
	else if (!device->ours && !(link->flags & IFF_ALLMULTI))
		find(check, link, WARNING, "no-allmulti",
		     "it drops multicast that the host did not ask for, so the guest's IPv6 finds "
		     "no neighbours\nip link set %s allmulticast on",
		     link->name);
}

/* The bridge or lower device that the record names: hardly ever another one than it is on. */
static const struct inventory_link *find_recorded(const struct inventory *inventory,
						  const struct inventory_link *device)
{
	const struct inventory_link *is = inventory_find(inventory, device->parent);
	const char *wanted = device->record.parent;

	if (!wanted[0])
		return NULL;
	return is && strcmp(is->link.name, wanted) == 0 ? is :
							  inventory_find_name(inventory, wanted);
}

static void check_record(struct check *check, const struct inventory_link *device)
{
	const struct inventory_link *parent = find_recorded(&check->inventory, device);
	const struct inventory_link *master = inventory_find(&check->inventory,
							     device->link.master);
	struct compared compared = {
		.link = &device->link,
		.record = &device->record,
		.parent = parent ? &parent->link : NULL,
		.master = master ? &master->link : NULL,
		.port = device->port,
		.traffic = device->traffic,
		.row_known = check->rows_known,
		.row = ovs_get_port(&check->rows, device->link.name),
	};
	struct difference_texts texts;
	unsigned differences;

	compared.port.known = true;
	differences = record_compare(&compared);
	for (enum difference d = 0; d < DIFFERENCES; d++) {
		struct finding finding;

		if (!(differences & 1U << d))
			continue;
		finding = difference_finding(&texts, &compared, d);
		find(check, &device->link, finding.severity, finding.id, "%s\n%s", finding.problem,
		     finding.remedy);
	}
	if (!check->tell)
		record_tell_unknown(&device->record, &device->link);
}

/* What a macvtap's queues take, the kernel does not tell. */
static void check_filter(struct check *check, const struct inventory_link *device)
{
	if (!device->traffic.filters || !device->record.traffic.ip.count)
		return;
	if (device->filtered)
		find(check, &device->link, WARNING, "source-dropped",
		     "its guest has sent frames that --ip forbids, %llu so far\n"
		     "give the guest the addresses of the record (tapctl list --json), or make the "
		     "device anew with its own",
		     (unsigned long long)device->filtered);
	if (device->link.tun.vnet_hdr)
		find(check, &device->link, NOTE, "filter-checksums",
		     "the host writes checksums for its guest, whose kernel can so change the "
		     "sender of ARP and an IPv6 source behind the filter of --ip\n"
		     "where the guest's kernel is not trusted, make the device with --no-vnet-hdr");
}

void check_device(struct check *check, const struct inventory_link *device)
{
	const struct link *link = &device->link;
	const struct inventory_link *duplicate;
	char mac[MAC_STRLEN];

	if (!device->ours && !(link->flags & IFF_UP))
		find(check, link, ERROR, "device-down", "it is down\nip link set %s up",
		     link->name);
	if (!link->queue_length)
		find(check, link, ERROR, "no-queue",
		     "its queue has room for no frame (txqueuelen 0): nothing reaches the guest\n"
		     "ip link set %s txqueuelen 1000",
		     link->name);
	if (link->kind == LINK_MACVTAP)
		check_macvtap(check, device);
	else
		check_tap(check, device);
	if (!device->ours)
		return;
	check_record(check, device);
	check_filter(check, device);
	if (device->record.ovs[0])
		check_ovs_port(check, device);
	mac_format(mac, device->guest);
	if (mac_equal(device->guest, mac_qemu_default))
		find(check, link, WARNING, "qemu-default",
		     "%s is the address that qemu gives to every guest without mac=\n"
		     "give each guest its own: tapctl mac --random",
		     mac);
	duplicate = inventory_find_duplicate(&check->inventory, device);
	if (duplicate)
		find(check, link, WARNING, "same-guest",
		     "%s was made for the same guest %s\nremove one: tapctl del %s",
		     duplicate->link.name, mac, duplicate->link.name);
}

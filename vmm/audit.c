/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel/audit.h"
#include "vmm/audit.h"
#include "lib/privs.h"

#define RECORD 1024 /* the program takes 2 * 200 bytes of it at most, the other fields 128 */

/* As audit-tools read it: in quotes, or in hexadecimal when a byte of it could end the field. */
static void encode(char *encoded, size_t size, const char *value)
{
	bool plain = true;

	for (const char *c = value; *c; c++)
		plain &= *c > ' ' && *c <= '~' && *c != '"';
	if (plain)
		snprintf(encoded, size, "\"%s\"", value);
	for (size_t i = 0; !plain && value[i] && 2 * i + 2 < size; i++)
		snprintf(encoded + 2 * i, size - 2 * i, "%02X", (unsigned char)value[i]);
}

/* One record: the fields of libvirt's and in its order; what tapctl does not know is a `?`. */
struct entry {
	struct nl *nl;
	const char *program; /* encoded */
};

static void put(const struct entry *entry, const char *reason, const char *fields, bool success)
{
	char text[RECORD];

	snprintf(text, sizeof(text),
		 "virt=? resrc=net reason=%s vm=? uuid=? %s exe=%s hostname=? addr=? terminal=? "
		 "res=%s",
		 reason, fields, entry->program, success ? "success" : "failed");
	audit_put(entry->nl, text);
}

static void put_open(const struct entry *entry, const char *mac, const char *path, int fd)
{
	char fields[128], rdev[16] = "?";
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0)
		snprintf(rdev, sizeof(rdev), "%02X:%02X", major(st.st_rdev), minor(st.st_rdev));
	snprintf(fields, sizeof(fields), "net=%s path=\"%s\" rdev=%s", mac, path, rdev);
	put(entry, "open", fields, fd >= 0);
}

static void put_nic(const struct entry *entry, const struct nic *nic, bool success)
{
	char mac[MAC_STRLEN], path[32] = "/dev/net/tun", fields[64];

	mac_format(mac, nic->guest);
	if (nic->want->kind == NIC_MACVTAP)
		snprintf(path, sizeof(path), "/dev/tap%d", nic->link.ifindex);
	put_open(entry, mac, path, nic->fds[0]);
	if (nic->vhost_fds[0] >= 0 || (nic->want->vhost == VHOST_ON && nic->fds[0] >= 0))
		put_open(entry, mac, "/dev/vhost-net", nic->vhost_fds[0]);
	snprintf(fields, sizeof(fields), "old-net=\"?\" new-net=\"%s\"", mac);
	put(entry, "start", fields, success);
}

void audit_nics(const struct nic *nics, size_t count, bool success)
{
	char path[201], program[2 * sizeof(path)];
	struct entry entry = { .program = program };
	ssize_t n;

	privs_use(PRIVS_AUDIT);
	if (audit_open(&entry.nl) < 0)
		goto out;
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	encode(program, sizeof(program), path);
	for (size_t k = 0; k < count; k++)
		put_nic(&entry, &nics[k], success);
	audit_send(entry.nl);
	nl_close(entry.nl);
out:
	privs_use(PRIVS_NONE);
}

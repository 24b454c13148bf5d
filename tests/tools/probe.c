/* SPDX-License-Identifier: MIT */
/*
 * Stands in for a VMM: prints as JSON what it was given, and ends. It is no script, as every
 * interpreter changes signals, environment or fds before it gets to look at them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>

static void string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void strings(const char *key, char **list)
{
	printf(",\n\"%s\":[", key);
	for (char **word = list; *word; word++) {
		if (word != list)
			putchar(',');
		string(*word);
	}
	putchar(']');
}

static void link_of(const char *key, const char *path)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	printf(",\n\"%s\":", key);
	string(target);
}

/* The line of a /proc file that begins with @key, as a string. */
static void line_of(const char *path, const char *key)
{
	char line[4096], *value;
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) != 0 || line[strlen(key)] != ':')
			continue;
		value = line + strlen(key) + 1;
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = '\0';
		printf(",\n\"%s\":", key);
		string(value);
	}
	if (file)
		fclose(file);
}

/* What TUNGETIFF and SIOCGIFHWADDR say: taps and macvtaps answer. */
static void device_of(int fd)
{
	struct ifreq ifr = { 0 };
	unsigned char *mac = (unsigned char *)ifr.ifr_hwaddr.sa_data;
	unsigned flags;

	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return;
	flags = (unsigned short)ifr.ifr_flags;
	printf(",\"device\":\"%s\",\"vnet_hdr\":%s,\"multi_queue\":%s", ifr.ifr_name,
	       flags & IFF_VNET_HDR ? "true" : "false", flags & IFF_MULTI_QUEUE ? "true" : "false");
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) == 0)
		printf(",\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\"", mac[0], mac[1], mac[2], mac[3],
		       mac[4], mac[5]);
}

static void fds(void)
{
	const struct dirent *entry;
	const char *comma = "";
	char path[300];
	DIR *dir = opendir("/proc/self/fd");

	printf(",\n\"fds\":{");
	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(dir))
			continue;
		printf("%s\n\"%d\":{\"flags\":%d", comma, fd, fcntl(fd, F_GETFL));
		comma = ",";
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		link_of("file", path);
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		line_of(path, "iff");
		device_of(fd);
		putchar('}');
	}
	printf("}");
}

int main(int argc, char **argv)
{
	static const char *const lines[] = {
		"Umask",  "Uid",    "Gid",    "Groups", "SigBlk", "SigIgn",	"SigCgt",
		"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp",
	};

	printf("{\"pid\":%d,\"pgid\":%d,\"sid\":%d,\"argc\":%d", getpid(), getpgrp(), getsid(0),
	       argc);
	strings("argv", argv);
	strings("env", environ);
	link_of("cwd", "/proc/self/cwd");
	link_of("netns", "/proc/self/ns/net");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		line_of("/proc/self/status", lines[i]);
	fds();
	puts("\n}");
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/args_parts.h"

/* How descriptors are written: one, or several with what stands between and behind. */
struct fd_form {
	const char *one, *several, *between, *behind;
};

/* What there is to know of a VMM beside its options. */
/* clang-format off */
static const struct vmm_facts {
	struct fd_form fds, vhost_fds;
	const char *nic; /* how it is told of one; %f: the descriptors, %m: the address */
	const char *gets; /* what a card without an address gets; NULL: what it should, inside */
} known[VMM_UML + 1] = {
	[VMM_QEMU] = { { "fd=", "fds=", ":", "" },
		{ ",vhost=on,vhostfd=", ",vhost=on,vhostfds=", ":", "" },
		.nic = "-netdev tap,id=ID,%f -device virtio-net-pci,netdev=ID,mac=%m",
		.gets = "qemu's default address" },
	[VMM_CROSVM] = { { .one = "tap-fd=" }, .nic = "--net %f,mac=%m", .gets = "one of its own" },
	[VMM_CLOUD_HYPERVISOR] = { { "fd=", "fd=[", ",", "]" }, .nic = "--net %f,mac=%m",
		.gets = "a random one" },
	[VMM_LKVM] = { { .one = "fd=" }, .nic = "--network mode=tap,%f,guest_mac=%m",
		.gets = "lkvm's default address" },
	[VMM_SOLO5] = { { .one = "@" }, .nic = "--net:NAME=%f --net-mac:NAME=%m",
		.gets = "a random one" },
	[VMM_UML] = { { .one = "fd=" }, .nic = "vec0:transport=fd,%f,vec=0" },
};
/* clang-format on */

struct check {
	struct args *args;
	const struct option_table *table;
	const struct vmm_facts *facts;
	const char *vmm; /* its name */
	const struct args_nic *nics;
	size_t count;
	bool lacking; /* some NIC is not named, which explains that another is named twice */
	bool (*is_open)(int fd);
	FILE *out; /* the line that is being written, to @line */
	char *line;
	size_t size;
	args_warn_fn *warn;
	void *context;
};

/* The line is complete, and stays one whatever stands in COMMAND's words. */
static void tell(struct check *check)
{
	fputc('\0', check->out);
	if (fflush(check->out) == 0) {
		for (char *c = check->line; *c; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				*c = '?';
		check->warn(check->context, check->line);
	}
	rewind(check->out);
}

static void write_some(FILE *out, const struct fd_form *form, int first, unsigned count)
{
	if (!form->several)
		count = 1;
	fputs(count > 1 ? form->several : form->one, out);
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "%s%d", i ? form->between : "", first + (int)i);
	fputs(count > 1 ? form->behind : "", out);
}

static void write_fds(const struct check *check, const struct args_nic *nic)
{
	write_some(check->out, &check->facts->fds, nic->fd, nic->queues);
	if (nic->vhost_fd >= 0 && check->facts->vhost_fds.one)
		write_some(check->out, &check->facts->vhost_fds, nic->vhost_fd, nic->queues);
}

static void write_value(FILE *out, const char *value)
{
	for (; *value; value++)
		fputs(*value == ',' ? ",," : (char[]){ *value, '\0' }, out);
}

/* Whether a key of @option stays when it is given @nic's descriptors. */
static bool stays(const struct option *option, const char *key, const struct args_nic *nic)
{
	/* qemu refuses them together with fd=. */
	static const char not_with_fd[] = "ifname script downscript vnet_hdr helper queues br fd "
					  "fds vhostfd vhostfds";
	const char *type = option_get(option, "type");
	bool vhost = nic->vhost_fd >= 0 || option_get(option, "vhostfd") ||
		     option_get(option, "vhostfds");

	if (type && strcmp(type, "tap") != 0)
		return args_listed("id model mac macaddr addr", key, strlen(key));
	return !args_listed(not_with_fd, key, strlen(key)) && !(vhost && strcmp(key, "vhost") == 0);
}

/* An option of qemu's, as it is to be written. */
static void write_option(const struct check *check, const struct option *option,
			 const struct args_nic *nic)
{
	const char *first = option->kind->first, *type = option_get(option, first);
	FILE *out = check->out;
	char mac[MAC_STRLEN];

	fprintf(out, "%s ", option->word);
	write_value(out, option->netdev ? "tap" : type ? type : "DRIVER");
	for (const struct option_key *key = option->keys; key; key = key->next) {
		if (strcmp(key->key, first) == 0 ||
		    (option->netdev && !stays(option, key->key, nic)) ||
		    (option->card && strcmp(key->key, option->kind->mac) == 0))
			continue;
		fprintf(out, ",%s=", key->key);
		write_value(out, key->value);
	}
	if (option->netdev) {
		fputc(',', out);
		write_fds(check, nic);
	}
	if (option->card)
		fprintf(out, ",%s=%s", option->kind->mac, mac_format(mac, nic->guest));
}

/* End a warning, whose last word is "write", with what @nic needs in the place of @option. */
static void advise(struct check *check, struct option *option, const struct args_nic *nic)
{
	const char *text = check->facts->nic;
	char mac[MAC_STRLEN];

	if (option && option->kind->vmm == VMM_QEMU)
		write_option(check, option, nic);
	else
		for (; *text; text++) {
			if (*text != '%')
				fputc(*text, check->out);
			else if (*++text == 'm')
				fputs(mac_format(mac, nic->guest), check->out);
			else
				write_fds(check, nic);
		}
	if (option && option->is_set)
		fputs(", and leave out what -set says of it", check->out);
	if (nic->queues > 1 && !check->facts->fds.several)
		fputs(", and leave --queues out", check->out);
	if (option)
		option->told = true;
	tell(check);
}

static void check_closing(struct check *check)
{
	const struct args_closing *closing = &check->args->program.closing;
	const char *user = closing->user;

	fprintf(check->out, "%s closes all fds from 3 upwards: ", closing->name);
	if (user && *user != '#' && strcmp(user, "root") != 0)
		fprintf(check->out, "say tapctl exec --user %s ... -- COMMAND instead", user);
	else
		fprintf(check->out, "%s%sput it in front: %s ... tapctl exec ... -- COMMAND",
			closing->remedy ? closing->remedy : "", closing->remedy ? ", or " : "",
			closing->name);
	tell(check);
}

/* Whether @mac stands anywhere in @words, or a shell will put it there. */
static bool is_mentioned(char *const words[], const uint8_t mac[static MAC_LEN])
{
	uint8_t here[MAC_LEN];

	for (; *words; words++) {
		if (strstr(*words, "$TAPCTL_") || strstr(*words, "${TAPCTL_"))
			return true;
		for (const char *at = *words; (at = args_next_mac(at, here)); at++)
			if (mac_equal(here, mac))
				return true;
	}
	return false;
}

/* Of a program that is not known only this is: it has addresses, and the guest's is not there. */
static void check_unknown(struct check *check)
{
	char *const *words = check->args->words;
	struct args_guest found = { .count = 0 };
	char mac[MAC_STRLEN];

	args_search_words(&found, words);
	for (size_t k = 0; k < check->count && found.count > 0; k++) {
		if (is_mentioned(words, check->nics[k].guest))
			continue;
		fprintf(check->out,
			"%s: the guest's address is not among those that %s's arguments give it, "
			"and with another it gets no frame: say --mac as it is there",
			mac_format(mac, check->nics[k].guest), words[0]);
		tell(check);
	}
}

static bool has_name(const struct option *option, const struct args_nic *nic)
{
	const char *ifname = option_get(option, "ifname");

	return ifname && strcmp(ifname, nic->name) == 0;
}

static bool has_mac(const struct option *card, const struct args_nic *nic)
{
	const char *text = option_mac(card);
	uint8_t mac[MAC_LEN];

	return text && mac_parse(mac, text) && mac_equal(mac, nic->guest);
}

/* It opens a device itself. */
static bool is_opener(const struct option *option)
{
	const char *type = option_get(option, "type");

	return !option->told && type && args_listed("tap bridge", type, strlen(type)) &&
	       !option_get(option, "fd") && !option_get(option, "fds");
}

/* The descriptors of @nic that no option names: how many, and the first. */
struct missing {
	unsigned count;
	int first;
	int twice; /* one that is named more than once, or -1 */
	struct option *option; /* that names one of the others, and no other does */
};

static struct missing find_missing(const struct check *check, const struct args_nic *nic,
				   bool vhost)
{
	struct missing result = { .twice = -1 };

	for (unsigned i = 0; i < nic->queues; i++) {
		int fd = (int)i + (vhost ? nic->vhost_fd : nic->fd);
		struct option *option = NULL;
		unsigned places = 0;

		for (size_t k = 0; k < check->table->fd_count; k++) {
			const struct option_fd *named = &check->table->fds[k];

			if (named->fd == fd && named->vhost == vhost) {
				option = named->option;
				places++;
			}
		}
		if (places == 0 && result.count++ == 0)
			result.first = fd;
		if (places > 1)
			result.twice = fd;
		else if (option && !result.option)
			result.option = option;
	}
	return result;
}

/* The option that is most likely meant to be @nic's, which none is: it opens its device by name, is
 * on a card with its address, or is the only one that opens a device. */
static struct option *find_meant(const struct check *check, const struct args_nic *nic)
{
	const struct option_table *table = check->table;
	struct option *named = NULL, *carded = NULL, *opener = NULL;
	const struct option *card = NULL;
	unsigned openers = 0;

	while ((card = option_next_card(table, NULL, card)) && !has_mac(card, nic))
		;
	for (struct option *option = table->options; option->kind; option++) {
		if (!option->netdev)
			continue;
		if (has_name(option, nic))
			named = option;
		if (card && option_is_linked(card, option))
			carded = option;
		if (is_opener(option) && ++openers)
			opener = option;
	}
	return named ? named : carded ? carded : openers == 1 ? opener : NULL;
}

/* Whether each descriptor of @nic is named once. Returns the option that has them, or is to have
 * them; NULL: that is not known. */
static struct option *check_fds(struct check *check, const struct args_nic *nic)
{
	const struct vmm_facts *facts = check->facts;
	struct missing missing = find_missing(check, nic, false);
	struct option *option = missing.option ? missing.option : find_meant(check, nic);
	bool all = missing.count == nic->queues;

	if (missing.count == 0 && missing.twice >= 0 && !check->lacking) {
		fprintf(check->out,
			"fd %d: %s is given it twice, and each gets a part of the frames: "
			"name it once, and say a --mac for each NIC",
			missing.twice, check->vmm);
		tell(check);
		return NULL;
	}
	if (missing.count > 0 && option && has_name(option, nic)) {
		fprintf(check->out, "ifname=%s: it is open already, as fd %d: write ", nic->name,
			nic->fd);
	} else if (missing.count > 0) {
		fprintf(check->out, "%s: none of its arguments says ", check->vmm);
		write_some(check->out, &facts->fds, all ? nic->fd : missing.first,
			   all ? nic->queues : 1);
		fprintf(check->out, ", so %s: write ",
			all ? "its guest is not on this device" :
			      "the frames of that queue are lost");
	} else if (option && nic->vhost_fd >= 0 && facts->vhost_fds.one &&
		   (missing = find_missing(check, nic, true)).count > 0) {
		fprintf(check->out,
			"%s: none of its arguments says vhostfd=%d, so vhost's is not "
			"used: write ",
			check->vmm, missing.first);
	} else {
		return option;
	}
	advise(check, option, nic);
	return option;
}

/* Whether a card on @netdev has @nic's address. One whose address is not known says nothing. */
static void check_mac(struct check *check, const struct args_nic *nic, const struct option *netdev)
{
	/* qemu counts upwards from there for each card without an address. */
	bool is_default = check->args->program.vmm == VMM_QEMU &&
			  memcmp(nic->guest, mac_qemu_default, MAC_LEN - 1) == 0;
	struct option *first = option_next_card(check->table, netdev, NULL);
	char guest[MAC_STRLEN], text[MAC_STRLEN];
	uint8_t mac[MAC_LEN];

	for (struct option *card = first; card;
	     card = option_next_card(check->table, netdev, card)) {
		const char *has = option_mac(card);

		if (card->told ||
		    (has ? !mac_parse(mac, has) || mac_equal(mac, nic->guest) : is_default))
			return;
	}
	if (first && option_mac(first) && mac_parse(mac, option_mac(first)))
		fprintf(check->out,
			"%s: the card on fd %d has %s instead, and gets no frame: "
			"say --mac %s, or write ",
			mac_format(guest, nic->guest), nic->fd, mac_format(text, mac), text);
	else if (first && check->facts->gets)
		fprintf(check->out,
			"%s: none of its arguments says %s= for the card on fd %d, "
			"so its guest gets %s and no frame: write ",
			check->vmm, first->kind->mac, nic->fd, check->facts->gets);
	else
		return;
	advise(check, first, nic);
}

static bool is_ours(const struct check *check, int fd)
{
	for (size_t k = 0; k < check->count; k++) {
		const struct args_nic *nic = &check->nics[k];
		int last = nic->vhost_fd >= 0 ? nic->vhost_fd : nic->fd;

		if (fd >= nic->fd && fd - last < (int)nic->queues)
			return true;
	}
	return false;
}

/* Descriptors that are named and that COMMAND will not have. One warning for each option. */
static void check_foreign(struct check *check)
{
	for (size_t i = 0; i < check->table->fd_count; i++) {
		const struct option_fd *named = &check->table->fds[i];

		if (named->option->told || check->args->program.opens ||
		    is_ours(check, named->fd) || check->is_open(named->fd))
			continue;
		fprintf(check->out, "fd %d: %s takes it for %s, and it is not open: ", named->fd,
			check->vmm, named->vhost ? "vhost's" : "a device");
		fputs(named->vhost ? "leave vhost=on and vhostfd= out there" :
				     "name one of those that tapctl opens,",
		      check->out);
		for (size_t k = 0; k < check->count && k < 8 && !named->vhost; k++)
			fprintf(check->out, " %d", check->nics[k].fd);
		tell(check);
		named->option->told = true;
	}
}

/* A VMM that is known, by its table. */
static void check_table(struct check *check)
{
	for (size_t k = 0; k < check->count; k++)
		check->lacking |= find_missing(check, &check->nics[k], false).count > 0;
	for (size_t k = 0; k < check->count; k++) {
		struct option *netdev = check_fds(check, &check->nics[k]);

		if (netdev)
			check_mac(check, &check->nics[k], netdev);
	}
	check_foreign(check);
}

/* Whether the words say all that there is to know. Where they have nothing of networks, a monitor
 * may bring it later, and so may a script of the VMM's name or its own default. */
static bool is_known(const struct check *check)
{
	const struct option_table *table = check->table;

	if (table->unclear || !check->facts->nic)
		return false;
	return table->networks || (!table->plugged && strstr(check->vmm, "qemu-system-"));
}

int args_check(struct args *args, const struct args_nic nics[], size_t count,
	       bool (*is_open)(int fd), args_warn_fn *warn, void *context)
{
	const struct args_program *program = &args->program;
	struct check check = {
		.args = args,
		.table = &args->table,
		.facts = &known[program->vmm],
		.vmm = program->words ? program->words[0] : args->words[0],
		.nics = nics,
		.count = count,
		.is_open = is_open,
		.warn = warn,
		.context = context,
	};

	check.out = open_memstream(&check.line, &check.size);
	if (!check.out)
		return -ENOMEM;
	if (program->closing.name)
		check_closing(&check);
	else if (!program->words)
		check_unknown(&check);
	else if (is_known(&check))
		check_table(&check);
	if (fclose(check.out) != 0)
		return -ENOMEM;
	free(check.line);
	return 0;
}

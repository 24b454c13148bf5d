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
} known[] = {
	[VMM_QEMU] = { { "fd=", "fds=", ":", "" }, { ",vhost=on,vhostfd=", ",vhost=on,vhostfds=", ":", "" },
		"-netdev tap,id=ID,%f -device virtio-net-pci,netdev=ID,mac=%m", "qemu's default address" },
	[VMM_CROSVM] = { { .one = "tap-fd=" }, .nic = "--net %f,mac=%m", .gets = "one of its own" },
	[VMM_CLOUD_HYPERVISOR] = { { "fd=", "fd=[", ",", "]" }, .nic = "--net %f,mac=%m", .gets = "a random one" },
	[VMM_LKVM] = { { .one = "fd=" }, .nic = "--network mode=tap,%f,guest_mac=%m", .gets = "lkvm's default address" },
	[VMM_SOLO5] = { { .one = "@" }, .nic = "--net:NAME=%f --net-mac:NAME=%m", .gets = "a random one" },
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
			 const struct args_nic *nic, bool with_fds, bool with_mac)
{
	const char *first = option->kind->first, *type = option_get(option, first);
	FILE *out = check->out;
	char mac[MAC_STRLEN];

	with_fds &= option->netdev;
	with_mac &= option->card;
	fprintf(out, "%s ", option->word);
	write_value(out, with_fds ? "tap" : type ? type : "DRIVER");
	for (const struct option_key *key = option->keys; key; key = key->next) {
		if (strcmp(key->key, first) == 0 || (with_fds && !stays(option, key->key, nic)) ||
		    (with_mac && strcmp(key->key, option->kind->mac) == 0))
			continue;
		fprintf(out, ",%s=", key->key);
		write_value(out, key->value);
	}
	if (with_fds) {
		fputc(',', out);
		write_fds(check, nic);
	}
	if (with_mac)
		fprintf(out, ",%s=%s", option->kind->mac, mac_format(mac, nic->guest));
}

/* End a warning, whose last word is "write", with what @nic needs in the place of @option. */
static void advise(struct check *check, struct option *option, const struct args_nic *nic,
		   bool with_fds, bool with_mac)
{
	const char *text = check->facts->nic;
	char mac[MAC_STRLEN];

	if (option && option->kind->vmm == VMM_QEMU)
		write_option(check, option, nic, with_fds, with_mac);
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
	bool number = user && *user == '#';

	fprintf(check->out, "%s closes all fds from 3 upwards: ", closing->name);
	if (user && strcmp(user + number, number ? "0" : "root") != 0)
		fprintf(check->out, "say tapctl exec --user %s%s ... -- COMMAND instead",
			user + number, number ? ":GROUP" : "");
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

/* The option that is most likely meant to be @nic's: it has one of its descriptors already, opens
 * its device by name, has a card with its address, or is the only one that opens a device. */
static struct option *find_meant(const struct check *check, const struct args_nic *nic)
{
	const struct option_table *table = check->table;
	struct option *named = NULL, *carded = NULL, *opener = NULL;
	size_t openers = 0, count;

	for (unsigned i = 0; i < nic->queues; i++) {
		const struct option_fd *fds = option_fds(table, nic->fd + (int)i, false, &count);

		if (count == 1)
			return fds->option;
	}
	for (size_t i = 0; i < table->count; i++) {
		struct option *option = &table->options[i], *const * cards;

		if (!option->netdev)
			continue;
		cards = option_cards(table, option, &count);
		if (has_name(option, nic))
			named = option;
		if (count == 1 && has_mac(cards[0], nic))
			carded = option;
		if (is_opener(option) && ++openers)
			opener = option;
	}
	return named ? named : carded ? carded : openers == 1 ? opener : NULL;
}

/* How many of @count descriptors from @first on are not named; *@missing is the first of these, and
 * *@twice one that is named more than once, else they stay as they are. */
static unsigned count_missing(const struct check *check, int first, unsigned count, bool vhost,
			      int *missing, int *twice)
{
	unsigned result = 0;
	size_t places;

	for (unsigned i = 0; i < count; i++) {
		option_fds(check->table, first + (int)i, vhost, &places);
		if (places == 0 && result++ == 0)
			*missing = first + (int)i;
		if (places > 1)
			*twice = first + (int)i;
	}
	return result;
}

/* Whether each descriptor of @nic is named once. Returns the option that has them, or is to have
 * them; NULL: that is not known. */
static struct option *check_fds(struct check *check, const struct args_nic *nic)
{
	struct option *meant = find_meant(check, nic);
	int fd = -1, twice = -1;
	unsigned missing = count_missing(check, nic->fd, nic->queues, false, &fd, &twice);

	if (missing > 0) {
		if (meant && has_name(meant, nic)) {
			fprintf(check->out, "ifname=%s: it is open already, as fd %d", nic->name,
				nic->fd);
		} else if (missing == nic->queues) {
			fprintf(check->out, "%s: none of its arguments says ", check->vmm);
			write_some(check->out, &check->facts->fds, nic->fd, nic->queues);
			fputs(", so its guest is not on this device", check->out);
		} else {
			fprintf(check->out,
				"fd %d: none of %s's arguments names it, so its frames are lost",
				fd, check->vmm);
		}
		fputs(": write ", check->out);
		advise(check, meant, nic, true, true);
		return meant;
	}
	if (twice >= 0 && !check->lacking) {
		fprintf(check->out,
			"fd %d: %s is given it twice, and each gets a part of the frames: "
			"name it once, and say a --mac for each NIC",
			twice, check->vmm);
		tell(check);
		return NULL;
	}
	if (nic->vhost_fd >= 0 && check->facts->vhost_fds.one && meant &&
	    count_missing(check, nic->vhost_fd, nic->queues, true, &fd, &twice) > 0) {
		fprintf(check->out, "fd %d: %s is not told of this descriptor of vhost's: write ",
			fd, check->vmm);
		advise(check, meant, nic, true, true);
	}
	return meant;
}

/* Whether a card on @netdev has @nic's address. One whose address is not known says nothing. */
static void check_mac(struct check *check, const struct args_nic *nic, const struct option *netdev)
{
	size_t count;
	struct option *const *cards = option_cards(check->table, netdev, &count);
	/* qemu counts upwards from there for each card without an address. */
	bool is_default = check->args->program.vmm == VMM_QEMU &&
			  memcmp(nic->guest, mac_qemu_default, MAC_LEN - 1) == 0;
	char guest[MAC_STRLEN], text[MAC_STRLEN];
	uint8_t mac[MAC_LEN];

	for (size_t i = 0; i < count; i++) {
		const char *has = option_mac(cards[i]);

		if (cards[i]->told ||
		    (has ? !mac_parse(mac, has) || mac_equal(mac, nic->guest) : is_default))
			return;
	}
	if (count == 0)
		return;
	if (option_mac(cards[0]) && mac_parse(mac, option_mac(cards[0])))
		fprintf(check->out,
			"%s: the card on fd %d has %s instead, and gets no frame: "
			"say --mac %s, or write ",
			mac_format(guest, nic->guest), nic->fd, mac_format(text, mac), text);
	else if (check->facts->gets)
		fprintf(check->out,
			"%s: none of its arguments says %s= for the card on fd %d, "
			"so its guest gets %s and no frame: write ",
			check->vmm, cards[0]->kind->mac, nic->fd, check->facts->gets);
	else
		return;
	advise(check, cards[0], nic, false, true);
}

enum use { UNUSED, FOR_DEVICE, FOR_VHOST };

/* What the descriptor @fd is. */
static enum use find_use(const struct check *check, int fd)
{
	for (size_t k = 0; k < check->count; k++) {
		const struct args_nic *nic = &check->nics[k];
		int queues = (int)nic->queues;

		if (fd >= nic->fd && fd - nic->fd < queues)
			return FOR_DEVICE;
		if (nic->vhost_fd >= 0 && fd >= nic->vhost_fd && fd - nic->vhost_fd < queues)
			return FOR_VHOST;
	}
	return UNUSED;
}

/* Descriptors that are named and that COMMAND will not have, or not as what it takes them for. One
 * warning for each option. */
static void check_strangers(struct check *check)
{
	static const char *const uses[] = { "not open", "a device", "vhost's" };

	for (size_t i = 0; i < check->table->fd_count; i++) {
		const struct option_fd *named = &check->table->fds[i];
		enum use use = find_use(check, named->fd),
			 meant = named->vhost ? FOR_VHOST : FOR_DEVICE;

		if (named->option->told || use == meant ||
		    (!use && (check->args->program.opens || check->is_open(named->fd))))
			continue;
		fprintf(check->out, "fd %d: %s takes it for %s, and it is %s: ", named->fd,
			check->vmm, uses[meant], uses[use]);
		if (named->vhost)
			fputs("leave vhost=on and vhostfd= out there", check->out);
		else
			fputs("name one of those that tapctl opens,", check->out);
		for (size_t k = 0; k < check->count && k < 8 && !named->vhost; k++)
			fprintf(check->out, " %d", check->nics[k].fd);
		tell(check);
		named->option->told = true;
	}
}

/* A VMM that is known, by its table. */
static void check_table(struct check *check)
{
	int ignored;

	for (size_t k = 0; k < check->count; k++)
		check->lacking |= count_missing(check, check->nics[k].fd, check->nics[k].queues,
						false, &ignored, &ignored) > 0;
	for (size_t k = 0; k < check->count; k++) {
		struct option *netdev = check_fds(check, &check->nics[k]);

		if (netdev)
			check_mac(check, &check->nics[k], netdev);
	}
	check_strangers(check);
}

/* Whether the words say all that there is to know. Where they have nothing of networks, a monitor
 * may bring it later, and so may a script of the VMM's name or its own default. */
static bool is_known(const struct check *check)
{
	const struct option_table *table = check->table;

	if (table->unclear || !check->facts->nic)
		return false;
	if (table->netdev_count > 0 || table->card_count > 0)
		return true;
	return !table->plugged && strstr(check->vmm, "qemu-system-");
}

int args_check(struct args *args, const struct args_nic nics[], size_t count,
	       bool (*is_open)(int fd), args_warn_fn *warn, void *context)
{
	const struct args_program *program = &args->program;
	struct check check = {
		.args = args,
		.table = &args->table,
		.facts = program->vmm < sizeof(known) / sizeof(*known) ? &known[program->vmm] :
									 known,
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

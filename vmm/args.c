/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "vmm/args.h"
#include "vmm/args_options.h"
#include "vmm/args_search.h"
#include "vmm/args_words.h"

struct args {
	char *const *words;
	struct args_program program;
	struct option_table table;
};

/* What there is to know of a VMM beside its options. */
static const struct vmm_facts {
	enum args_vmm vmm;
	enum { HEADER_ANY, HEADER_NEEDED, HEADER_WRONG } header; /* IFF_VNET_HDR */
	/* How it is told of a NIC: what stands before the descriptors, before the address, behind.
	 */
	const char *before, *between, *behind;
	const char *gets; /* what a card without an address gets; NULL: what it should, inside */
} known[] = {
	{ VMM_QEMU, HEADER_ANY, "-netdev tap,id=ID,", " -device virtio-net-pci,netdev=ID,mac=", "",
	  "qemu's default address" },
	{ VMM_CROSVM, HEADER_NEEDED, "--net ", ",mac=", "", "one of its own" },
	{ VMM_CLOUD_HYPERVISOR, HEADER_NEEDED, "--net ", ",mac=", "", "a random one" },
	{ VMM_LKVM, HEADER_ANY, "--network mode=tap,", ",guest_mac=", "",
	  "lkvm's default address" },
	{ VMM_SOLO5, HEADER_ANY, "--net:NAME=", " --net-mac:NAME=", "", "a random one" },
	{ VMM_UML, HEADER_WRONG, "vec0:transport=fd,", NULL, ",vec=0", NULL },
};

static const struct vmm_facts *find_facts(enum args_vmm vmm)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].vmm == vmm)
			return &known[i];
	return NULL;
}

struct args *args_read(char *const words[])
{
	struct args *args = calloc(1, sizeof(*args));
	int err;

	if (!args)
		return NULL;
	args->words = words;
	err = args_program_find(&args->program, words);
	if (!err && args->program.words)
		err = option_table_read(&args->table, args->program.vmm, args->program.words);
	if (!err)
		return args;
	args_free(args);
	return NULL;
}

void args_free(struct args *args)
{
	if (!args)
		return;
	option_table_free(&args->table);
	args_program_end(&args->program);
	free(args);
}

const char *args_vm_name(const struct args *args)
{
	return args->table.vm_name;
}

/* Add the addresses of the cards on @netdev, or of all cards. */
static void add_cards(struct args_found *found, const struct option_table *table,
		      const struct option *netdev)
{
	size_t count = table->card_count;
	struct option *const *cards = netdev ? option_cards(table, netdev, &count) : table->cards;

	for (size_t i = 0; i < count && !found->err; i++) {
		const char *mac = option_mac(cards[i]);

		if (mac)
			args_add_found(found, mac, strlen(mac));
	}
}

/* Those on @count descriptors from @first on. False: none of them is named. */
static bool add_ours(struct args_found *found, const struct option_table *table, int first,
		     unsigned count)
{
	const struct option *last = NULL;
	bool named = false;

	for (unsigned i = 0; i < count; i++) {
		size_t places;
		const struct option_fd *fds = option_fds(table, first + (int)i, false, &places);

		/* That it is named twice needs no third. */
		for (size_t k = 0; k < places && k < 2; k++) {
			if (fds[k].option != last)
				add_cards(found, table, fds[k].option);
			last = fds[k].option;
			named = true;
		}
	}
	return named;
}

int args_find_guest(const struct args *args, int first, unsigned count, struct args_guest *guest)
{
	const struct option_table *table = &args->table;
	bool unseen = !args->program.words || table->unclear;
	struct args_found found = { 0 };

	*guest = (struct args_guest){ .answer = ARGS_NONE };
	if (args->program.words)
		guest->named = add_ours(&found, table, first, count);
	if (!guest->named && !unseen)
		add_cards(&found, table, NULL);
	if (found.count == 0 && !found.invalid && unseen)
		args_search_words(&found, args->words);
	args_sort_found(&found);
	guest->count = found.count;
	for (size_t i = 0; i < found.count && i < ARGS_MACS; i++)
		memcpy(guest->macs[i], found.macs[i], MAC_LEN);
	if (found.count > 0) {
		guest->answer = found.count > 1 ? ARGS_SEVERAL : ARGS_ONE;
	} else if (found.invalid) {
		guest->answer = ARGS_INVALID;
		guest->text = found.invalid;
		guest->length = found.invalid_length;
	}
	if (unseen && guest->answer == ARGS_NONE) {
		guest->text = args_find_bare(args->words, guest->macs[0]);
		guest->answer = guest->text ? ARGS_MENTIONED : ARGS_NONE;
	}
	free(found.macs);
	return found.err;
}

/* Whether @fd is handed over in this part, and whose it is. */
struct handed {
	int fd;
	bool vhost;
	const struct args_nic *nic;
};

struct check {
	struct args *args;
	const struct option_table *table;
	const struct vmm_facts *facts;
	const struct fd_keys *keys;
	const char *vmm; /* its name */
	const struct args_nic *nics;
	size_t nic_count;
	struct handed *handed; /* in the order of their numbers */
	size_t handed_count;
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

/* fd=3, fds=3:4 or fd=[3,4], and for solo5, whose key stands before the name, @3. */
static void write_fds(FILE *out, const struct fd_keys *keys, bool vhost, const int *fds,
		      unsigned count)
{
	bool brackets = keys->separator && *keys->separator == ',';
	const char *one = vhost ? keys->vhostfd : keys->fd,
		   *all = vhost ? keys->vhostfds : keys->fds;

	if (!keys->separator)
		count = 1;
	if (strcmp(one, "net") == 0)
		fputc('@', out);
	else
		fprintf(out, "%s=", count > 1 ? all : one);
	fputs(count > 1 && brackets ? "[" : "", out);
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "%s%d", i ? keys->separator : "", fds[i]);
	fputs(count > 1 && brackets ? "]" : "", out);
}

static void write_value(FILE *out, const char *value)
{
	for (; *value; value++)
		fputs(*value == ',' ? ",," : (char[]){ *value, '\0' }, out);
}

/* Whether a key of @option stays when it is given @nic's descriptors, or its address. */
static bool stays(const struct option *option, const char *key, const struct args_nic *nic,
		  bool with_fds, bool with_mac)
{
	/* qemu refuses the first ones together with fd=. */
	static const char not_with_fd[] = "ifname script downscript vnet_hdr helper queues br fd "
					  "fds vhostfd vhostfds";
	const char *type = option_get(option, "type");
	bool vhost = nic->vhost_fds[0] >= 0 || option_get(option, "vhostfd") ||
		     option_get(option, "vhostfds");

	if (with_mac && strcmp(key, option->kind->mac) == 0)
		return false;
	if (!with_fds || !option->netdev)
		return true;
	if (type && strcmp(type, "tap") != 0)
		return args_listed("id model mac macaddr addr", key, strlen(key));
	return !args_listed(not_with_fd, key, strlen(key)) && !(vhost && strcmp(key, "vhost") == 0);
}

/* An option of qemu's, as it is to be written. */
static void write_option(FILE *out, const struct option *option, const struct args_nic *nic,
			 bool with_fds, bool with_mac)
{
	const char *first = option->kind->first, *type = option_get(option, first);
	char mac[MAC_STRLEN];

	with_fds &= option->netdev;
	with_mac &= option->card;
	fprintf(out, "%s ", option->word);
	write_value(out, with_fds ? "tap" : type ? type : "DRIVER");
	for (size_t i = 0; i < option->key_count; i++) {
		const struct option_key *key = &option->keys[i];

		if (strcmp(key->key, first) == 0 ||
		    !stays(option, key->key, nic, with_fds, with_mac))
			continue;
		fprintf(out, ",%s=", key->key);
		write_value(out, key->value);
	}
	if (with_fds) {
		fputc(',', out);
		write_fds(out, option->kind->fds, false, nic->fds, nic->queues);
	}
	if (with_fds && nic->vhost_fds[0] >= 0) {
		fputs(",vhost=on,", out);
		write_fds(out, option->kind->fds, true, nic->vhost_fds, nic->queues);
	}
	if (with_mac)
		fprintf(out, ",%s=%s", option->kind->mac, mac_format(mac, nic->guest));
}

/* The same for a VMM whose options are not taken over, or where there is none to begin with. */
static void write_new(const struct check *check, const struct args_nic *nic)
{
	const struct vmm_facts *facts = check->facts;
	const struct fd_keys *keys = check->keys;
	FILE *out = check->out;
	char mac[MAC_STRLEN];

	fputs(facts->before, out);
	write_fds(out, keys, false, nic->fds, nic->queues);
	if (keys->vhostfd && nic->vhost_fds[0] >= 0) {
		fputs(",vhost=on,", out);
		write_fds(out, keys, true, nic->vhost_fds, nic->queues);
	}
	if (facts->between)
		fprintf(out, "%s%s", facts->between, mac_format(mac, nic->guest));
	fputs(facts->behind, out);
}

/* End a warning, whose last word is "write", with what @nic needs in the place of @option. */
static void advise(struct check *check, struct option *option, const struct args_nic *nic,
		   bool with_fds, bool with_mac)
{
	if (option && option->kind->vmm == VMM_QEMU)
		write_option(check->out, option, nic, with_fds, with_mac);
	else
		write_new(check, nic);
	if (option && option->is_set)
		fputs(", and leave out what -set says of it", check->out);
	if (nic->queues > 1 && !check->keys->separator)
		fputs(", and leave --queues out", check->out);
	if (option)
		option->told = true;
	tell(check);
}

static void check_closing(struct check *check)
{
	const struct args_program *program = &check->args->program;
	const char *name = program->closing->names, *user = program->user;
	bool number = user && *user == '#';

	fprintf(check->out, "%s closes all fds from 3 upwards: ", name);
	if (user && strcmp(user + number, number ? "0" : "root") != 0)
		fprintf(check->out, "say tapctl exec --user %s%s ... -- COMMAND instead",
			user + number, number ? ":GROUP" : "");
	else
		fprintf(check->out, "%s%sput it in front: %s ... tapctl exec ... -- COMMAND",
			program->closing->remedy ? program->closing->remedy : "",
			program->closing->remedy ? ", or " : "", name);
	tell(check);
}

/* Of a program that is not known only this is: it has addresses, and the guest's is not there.
 * 0 or -ENOMEM. */
static int check_unknown(struct check *check)
{
	char *const *words = check->args->words;
	struct args_found found = { 0 };
	char mac[MAC_STRLEN];

	args_search_words(&found, words);
	for (size_t k = 0; k < check->nic_count && found.count > 0; k++) {
		bool there = false;

		for (char *const *word = words; *word && !there; word++)
			there = strstr(*word, "$TAPCTL_") || strstr(*word, "${TAPCTL_") ||
				args_holds_mac(*word, check->nics[k].guest);
		if (there)
			continue;
		fprintf(check->out,
			"%s: the guest's address is not among those that %s's arguments give it, "
			"and with another it gets no frame: say --mac as it is there",
			mac_format(mac, check->nics[k].guest), words[0]);
		tell(check);
	}
	free(found.macs);
	return found.err;
}

static void check_header(struct check *check)
{
	bool there = check->nic_count > 0 && check->nics[0].vnet_hdr;

	if (check->facts->header == HEADER_WRONG && there)
		fprintf(check->out,
			"%s: it takes the header of each frame (vnet_hdr) for the frame: "
			"say --no-vnet-hdr",
			check->vmm);
	else if (check->facts->header == HEADER_NEEDED && !there)
		fprintf(check->out,
			"%s: it needs a header before each frame (vnet_hdr): "
			"leave --no-vnet-hdr out",
			check->vmm);
	else
		return;
	tell(check);
}

static bool is_opener(const struct option *option)
{
	const char *type = option_get(option, "type");

	return option->netdev && !option->told && type &&
	       args_listed("tap bridge", type, strlen(type)) && !option_get(option, "fd") &&
	       !option_get(option, "fds");
}

/* The option that is most likely meant to be @nic's: it has one of its descriptors already, opens
 * its device by name, has a card with its address, or is the only one that opens a device. */
static struct option *find_meant(const struct check *check, const struct args_nic *nic)
{
	const struct option_table *table = check->table;
	struct option *opener = NULL;
	size_t openers = 0, count;
	uint8_t mac[MAC_LEN];

	for (unsigned i = 0; i < nic->queues; i++) {
		const struct option_fd *fds = option_fds(table, nic->fds[i], false, &count);

		if (count == 1)
			return fds->option;
	}
	for (size_t i = 0; i < table->count; i++) {
		struct option *option = &table->options[i];
		const char *ifname = option_get(option, "ifname");

		if (!option->netdev)
			continue;
		if (ifname && nic->name && strcmp(ifname, nic->name) == 0)
			return option;
		openers += is_opener(option);
		if (is_opener(option))
			opener = option;
	}
	for (size_t i = 0; i < table->count; i++) {
		struct option *const *cards;

		if (!table->options[i].netdev)
			continue;
		cards = option_cards(table, &table->options[i], &count);
		if (count == 1 && option_mac(cards[0]) && mac_parse(mac, option_mac(cards[0])) &&
		    mac_equal(mac, nic->guest))
			return &table->options[i];
	}
	return openers == 1 ? opener : NULL;
}

/* How many of @nic's descriptors are not named; *@missing is the first, *@twice one that is named
 * more than once, or NULL. */
static unsigned count_missing(const struct check *check, const struct args_nic *nic, bool vhost,
			      int *missing, const struct option_fd **twice)
{
	const int *fds = vhost ? nic->vhost_fds : nic->fds;
	unsigned result = 0;
	size_t count;

	*twice = NULL;
	for (unsigned i = 0; i < nic->queues && fds[i] >= 0; i++) {
		const struct option_fd *places = option_fds(check->table, fds[i], vhost, &count);

		if (count == 0 && result++ == 0)
			*missing = fds[i];
		if (count > 1)
			*twice = places;
	}
	return result;
}

static void tell_missing(struct check *check, const struct args_nic *nic, struct option *meant,
			 int missing, bool all)
{
	const char *ifname = meant ? option_get(meant, "ifname") : NULL;

	if (ifname && nic->name && strcmp(ifname, nic->name) == 0) {
		fprintf(check->out, "ifname=%s: it is open already, as fd %d", ifname, nic->fds[0]);
	} else if (all) {
		fprintf(check->out, "%s: none of its arguments says ", check->vmm);
		write_fds(check->out, check->keys, false, nic->fds, nic->queues);
		fputs(", so its guest is not on this device", check->out);
	} else {
		fprintf(check->out,
			"fd %d: none of %s's arguments names it, so its frames are lost", missing,
			check->vmm);
	}
	fputs(": write ", check->out);
	advise(check, meant, nic, true, true);
}

/* Whether each descriptor of @nic is named once. Returns the option that has them, or is to have
 * them; NULL: that is not known. */
static struct option *check_fds(struct check *check, const struct args_nic *nic)
{
	const struct option_fd *twice, *twice_vhost;
	struct option *meant = find_meant(check, nic);
	int fd = -1;
	unsigned missing = count_missing(check, nic, false, &fd, &twice);

	if (missing > 0 && check->table->unclear_fds)
		return NULL;
	if (missing > 0) {
		tell_missing(check, nic, meant, fd, missing == nic->queues);
		return meant;
	}
	if (twice && !check->lacking) {
		fprintf(check->out,
			"fd %d: %s is given it twice, and each gets a part of the frames: "
			"name it once, and say a --mac for each NIC",
			twice->fd, check->vmm);
		tell(check);
		return NULL;
	}
	missing = count_missing(check, nic, true, &fd, &twice_vhost);
	if (missing > 0 && check->keys->vhostfd && meant && !check->table->unclear_fds) {
		fprintf(check->out, "fd %d: %s is not told of this descriptor of vhost's: write ",
			fd, check->vmm);
		advise(check, meant, nic, true, true);
	}
	return meant;
}

/* qemu counts upwards from there for each card without an address. */
static bool is_default(const struct check *check, const struct args_nic *nic)
{
	return check->facts->vmm == VMM_QEMU &&
	       memcmp(nic->guest, mac_qemu_default, MAC_LEN - 1) == 0 &&
	       nic->guest[MAC_LEN - 1] >= mac_qemu_default[MAC_LEN - 1];
}

/* Whether a card on @netdev has @nic's address. One whose address is not known says nothing. */
static void check_mac(struct check *check, const struct args_nic *nic, const struct option *netdev)
{
	size_t count;
	struct option *const *cards = option_cards(check->table, netdev, &count);
	char guest[MAC_STRLEN], text[MAC_STRLEN];
	uint8_t mac[MAC_LEN];

	for (size_t i = 0; i < count; i++) {
		const char *has = option_mac(cards[i]);

		if (cards[i]->told || (has && (!mac_parse(mac, has) || mac_equal(mac, nic->guest))))
			return;
		if (!has && (check->table->unclear_macs || is_default(check, nic)))
			return;
	}
	if (count == 0)
		return;
	if (option_mac(cards[0]) && mac_parse(mac, option_mac(cards[0]))) {
		fprintf(check->out,
			"%s: the card on fd %d has %s instead, and gets no frame: "
			"say --mac %s, or write ",
			mac_format(guest, nic->guest), nic->fds[0], mac_format(text, mac), text);
		advise(check, cards[0], nic, false, true);
	} else if (check->facts->gets) {
		fprintf(check->out,
			"%s: none of its arguments says %s= for the card on fd %d, "
			"so its guest gets %s and no frame: write ",
			check->vmm, cards[0]->kind->mac, nic->fds[0], check->facts->gets);
		advise(check, cards[0], nic, false, true);
	}
}

static int compare_handed(const void *a, const void *b)
{
	const struct handed *one = a, *two = b;

	return (one->fd > two->fd) - (one->fd < two->fd);
}

/* Into check->handed. 0 or -ENOMEM. */
static int list_handed(struct check *check)
{
	size_t count = 0;

	for (size_t k = 0; k < check->nic_count; k++)
		count += 2 * (size_t)check->nics[k].queues;
	check->handed = calloc(count + 1, sizeof(*check->handed));
	if (!check->handed)
		return -ENOMEM;
	for (size_t k = 0; k < check->nic_count; k++) {
		const struct args_nic *nic = &check->nics[k];

		for (unsigned i = 0; i < 2 * nic->queues; i++) {
			bool vhost = i >= nic->queues;
			int fd = vhost ? nic->vhost_fds[i - nic->queues] : nic->fds[i];

			if (fd >= 0)
				check->handed[check->handed_count++] = (struct handed){ fd, vhost,
											nic };
		}
	}
	qsort(check->handed, check->handed_count, sizeof(*check->handed), compare_handed);
	return 0;
}

static const struct handed *find_handed(const struct check *check, int fd)
{
	struct handed key = { fd, false, NULL };
	size_t at = array_find(check->handed, check->handed_count, sizeof(key), &key,
			       compare_handed);

	return at < check->handed_count && check->handed[at].fd == fd ? &check->handed[at] : NULL;
}

/* The NIC that has a descriptor of @option's. */
static const struct args_nic *find_nic(const struct check *check, const struct option *option)
{
	for (size_t i = 0; i < check->table->fd_count; i++) {
		const struct option_fd *fd = &check->table->fds[i];
		const struct handed *handed = fd->option == option && !fd->vhost ?
						      find_handed(check, fd->fd) :
						      NULL;

		if (handed && !handed->vhost)
			return handed->nic;
	}
	return NULL;
}

/* Descriptors that are named and that COMMAND will not have, or not as what it takes them for. One
 * warning for each option. */
static void check_strangers(struct check *check)
{
	for (size_t i = 0; i < check->table->fd_count; i++) {
		const struct option_fd *named = &check->table->fds[i];
		const struct handed *handed = find_handed(check, named->fd);
		const struct args_nic *nic;

		if (named->option->told || (handed && handed->vhost == named->vhost))
			continue;
		if (!handed && (check->args->program.opens || check->is_open(named->fd)))
			continue;
		nic = named->vhost ? find_nic(check, named->option) : NULL;
		fprintf(check->out, "fd %d: %s takes it for %s, and it is %s: ", named->fd,
			check->vmm, named->vhost ? "vhost's" : "a device",
			!handed	      ? "not open" :
			handed->vhost ? "vhost's" :
					"a device");
		if (nic) {
			fputs("write ", check->out);
			advise(check, named->option, nic, true, true);
			continue;
		}
		fputs("name one of those that tapctl opens,", check->out);
		for (size_t k = 0; k < check->handed_count && k < 8; k++)
			fprintf(check->out, " %d", check->handed[k].fd);
		fputs(check->handed_count > 8 ? " ..." : "", check->out);
		tell(check);
		named->option->told = true;
	}
}

/* A VMM that is known, by its table. */
static int check_table(struct check *check)
{
	const struct option_table *table = check->table;
	const struct option_fd *twice;
	int err = list_handed(check), fd;

	for (size_t k = 0; k < check->nic_count; k++)
		check->lacking |= count_missing(check, &check->nics[k], false, &fd, &twice) > 0;
	if (!err && table->fd_count > 0)
		check_header(check);
	for (size_t k = 0; k < check->nic_count && !err; k++) {
		struct option *netdev = check_fds(check, &check->nics[k]);

		if (netdev)
			check_mac(check, &check->nics[k], netdev);
	}
	if (!err)
		check_strangers(check);
	free(check->handed);
	return err;
}

/* Whether the words say all that there is to know. Where they have nothing of networks, a monitor
 * may bring it later, and so may a script of the VMM's name or its own default. */
static bool is_known(const struct check *check)
{
	const struct option_table *table = check->table;

	if (table->unclear)
		return false;
	if (table->netdev_count > 0 || table->card_count > 0)
		return true;
	return !table->plugged && strstr(check->vmm, "qemu-system-");
}

int args_check(struct args *args, const struct args_nic nics[], size_t count,
	       bool (*is_open)(int fd), args_warn_fn *warn, void *context)
{
	struct check check = {
		.args = args,
		.table = &args->table,
		.facts = find_facts(args->program.vmm),
		.keys = option_fd_keys(args->program.vmm),
		.vmm = args->program.words ? args->program.words[0] : args->words[0],
		.nics = nics,
		.nic_count = count,
		.is_open = is_open,
		.warn = warn,
		.context = context,
	};
	int err = 0;

	check.out = open_memstream(&check.line, &check.size);
	if (!check.out)
		return -ENOMEM;
	if (args->program.closing)
		check_closing(&check);
	else if (!args->program.words)
		err = check_unknown(&check);
	else if (check.facts && is_known(&check))
		err = check_table(&check);
	if (fclose(check.out) != 0)
		err = -ENOMEM;
	free(check.line);
	return err;
}

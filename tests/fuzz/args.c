/* SPDX-License-Identifier: MIT */
/* COMMAND's words, one a line: what they mean, and what is said of them. */
#include "vmm/args.h"
#include "tests/fuzz/fuzz.h"

enum { WORDS = 64 };

static bool is_open(int fd)
{
	return fd % 2;
}

static void hear(void *context, const char *line)
{
	++*(size_t *)context;
	always(*line && !strpbrk(line, "\n\033"), "a warning is one line");
}

static size_t check(struct args *args, int first, int vhost)
{
	const struct args_nic nics[] = {
		{ { 0x52, 0x54, 0, 0x84, 0xe3, 0x62 }, "tap0", first, vhost ? first + 2 : -1, 2 },
		{ { 0x52, 0x54, 0, 0x84, 0xe3, 0x63 }, "tap1", first + 4, -1, 1 },
	};
	size_t heard = 0;

	always(args_check(args, nics, 2, is_open, hear, &heard) == 0, "there is memory");
	return heard;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = as_string(data, size), *words[WORDS + 1];
	struct args_guest guest, again;
	struct args *args, *fresh;

	if (as_words(words, WORDS, text) == 0)
		goto out;
	args = args_read(words);
	fresh = args_read(words);
	always(args && fresh, "there is memory");
	args_find_guest(args, 3, 2, &guest);
	args_find_guest(fresh, 3, 2, &again);
	always(guest.answer == again.answer && guest.count == again.count,
	       "what is read depends on the words alone");
	always((guest.answer == ARGS_ONE) == (guest.count == 1) &&
		       (guest.answer == ARGS_SEVERAL) == (guest.count > 1),
	       "the answer fits the count");
	for (size_t i = 1; i < guest.count; i++)
		always(!mac_equal(guest.macs[i - 1], guest.macs[i]), "each is found once");
	always((guest.answer == ARGS_INVALID || guest.answer == ARGS_MENTIONED) ==
		       (guest.text != NULL),
	       "what is wrong is shown");
	check(args, 3, 1);
	check(fresh, 3, 0);
	args_vm_name(args);
	args_free(args);
	args_free(fresh);
out:
	free(text);
	return 0;
}

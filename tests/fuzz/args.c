/* SPDX-License-Identifier: MIT */
/* COMMAND's words, one a line: the addresses in them. */
#include "vmm/args.h"
#include "tests/fuzz/fuzz.h"

enum { WORDS = 64, MACS = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = as_string(data, size), *words[WORDS + 1];
	uint8_t macs[MACS][MAC_LEN], first[1][MAC_LEN];
	size_t count, kept;

	as_words(words, WORDS, text);
	count = args_find_macs(words, macs, MACS);
	kept = count < MACS ? count : MACS;
	always(count <= size / 16, "an address and its key take 16 bytes");
	for (size_t i = 0; i < kept; i++) {
		always(args_mention_mac(words, macs[i]), "what is found is there");
		for (size_t k = 0; k < i; k++)
			always(!mac_equal(macs[i], macs[k]), "each is found once");
	}
	always(args_find_macs(words, first, 1) == count, "the count does not depend on the room");
	always(count == 0 || mac_equal(first[0], macs[0]), "nor does the first");
	args_close_fds(words);
	args_lack_fd(words);
	args_find_fault(words);
	free(text);
	return 0;
}

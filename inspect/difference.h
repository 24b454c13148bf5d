/* SPDX-License-Identifier: MIT */
/*
 * What check says of a device that differs from its record, and attach of what it has mended.
 */
#pragma once

#include "inspect/finding.h"
#include "nic/compare.h"

struct difference_texts {
	char problem[DIFFERENCE_TEXT], remedy[DIFFERENCE_TEXT];
};

/* The finding for one difference; its words stand in @texts. */
struct finding difference_finding(struct difference_texts *texts, const struct compared *compared,
				  enum difference difference);

/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "nic/record.h"

void record_write(char alias[static LINK_ALIAS], const struct nic *nic)
{
	char mac[MAC_STRLEN];

	if (nic->want->kind == NIC_HOST)
		snprintf(alias, LINK_ALIAS, RECORD_HOST);
	else
		snprintf(alias, LINK_ALIAS, RECORD_GUEST "%s", mac_format(mac, nic->guest));
}

bool record_guest(uint8_t guest[static MAC_LEN], const struct link *link)
{
	size_t len = strlen(RECORD_GUEST);

	return strncmp(link->alias, RECORD_GUEST, len) == 0 && mac_parse(guest, link->alias + len);
}

bool record_is_host(const struct link *link)
{
	return link->kind == LINK_MACVLAN && strcmp(link->alias, RECORD_HOST) == 0;
}

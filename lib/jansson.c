/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#include "lib/jansson.h"

#define SONAME "libjansson.so.4"
#define OWNER "FDO\0"
#define NOTE                                                                                      \
	"[{\"feature\":\"json\",\"description\":\"JSON in a VMM's arguments, and Open vSwitch\"," \
	"\"priority\":\"recommended\",\"soname\":[\"" SONAME "\"]}]"

/* Packagers read from this ELF note what is loaded at run time
 * (https://systemd.io/ELF_DLOPEN_METADATA/). */
__attribute__((used, section(".note.dlopen"), aligned(4))) static const struct {
	/* cppcheck-suppress unusedStructMember */
	uint32_t head[3]; /* the sizes of the two texts, and the kind of note */
	/* cppcheck-suppress unusedStructMember */
	char texts[sizeof(OWNER NOTE)];
} note = { { sizeof(OWNER) - 1, sizeof(NOTE), 0x407c0c0a }, OWNER NOTE };

bool json_load(struct json_library *library)
{
	/* It is never closed: loaded again, it is only counted. */
	void *handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	const struct {
		void *place;
		const char *name;
	} symbols[] = {
		{ &library->loads, "json_loads" },
		{ &library->load_callback, "json_load_callback" },
		{ &library->dumps, "json_dumps" },
		{ &library->delete, "json_delete" },
		{ &library->array_size, "json_array_size" },
		{ &library->array_get, "json_array_get" },
		{ &library->object_get, "json_object_get" },
		{ &library->object_iter, "json_object_iter" },
		{ &library->object_iter_next, "json_object_iter_next" },
		{ &library->object_iter_key, "json_object_iter_key" },
		{ &library->object_iter_value, "json_object_iter_value" },
		{ &library->string_value, "json_string_value" },
		{ &library->integer_value, "json_integer_value" },
	};

	if (!handle)
		return false;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		void *symbol = dlsym(handle, symbols[i].name);

		if (!symbol) {
			*library = (struct json_library){ .loads = NULL };
			return false;
		}
		memcpy(symbols[i].place, &symbol, sizeof(symbol));
	}
	return true;
}

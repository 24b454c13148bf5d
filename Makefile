# SPDX-License-Identifier: MIT
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DESTDIR ?=
CC ?= gcc
CLANG ?= clang
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
BUILD ?= build
# Where the binary goes; a SANITIZE=1 build lives beside the plain one.
BIN = tapctl

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1)
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Werror
# A distribution that says _FORTIFY_SOURCE itself is not contradicted.
HARDENING = -fPIE -fstack-protector-strong \
	$(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
LINKING = -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack

ifdef SANITIZE
override BUILD := $(BUILD)/sanitize
BIN = $(BUILD)/tapctl
HARDENING = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINKING = -fsanitize=address,undefined
endif

OURS = -std=gnu11 -D_GNU_SOURCE -iquote . -DVERSION='"$(VERSION)"' $(WARNINGS) $(HARDENING) \
	$(shell $(PKG_CONFIG) --cflags libmnl popt 2>/dev/null)
LIBS = $(shell $(PKG_CONFIG) --libs libmnl popt 2>/dev/null || echo -lmnl -lpopt)

# Includes are written from the top.
SOURCES = $(wildcard *.c commands/*.c inspect/*.c vmm/*.c nic/*.c kernel/*.c lib/*.c)
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o)

all: $(BIN)

$(BIN): $(OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) $(LINKING) -o $@ $(OBJECTS) $(LIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(OURS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The version is in one object, which a new commit makes anew.
$(BUILD)/tapctl.o: $(BUILD)/version

$(BUILD)/version: FORCE | $(BUILD)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@

$(BUILD):
	mkdir -p $@

# Unit tests: each tests/unit/NAME.c is a program, linked with every room but the command line.
UNITS = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))

$(BUILD)/unit/%: tests/unit/%.c $(filter-out $(BUILD)/tapctl.o,$(OBJECTS))
	mkdir -p $(@D)
	$(CC) $(OURS) $(CFLAGS) $(LDFLAGS) $(LINKING) -MMD -MP -o $@ $(filter %.c %.o,$^) $(LIBS)

units: $(UNITS)

# Fuzzers: each tests/fuzz/NAME.c is a program of libFuzzer's, linked in the same way, all of it
# instrumented. Its seeds are in tests/fuzz/NAME.seeds; what it finds comes into build/fuzz/NAME.found.
FUZZERS = $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*.c))
# Apart, as a fuzzer may have the name of a room, and so may its list of headers.
FUZZED = $(patsubst %.c,$(BUILD)/fuzz/rooms/%.o,$(filter-out tapctl.c,$(SOURCES)))
FUZZ_FLAGS = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_SECONDS ?= 60
fuzzed = $(filter-out $(HARDENING),$(OURS)) $(FUZZ_FLAGS)

$(BUILD)/fuzz/rooms/%.o: %.c
	mkdir -p $(@D)
	$(CLANG) $(fuzzed) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/%: tests/fuzz/%.c $(FUZZED)
	$(CLANG) $(fuzzed) -fsanitize=fuzzer -MMD -MP -o $@ $(filter %.c %.o,$^) $(LIBS)

fuzzers: $(FUZZERS)

fuzz:
	tests/tools/setup build fuzz
	$(MAKE) --no-print-directory fuzzers
	@for fuzzer in $(FUZZERS); do \
		echo "== $$fuzzer" && mkdir -p $$fuzzer.found && $$fuzzer -max_total_time=$(FUZZ_SECONDS) \
			-timeout=10 -verbosity=0 -artifact_prefix=$$fuzzer.found/ $$fuzzer.found \
			tests/fuzz/$${fuzzer##*/}.seeds || exit; \
	done

demo:
	tests/tools/setup build demo
	$(MAKE) --no-print-directory all
	tests/tools/demo

check:
	tests/tools/setup build check fuzz
	$(MAKE) --no-print-directory all units fuzzers
	$(MAKE) --no-print-directory SANITIZE=1 all units
	SANITIZED=$(CURDIR)/$(BUILD)/sanitize tests/tools/run

# The suite on a kernel of Debian's, with VLAN filtering and vhost-net: KERNEL=linux-image-amd64/bullseye
check-vm:
	tests/tools/setup build check
	$(MAKE) --no-print-directory all
	tests/tools/vm

# Every fault at every system call; make check has the short form of it.
sweep: all
	tests/tools/setup build check
	TAPCTL=$(CURDIR)/tapctl tests/tools/sweep.py

# Against its peers, on the real kernel: the report and its plots go to tests/bench.
bench:
	tests/tools/setup build bench check
	$(MAKE) --no-print-directory all $(BENCH)
	BUILD=$(BUILD) tests/bench/run

BENCH = $(addprefix $(BUILD)/bench/,floor floor-static floor-linked timer)

BENCH_CC = @mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) -o $@ $<

$(BUILD)/bench/%: tests/bench/%.c
	$(BENCH_CC)

$(BUILD)/bench/%-static: tests/bench/%.c
	$(BENCH_CC) -static

# With the libraries that tapctl needs, to see what loading them takes.
$(BUILD)/bench/%-linked: tests/bench/%.c
	$(BENCH_CC) -fPIE $(LINKING) -Wl,--no-as-needed $(LIBS)

lint:
	tests/tools/setup build lint
	tests/tools/lint

# Nothing is setuid: README, "Without root", has the commands for file capabilities and for the link
# qemu-bridge-helper.
install: all
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)/man8
	install -m 755 tapctl $(DESTDIR)$(SBINDIR)/tapctl
	install -m 644 man/tapctl.8 $(DESTDIR)$(MANDIR)/man8/tapctl.8

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/tapctl $(DESTDIR)$(MANDIR)/man8/tapctl.8

clean:
	rm -rf build tapctl

-include $(OBJECTS:.o=.d) $(FUZZED:.o=.d) $(addsuffix .d,$(UNITS) $(FUZZERS))

.PHONY: FORCE all units fuzzers fuzz demo check check-vm sweep bench lint install uninstall clean

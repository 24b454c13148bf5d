# SPDX-License-Identifier: MIT
# What each target is for: README, "For developers". make V=1 shows whole commands.
VERSION = 0.1
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
# What keeps the managers of networks off: the man page, OTHER MANAGERS. A package says /usr/lib for /etc.
NETWORKDIR ?= $(PREFIX)/lib/systemd/network
NMDIR ?= /etc/NetworkManager
DISPATCHERDIR ?= /etc/networkd-dispatcher
IFUPDIR ?= /etc/network/if-up.d
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
CLANG ?= clang
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
MAKEFLAGS += --no-print-directory

# Under sudo, what is made in the tree is made as the owner of the tree, who could not overwrite files
# of root's. Only the targets AS_ROOT run as root.
AS_ROOT = demo check check-vm sweep stress bench lint fuzz install uninstall clean
OWNER := $(shell { [ "$$(id -u)" = 0 ] && ! [ -O . ] && \
	as=$$(stat -c '--reuid %u --regid %g --clear-groups' .) && setpriv $$as test -w . && echo "$$as"; } 2>/dev/null)
ifdef OWNER
SHELL := setpriv
.SHELLFLAGS := $(OWNER) /bin/sh -c
$(AS_ROOT): private SHELL := /bin/sh
$(AS_ROOT): private .SHELLFLAGS := -c
endif

# Git's word counts only where this directory is a checkout, not where one above it is.
# A tarball of make dist has a file that says it.
VERSION := $(shell git --git-dir=.git --work-tree=. describe --tags --always --dirty 2>/dev/null || \
	cat version 2>/dev/null || echo $(VERSION))

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Werror
# A distribution that says _FORTIFY_SOURCE itself is not contradicted.
HARDENING = -fPIE -fstack-protector-strong \
	$(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
LINKING = -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
BUILD = build
BIN = tapctl

# Beside the plain build there are two more: SANITIZE=1 with ASan and UBSan, FUZZ=1 for libFuzzer.
ifdef SANITIZE
BUILD = build/sanitize
BIN = $(BUILD)/tapctl
HARDENING = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINKING = -fsanitize=address,undefined
endif
ifdef FUZZ
BUILD = build/fuzz
BIN = $(FUZZERS)
override CC = $(CLANG)
override CFLAGS = -O1 -g
HARDENING = -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
LINKING = -fsanitize=fuzzer
endif

# Includes are written from the top of the tree.
OURS = -std=gnu11 -D_GNU_SOURCE $(DEFINES) -iquote . $(WARNINGS) $(HARDENING) $(INCLUDES)
INCLUDES := $(shell $(PKG_CONFIG) --cflags libmnl popt jansson 2>/dev/null)
# dlopen is in a library of its own before glibc 2.34, and nothing but a name since.
LIBS := $(shell $(PKG_CONFIG) --libs libmnl 2>/dev/null || echo -lmnl) -ldl
# One library less to load spares a twentieth of the start. A distribution says POPT=-lpopt, to mend it in one place.
ifndef POPT
POPT := $(or $(filter /%,$(shell $(CC) -print-file-name=libpopt.a)),$(shell $(PKG_CONFIG) --libs popt 2>/dev/null || echo -lpopt))
endif
LIBS := $(POPT) $(LIBS)
SOURCES = $(wildcard *.c $(addsuffix /*.c,commands inspect vmm nic kernel lib))
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o)
UNITS = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*.c))
FUZZERS = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/*.c))
BENCH = $(addprefix $(BUILD)/tests/bench/,floor floor-static floor-linked timer)

ifeq ($(V)$(findstring s,$(firstword -$(MAKEFLAGS))),)
say = @printf '  %-7s %s\n' $(1) $(2);
endif
compile = $(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(OURS) $(CFLAGS)

all: $(BIN)
units: $(UNITS)

tapctl build/sanitize/tapctl: $(OBJECTS)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $(LINKING) -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c
	$(compile) -MMD -MP -c -o $@ $<

# The version is in one object, which a new commit makes anew.
$(BUILD)/tapctl.o: DEFINES = -DVERSION='"$(VERSION)"'
$(BUILD)/tapctl.o: $(BUILD)/version
$(BUILD)/version: FORCE
	@mkdir -p $(@D) && { echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@; }

# Unit tests and fuzzers: each file is a program, linked with everything but the command line.
$(BUILD)/tests/%: tests/%.c $(filter-out $(BUILD)/tapctl.o,$(OBJECTS))
	$(compile) $(LDFLAGS) $(LINKING) -MMD -MP -o $@ $(filter %.c %.o,$^) $(LIBS)

# The benchmark's programs stand alone; floor-linked has tapctl's libraries, to see what loading them takes.
$(BENCH): HARDENING =
$(BUILD)/tests/bench/%: tests/bench/%.c
	$(compile) -o $@ $<
$(BUILD)/tests/bench/%-static: tests/bench/%.c
	$(compile) -static -o $@ $<
$(BUILD)/tests/bench/%-linked: tests/bench/%.c
	$(compile) -fPIE $(LINKING) -Wl,--no-as-needed -o $@ $< $(LIBS)

# On all processors, unless make was told how many.
AT_ONCE = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# What each of these needs is installed first (on Debian, by root).
demo:
	@tests/tools/setup demo
	@$(MAKE) all
	@tests/tools/demo
check:
	@tests/tools/setup check fuzz
	@$(MAKE) $(AT_ONCE) all units
	@$(MAKE) $(AT_ONCE) FUZZ=1 all
	@$(MAKE) $(AT_ONCE) SANITIZE=1 all units
	@SANITIZED='$(CURDIR)/build/sanitize' tests/tools/run
check-vm:
	@tests/tools/setup check
	@$(MAKE) all
	@tests/tools/vm
sweep:
	@tests/tools/setup check
	@$(MAKE) all
	@TAPCTL='$(CURDIR)/tapctl' tests/tools/sweep.py
stress:
	@tests/tools/setup check
	@$(MAKE) all
	@TAPCTL='$(CURDIR)/$(BIN)' tests/tools/stress.py $(SECONDS:%=--seconds %) $(SEED:%=--seed %) \
		$(if $(SANITIZE),--patience 4)
bench:
	@tests/tools/setup bench check
	@$(MAKE) all $(BENCH)
	@tests/bench/run
fuzz:
	@tests/tools/setup fuzz
	@$(MAKE) FUZZ=1 all
	@tests/tools/fuzz
lint:
	@tests/tools/setup lint
	@tests/tools/lint

# Nothing is setuid: README, "Without root", has the commands for file capabilities and for the link
# that makes tapctl a bridge helper.
CONFIGS = $(NETWORKDIR)/05-tapctl.network $(NETWORKDIR)/05-tapctl.link $(NMDIR)/conf.d/tapctl.conf
# ifupdown takes no name with a dot.
HOOKS = $(NMDIR)/dispatcher.d/50-tapctl $(IFUPDIR)/tapctl \
	$(foreach state,carrier degraded routable,$(DISPATCHERDIR)/$(state).d/50-tapctl)

install: all
	install -d '$(DESTDIR)$(SBINDIR)' '$(DESTDIR)$(MANDIR)/man8'
	install -m 755 tapctl '$(DESTDIR)$(SBINDIR)/tapctl'
	install -m 644 man/tapctl.8 '$(DESTDIR)$(MANDIR)/man8/tapctl.8'
	install -d '$(DESTDIR)$(BASHDIR)' '$(DESTDIR)$(ZSHDIR)'
	install -m 644 dist/tapctl.bash '$(DESTDIR)$(BASHDIR)/tapctl'
	install -m 644 dist/_tapctl '$(DESTDIR)$(ZSHDIR)/_tapctl'
	install -d $(foreach file,$(CONFIGS) $(HOOKS),'$(DESTDIR)$(dir $(file))')
	install -m 644 dist/05-tapctl.network dist/05-tapctl.link '$(DESTDIR)$(NETWORKDIR)'
	install -m 644 dist/NetworkManager.conf '$(DESTDIR)$(NMDIR)/conf.d/tapctl.conf'
	for hook in $(HOOKS); do \
		sed 's|^tapctl=.*|tapctl=$(SBINDIR)/tapctl|' dist/hook >"$(DESTDIR)$$hook" && \
			chmod 755 "$(DESTDIR)$$hook" || exit; \
	done

# What is committed, as a tarball that builds without git and says its version.
dist: NAME = tapctl-$(VERSION:%-dirty=%)
dist:
	@mkdir -p build/dist && echo '$(VERSION:%-dirty=%)' >build/dist/version
	git archive --prefix=$(NAME)/ --add-file=build/dist/version -o $(NAME).tar.gz HEAD

uninstall:
	rm -f '$(DESTDIR)$(SBINDIR)/tapctl' '$(DESTDIR)$(MANDIR)/man8/tapctl.8' \
		'$(DESTDIR)$(BASHDIR)/tapctl' '$(DESTDIR)$(ZSHDIR)/_tapctl' \
		$(foreach file,$(CONFIGS) $(HOOKS),'$(DESTDIR)$(file)')

clean:
	rm -rf build tapctl

-include $(addsuffix .d,$(OBJECTS:.o=) $(UNITS) $(FUZZERS))

.PHONY: FORCE all units demo check check-vm sweep stress bench lint fuzz install dist uninstall clean

#!/usr/bin/env bats
# make dist, and what is made and installed from it, by whoever builds it wherever.
# bats file_tags=once
load ../tools/helpers

TREE=$TESTS/..

setup() { WORK=$BATS_TEST_TMPDIR; }
teardown() { :; }

# Flags as dpkg-buildflags(1) has them, but for the optimization.
FLAGS="-g -O1 -fstack-protector-strong -Wformat -Werror=format-security -Wdate-time -D_FORTIFY_SOURCE=2"

@test "dist: the tarball builds without git, in another repository, in a path with a blank, and says its version" {
	git -C "$TREE" rev-parse HEAD >/dev/null 2>&1 || skip "this is no checkout"
	git clone -q "$TREE" "$WORK/clone" || skip "git does not read this tree"
	make -C "$WORK/clone" -s dist
	local tarball version
	tarball=$(echo "$WORK"/clone/tapctl-*.tar.gz)
	version=${tarball##*/tapctl-}
	version=${version%.tar.gz}
	[ "$version" = "$(git -C "$WORK/clone" describe --tags --always)" ]
	mkdir "$WORK/a b"
	git init -q "$WORK/a b"
	git -C "$WORK/a b" -c user.name=x -c user.email=x commit -q --allow-empty -m other
	tar -C "$WORK/a b" -xf "$tarball"
	cd "$WORK/a b/tapctl-$version"
	make -s -j2 CFLAGS="$FLAGS" LDFLAGS="-Wl,-z,relro"
	[ "$(./tapctl --version)" = "tapctl $version" ]
	# What is installed, and that it goes again.
	make -s install DESTDIR="$WORK/to p" PREFIX=/usr
	(cd "$WORK/to p" && find . -type f | sort) >"$WORK/installed"
	cat "$WORK/installed"
	local file
	for file in ./usr/sbin/tapctl ./usr/share/man/man8/tapctl.8 ./usr/share/bash-completion/completions/tapctl \
		./usr/share/zsh/site-functions/_tapctl ./usr/lib/systemd/network/05-tapctl.network ./etc/network/if-up.d/tapctl; do
		grep -qxF "$file" "$WORK/installed"
	done
	[ -z "$(find "$WORK/to p" -perm /6000)" ]
	make -s uninstall DESTDIR="$WORK/to p" PREFIX=/usr
	[ -z "$(find "$WORK/to p" -type f)" ]
}

@test "dist: built by root first and then by the owner of the tree, and the other way round" {
	requires_root
	# With most of the objects, which is quicker.
	mkdir "$WORK/tree"
	tar -C "$TREE" -c --exclude={.git,check,fuzz,guest,managers,sanitize,switches,vm} --exclude=build/lib . |
		tar -C "$WORK/tree" -x
	chown -R nobody "$WORK/tree"
	chmod go+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$WORK" 2>/dev/null || :
	cd "$WORK/tree"
	local by
	for by in root owner root owner; do
		case $by in root) by= ;; owner) by="setpriv --reuid nobody --clear-groups" ;; esac
		touch macutil.c
		$by make -s -j2
		[ ./tapctl -nt macutil.c ]
		run find . ! -user nobody
		echo "$output"
		[ -z "$output" ]
	done
	make -s install DESTDIR="$WORK/to p"
	[ "$(stat -c %U "$WORK/to p/usr/local/sbin/tapctl")" = root ]
	$by make -s clean
	[ ! -e build ]
}

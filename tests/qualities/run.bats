#!/usr/bin/env bats
# The tests themselves: without root, and where namespaces are forbidden, as in a chroot.
# bats file_tags=once
load ../tools/helpers

PATH_THERE=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Whether nobody may run these tests.
visible() { setpriv --reuid nobody --clear-groups test -x "$TESTS/tools/run" || skip "nobody else may see this tree"; }

# run_apart COMMAND...: apart from the logs of the run that this one is in, and with a single unit test.
run_apart() {
	requires_root
	mkdir -p "$WORK/build/tests/unit"
	cp "$BUILD/tests/unit/macutil" "$WORK/build/tests/unit" || skip "no unit tests are built: make units"
	chmod go+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$WORK" 2>/dev/null || :
	chown -R nobody "$WORK/build"
	run env -i PATH="$PATH_THERE" BUILD="$WORK/build" TAPCTL="$TAPCTL" "$@" 3>&- 4>&-
	echo "$output"
	[ "$status" = 0 ]
}

@test "run: without root, in a user namespace" {
	requires_root
	visible
	setpriv --reuid nobody --clear-groups unshare -Ur true || skip "user namespaces are forbidden here"
	# Everybody may open /dev/net/tun on a machine with udev.
	run_apart unshare --mount sh -ec 'mount -t tmpfs net /dev/net && mknod -m 666 /dev/net/tun c 10 200 && exec "$@"' sh \
		setpriv --reuid nobody --regid nogroup --clear-groups "$TESTS/tools/run" "$TESTS/commands/pin.bats"
	[[ "${lines[-1]}" = *" passed, 0 failed, "* ]]
	grep -q "^ok 1 [^#]*$" <<<"$output"
}

@test "run: root's tests where user namespaces are forbidden" {
	run_apart CHROOT=1 FILTER='user namespace|four ways|the same guest a second time' \
		"$TESTS/tools/run" "$TESTS"/{subjects/{audit,lease},qualities/docs}.bats
	[ "${lines[-1]}" = "1 passed, 0 failed, 3 skipped" ]
	[ "$(grep -c ' # skip .*user namespaces' <<<"$output")" = 3 ]
}

@test "run: another user's tests where user namespaces are forbidden" {
	requires_root
	visible
	run_apart unshare --mount sh -ec 'mount --rbind / /mnt && exec chroot /mnt "$@"' sh \
		setpriv --reuid nobody --regid nogroup --clear-groups "$TESTS/tools/run"
	[[ "${lines[-1]}" = *" passed, 0 failed, "*" skipped" ]]
	grep -q '^ok 1 add # skip user namespaces are forbidden here' <<<"$output"
}

@test "run: root's tests in a chroot that is not a mount point" {
	mkdir "$WORK/root"
	run_apart unshare --mount sh -ec '
		for entry in /*; do
			if [ -L "$entry" ]; then
				cp -a "$entry" "$1"
			elif [ -d "$entry" ]; then
				mkdir "$1$entry" && mount --rbind "$entry" "$1$entry"
			fi
		done
		exec chroot "$@"' sh "$WORK/root" "$TESTS/tools/run"
	[[ "${lines[-1]}" = *" passed, 0 failed, "*" skipped" ]]
	grep -q '^ok 1 add # skip namespaces are forbidden here: cannot change root' <<<"$output"
}

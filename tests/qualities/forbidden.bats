#!/usr/bin/env bats
# The tests themselves where user namespaces are forbidden, as in a chroot: what needs one is skipped.
# bats file_tags=once
load ../tools/helpers

PATH_THERE=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

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

@test "forbidden: root's tests" {
	run_apart CHROOT=1 FILTER='user namespace|the same guest a second time' \
		"$TESTS/tools/run" "$TESTS"/subjects/{audit,lease}.bats
	[ "${lines[-1]}" = "1 passed, 0 failed, 2 skipped" ]
	[ "$(grep -c ' # skip .*user namespaces' <<<"$output")" = 2 ]
}

@test "forbidden: another user's tests" {
	requires_root
	setpriv --reuid nobody --clear-groups test -x "$TESTS/tools/run" || skip "nobody else may see this tree"
	run_apart unshare --mount sh -ec 'mount --rbind / /mnt && exec chroot /mnt "$@"' sh \
		setpriv --reuid nobody --regid nogroup --clear-groups "$TESTS/tools/run"
	[[ "${lines[-1]}" = *" passed, 0 failed, "*" skipped" ]]
	grep -q '^ok 1 add # skip .*user namespaces are forbidden here' <<<"$output"
}

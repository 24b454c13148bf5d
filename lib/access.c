/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "lib/access.h"
#include "lib/parse.h"
#include "lib/report.h"

#define INCLUDES_MAX 8 /* deep */
#define BLANKS " \t\n\v\f\r"

static const char *const files[] = { "/etc/tapctl/bridge.conf", "/etc/qemu/bridge.conf" };

/* What is asked, and what the lines read so far say about it. */
struct question {
	const char *name;
	bool link; /* the name is a macvtap's lower device, and not a bridge */
	bool allowed, denied;
	unsigned depth; /* of includes */
};

static int read_file(struct question *question, const char *path);

/* As in qemu: a file that does not exist, or that the caller may not read, is ignored. */
static int include_file(struct question *question, const char *path)
{
	int err;

	question->depth++;
	err = read_file(question, path);
	question->depth--;
	return err == -ENOENT || err == -ENOTDIR || err == -EACCES ? 0 : err;
}

/* One line, which is taken apart in place. 0, -EINVAL or what include_file() returns. */
static int read_line(struct question *question, char *line, const char *path, unsigned number)
{
	char *word = line + strspn(line, BLANKS), *arg = word + strcspn(word, BLANKS), *end;
	const char *fault;
	bool link, deny;

	if (!*word || *word == '#')
		return 0;
	if (*arg)
		*arg++ = '\0';
	arg += strspn(arg, BLANKS);
	for (end = arg + strlen(arg); end > arg && strchr(BLANKS, end[-1]);)
		*--end = '\0';
	/* The caller chooses what a relative path means. */
	if (strcmp(word, "include") == 0)
		return *arg == '/' ?
			       include_file(question, arg) :
			       report_error(-EINVAL, "%s line %u: include needs an absolute path",
					    path, number);
	link = strcmp(word, "allow-link") == 0 || strcmp(word, "deny-link") == 0;
	deny = strncmp(word, "deny", 4) == 0;
	if (!link && strcmp(word, "allow") != 0 && strcmp(word, "deny") != 0)
		return report_error(-EINVAL,
				    "%s line %u: '%s' is not allow, deny, allow-link, deny-link "
				    "or include",
				    path, number, word);
	fault = parse_name_fault(arg, false);
	if (fault)
		return report_error(-EINVAL, "%s line %u: '%s': %s", path, number, arg, fault);
	if (link != question->link || (strcmp(arg, "all") != 0 && strcmp(arg, question->name) != 0))
		return 0;
	if (deny)
		question->denied = true;
	else
		question->allowed = true;
	return 0;
}

/* Whether the file's owner and mode let it decide. */
static int check_file(const struct question *question, const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return report_error(-EIO, "%s: cannot look at it: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return report_error(-EINVAL, "%s: is not a regular file", path);
	if (st.st_mode & S_IWOTH)
		return report_error(-EINVAL,
				    "%s: is writable by everybody, so it allows nothing\nchmod o-w "
				    "%s",
				    path, path);
	if (question->depth == 0 && st.st_uid != 0)
		return report_error(
			-EINVAL, "%s: does not belong to root, so it allows nothing\nchown root %s",
			path, path);
	return 0;
}

static int read_lines(struct question *question, const char *path, FILE *file)
{
	unsigned number = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int err = 0;

	while (!err && (n = getline(&line, &size, file)) >= 0) {
		number++;
		if (strlen(line) != (size_t)n)
			err = report_error(-EINVAL, "%s line %u: contains a NUL byte", path,
					   number);
		else
			err = read_line(question, line, path, number);
	}
	/* The part that was not read may have denials. */
	if (!err && !feof(file))
		err = report_error(-EIO, "%s: cannot read it: %s", path, strerror(errno));
	free(line);
	return err;
}

/* -ENOENT, -ENOTDIR and -EACCES without a line of error: it could not be opened. */
static int read_file(struct question *question, const char *path)
{
	int fd, err;
	FILE *file;

	if (question->depth > INCLUDES_MAX)
		return report_error(
			-ELOOP,
			"%s: includes are nested more than %d deep\nsee whether it includes itself",
			path, INCLUDES_MAX);
	/* Opening a pipe must not block. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return -errno;
	if (fd < 0)
		return report_error(-EIO, "%s: cannot open it: %s", path, strerror(errno));
	err = check_file(question, path, fd);
	file = err ? NULL : fdopen(fd, "r");
	if (!file) {
		if (!err)
			err = report_error(-EIO, "%s: cannot read it: %s", path, strerror(errno));
		close(fd);
		return err;
	}
	err = read_lines(question, path, file);
	fclose(file);
	return err;
}

int access_check(const char *name, bool lower)
{
	struct question question = { .name = name, .link = lower };
	const char *path = files[0];
	int err = read_file(&question, path);

	if (err == -ENOENT) {
		path = files[1];
		err = read_file(&question, path);
	}
	if (err == -ENOENT)
		return report_error(-EACCES,
				    "%s: access denied: there is no access file, neither %s nor %s",
				    question.name, files[0], files[1]);
	if (err)
		return report_error(-EACCES,
				    "%s: access denied: cannot read the access file %s: %s",
				    question.name, path, strerror(-err));
	if (question.denied)
		return report_error(-EACCES, "%s: access denied by acl file %s", question.name,
				    path);
	if (!question.allowed)
		return report_error(
			-EACCES, "%s: access denied by acl file %s: no line says allow%s %s",
			question.name, path, question.link ? "-link" : "", question.name);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Times whole processes side by side: in every round each command runs once, in an order drawn
 * anew, so that whatever else the machine does, and what the command before has left to the kernel
 * to tidy up, meets all of them alike.
 *
 *	timer [-n ROUNDS] [-p COPIES] [-b BEFORE] [-a AFTER] NAME COMMAND [NAME COMMAND]...
 *
 * COMMAND is cut at blanks and run without a shell, its output thrown away; COPIES of it start at
 * once, @ in it being each one's number, two hex digits. BEFORE and AFTER are the shell's, run
 * around it and not timed; what fails ends the benchmark. One line a command, separated by tabs:
 *
 *	NAME  median  first quartile  third quartile (µs)  CPU time (µs)  greatest RSS (kB)
 *	median of the quotients with the first command of the same round  rounds
 *
 * A command ends when its process does, or where it runs "timer stamp": as soon as all copies got
 * that far. They stay until the last one is there.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { HOLD_FD = 8, STAMP_FD = 9 }; /* in the commands */

struct sample {
	double wall, cpu, quotient;
	long rss;
};

struct command {
	const char *name, *line;
	struct sample *samples;
};

static void die(const char *what, const char *name)
{
	fprintf(stderr, "timer: %s: %s\n", name, what);
	exit(1);
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("out of memory", "calloc");
	return memory;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The first thing that a command does that is there to be waited for. */
static int stamp(void)
{
	int64_t time = now();
	char byte;

	if (write(STAMP_FD, &time, sizeof(time)) != sizeof(time))
		return 1;
	close(STAMP_FD);
	return read(HOLD_FD, &byte, 1) == 0 ? 0 : 1;
}

static _Noreturn void run(const char *line, unsigned copy)
{
	size_t size = 2 * strlen(line) + 1, count = 0;
	char *text = allocate(size, 1), *to = text, *rest;
	char **words = allocate(size, sizeof(*words));
	int out = open("/dev/null", O_RDWR);

	for (; *line; line++) {
		if (*line == '@')
			to += sprintf(to, "%02x", copy);
		else
			*to++ = *line;
	}
	for (char *word = strtok_r(text, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest))
		words[count++] = word;
	if (!count)
		die("empty", "a command");
	dup2(out, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	close(out);
	execvp(words[0], words);
	perror(words[0]);
	_exit(127);
}

static void shell(const char *script)
{
	/* NOLINTNEXTLINE(cert-env33-c): a shell is what is wanted */
	if (script && system(script) != 0)
		die("it failed", script);
}

/* When the last of @count copies wrote its stamp; 0 when they ended without. */
static int64_t read_stamps(int fd, unsigned count)
{
	int64_t time, last = 0;

	while (count && read(fd, &time, sizeof(time)) == sizeof(time)) {
		if (time > last)
			last = time;
		count--;
	}
	return count ? 0 : last;
}

static struct sample measure(const struct command *command, unsigned copies)
{
	struct sample sample = { .wall = 0 };
	int hold[2], stamps[2], status;
	int64_t begin, end;

	if (pipe2(hold, O_CLOEXEC) < 0 || pipe2(stamps, O_CLOEXEC) < 0)
		die("pipe", command->name);
	begin = now();
	for (unsigned copy = 0; copy < copies; copy++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork", command->name);
		if (pid == 0) {
			dup2(hold[0], HOLD_FD);
			dup2(stamps[1], STAMP_FD);
			run(command->line, copy);
		}
	}
	close(stamps[1]);
	end = read_stamps(stamps[0], copies);
	close(hold[1]);
	for (unsigned copy = 0; copy < copies; copy++) {
		struct rusage usage;

		if (wait4(-1, &status, 0, &usage) < 0 || status != 0)
			die("it failed", command->name);
		sample.cpu += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
			      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
		if (usage.ru_maxrss > sample.rss)
			sample.rss = usage.ru_maxrss;
	}
	if (!end)
		end = now();
	sample.wall = (double)(end - begin) / 1e3;
	close(hold[0]);
	close(stamps[0]);
	return sample;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value that @part of all values (the doubles at @offset in the samples) are below. */
static double quantile(const struct command *command, unsigned rounds, size_t offset, double part)
{
	double *values = allocate(rounds, sizeof(*values)), at = part * (rounds - 1), result;
	unsigned low = (unsigned)at, high = low + (low + 1 < rounds);

	for (unsigned i = 0; i < rounds; i++)
		values[i] = *(const double *)((const char *)&command->samples[i] + offset);
	qsort(values, rounds, sizeof(*values), compare);
	result = values[low] + (values[high] - values[low]) * (at - low);
	free(values);
	return result;
}

static void print(const struct command *command, unsigned rounds)
{
	const size_t wall = offsetof(struct sample, wall);
	long rss = 0;

	for (unsigned i = 0; i < rounds; i++)
		if (command->samples[i].rss > rss)
			rss = command->samples[i].rss;
	printf("%s\t%.0f\t%.0f\t%.0f\t%.0f\t%ld\t%.3f\t%u\n", command->name,
	       quantile(command, rounds, wall, 0.5), quantile(command, rounds, wall, 0.25),
	       quantile(command, rounds, wall, 0.75),
	       quantile(command, rounds, offsetof(struct sample, cpu), 0.5), rss,
	       quantile(command, rounds, offsetof(struct sample, quotient), 0.5), rounds);
}

/* Of the same seed in each run. */
static void shuffle(struct command **order, unsigned count)
{
	for (unsigned i = count - 1; i > 0; i--) {
		unsigned k = (unsigned)random() % (i + 1);
		struct command *other = order[i];

		order[i] = order[k];
		order[k] = other;
	}
}

int main(int argc, char **argv)
{
	const char *before = NULL, *after = NULL;
	unsigned rounds = 11, copies = 1, count;
	struct command *commands, **order;
	int option;

	if (argc == 2 && strcmp(argv[1], "stamp") == 0)
		return stamp();
	while ((option = getopt(argc, argv, "+n:p:b:a:")) > 0) {
		if (option == 'n')
			rounds = (unsigned)atoi(optarg);
		else if (option == 'p')
			copies = (unsigned)atoi(optarg);
		else if (option == 'b')
			before = optarg;
		else
			after = optarg;
	}
	count = (unsigned)(argc - optind) / 2;
	if (!count || !rounds || !copies || (argc - optind) % 2)
		die("wrong arguments", argv[0]);
	commands = allocate(count, sizeof(*commands));
	order = allocate(count, sizeof(*order));
	for (unsigned i = 0; i < count; i++) {
		order[i] = &commands[i];
		commands[i].name = argv[optind + 2 * (int)i];
		commands[i].line = argv[optind + 2 * (int)i + 1];
		commands[i].samples = allocate(rounds, sizeof(*commands[i].samples));
	}
	for (unsigned round = 0; round < rounds; round++) {
		shuffle(order, count);
		for (unsigned i = 0; i < count; i++) {
			shell(before);
			order[i]->samples[round] = measure(order[i], copies);
			shell(after);
		}
		for (unsigned i = 0; i < count; i++)
			commands[i].samples[round].quotient = commands[i].samples[round].wall /
							      commands[0].samples[round].wall;
	}
	for (unsigned i = 0; i < count; i++) {
		print(&commands[i], rounds);
		free(commands[i].samples);
	}
	free(order);
	free(commands);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The doctor's readers on a real host. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"

#define RULESET_MAX (32UL << 20)

static int64_t now(void)
{
	return time(NULL);
}

static bool clock_synced(void)
{
	struct timex t = { 0 };

	/* a kernel that does not say is not blamed */
	return adjtimex(&t) != TIME_ERROR;
}

static void expand(const char *pattern,
		   void (*cb)(const char *path, void *arg), void *arg)
{
	glob_t found;
	size_t i;

	if (glob(pattern, 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++)
		cb(found.gl_pathv[i], arg);
	globfree(&found);
}

/* ---- daemons ---- */

static bool same_netns(const char *pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/ns/net", pid);
	return !stat("/proc/self/ns/net", &own) && !stat(path, &other) &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

static void read_args(const char *pid, struct doctor_daemon *daemon)
{
	char path[64];
	ssize_t n = 0, i;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, daemon->args, sizeof(daemon->args) - 1);
		close(fd);
	}
	if (n < 0)
		n = 0;
	daemon->args[n] = '\0';
	for (i = 0; i < n; i++)
		if (!daemon->args[i])
			daemon->args[i] = ' ';
}

static void daemons(struct doctor *d)
{
	struct doctor_daemon *new;
	struct dirent *entry;
	char path[64], comm[32];
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc)) && d->daemons < DOCTOR_DAEMONS) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/comm",
			 entry->d_name);
		if (!host_ops.file(d->host, path, comm, sizeof(comm)))
			continue;
		comm[strcspn(comm, "\n")] = '\0';
		if (!doctor_daemon_is_known(comm) || !same_netns(entry->d_name))
			continue;
		new = &d->daemon[d->daemons++];
		snprintf(new->name, sizeof(new->name), "%.15s", comm);
		snprintf(new->root, sizeof(new->root), "/proc/%.20s/root",
			 entry->d_name);
		read_args(entry->d_name, new);
	}
	if (proc)
		closedir(proc);
}

/* ---- nft ---- */

/* The child's standard output, -1: it was not started. */
static int start_nft(pid_t *pid)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	*pid = fork();
	if (*pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execlp("nft", "nft", "-j", "list", "ruleset", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	if (*pid < 0) {
		close(ends[0]);
		return -1;
	}
	return ends[0];
}

/* Sets can be large; what does not fit is not looked at. */
static char *read_all(int fd)
{
	size_t size = 64 << 10, len = 0;
	char *text = malloc(size), *bigger;
	ssize_t n = 0;

	while (text && (n = read(fd, text + len, size - len - 1)) > 0) {
		len += (size_t)n;
		if (size - len > 1)
			continue;
		size *= 2;
		bigger = size <= RULESET_MAX ? realloc(text, size) : NULL;
		if (!bigger)
			free(text);
		text = bigger;
	}
	if (text)
		text[len] = '\0';
	return text;
}

static json_t *nft(void)
{
	json_t *ruleset = NULL;
	int status = 0;
	char *text;
	pid_t pid;
	int fd = start_nft(&pid);

	if (fd < 0)
		return NULL;
	text = read_all(fd);
	close(fd);
	waitpid(pid, &status, 0);
	if (text && WIFEXITED(status) && !WEXITSTATUS(status))
		ruleset = json_loads(text, 0, NULL);
	free(text);
	return ruleset;
}

const struct doctor_ops doctor_ops = {
	.now = now,
	.clock_synced = clock_synced,
	.glob = expand,
	.nft = nft,
	.daemons = daemons,
};

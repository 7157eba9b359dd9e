// SPDX-License-Identifier: GPL-2.0-only
#include "apply_exec.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "log.h"

#define STATUS_MISSING 127

/* Daemons' tools are in sbin, which a user's PATH may lack. */
static void child(const char *const *argv, int out)
{
	const char *path = getenv("PATH");
	char wide[4096];
	int null;

	null = open("/dev/null", O_RDONLY);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (snprintf(wide, sizeof(wide), "%s%s/usr/local/sbin:/usr/sbin:/sbin",
		     path ? path : "/usr/bin:/bin", ":") < (int)sizeof(wide))
		setenv("PATH", wide, 1);
	setenv("LC_ALL", "C", 1);
	execvp(argv[0], (char *const *)argv);
	_exit(errno == ENOENT ? STATUS_MISSING : STATUS_MISSING - 1);
}

/* fd[0] is ours, fd[1] the child's. */
static bool open_terminal(int fd[2])
{
	struct termios raw;
	char name[64];

	fd[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd[0] < 0)
		return false;
	fd[1] = -1;
	if (!grantpt(fd[0]) && !unlockpt(fd[0]) &&
	    !ptsname_r(fd[0], name, sizeof(name)))
		fd[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd[1] < 0) {
		close(fd[0]);
		return false;
	}
	if (!tcgetattr(fd[1], &raw)) {
		cfmakeraw(&raw);
		tcsetattr(fd[1], TCSANOW, &raw);
	}
	return true;
}

static bool start(struct exec *x, const char *const *argv, bool terminal,
		  struct err *e)
{
	int fd[2];

	x->pid = 0;
	x->fd = -1;
	x->len = 0;
	x->status = 0;
	x->out[0] = '\0';
	if (terminal ? !open_terminal(fd) : pipe2(fd, O_CLOEXEC) != 0)
		return err_set(e, EXIT_REFUSED, "cannot run %s: %s", argv[0],
			       strerror(errno));
	x->pid = fork();
	if (x->pid < 0) {
		err_set(e, EXIT_REFUSED, "cannot run %s: %s", argv[0],
			strerror(errno));
		x->pid = 0;
		close(fd[0]);
		close(fd[1]);
		return false;
	}
	if (!x->pid)
		child(argv, fd[1]);
	close(fd[1]);
	x->fd = fd[0];
	fcntl(x->fd, F_SETFL, O_NONBLOCK);
	return true;
}

bool exec_start(struct exec *x, const char *const *argv, struct err *e)
{
	return start(x, argv, true, e);
}

static void reap(struct exec *x)
{
	int status = 0;

	while (waitpid(x->pid, &status, 0) < 0 && errno == EINTR)
		;
	x->status = WIFEXITED(status) ? WEXITSTATUS(status) :
					128 + WTERMSIG(status);
	x->pid = 0;
	close(x->fd);
	x->fd = -1;
}

bool exec_poll(struct exec *x, unsigned int timeout_ms)
{
	struct pollfd p = { .fd = x->fd, .events = POLLIN };
	size_t half = EXEC_OUTPUT_MAX / 2;
	ssize_t n;

	if (!x->pid)
		return false;
	poll(&p, 1, (int)timeout_ms);
	for (;;) {
		/* the end matters more than the start */
		if (x->len == EXEC_OUTPUT_MAX) {
			memmove(x->out, x->out + half, x->len - half);
			x->len -= half;
		}
		n = read(x->fd, x->out + x->len, EXEC_OUTPUT_MAX - x->len);
		if (n <= 0)
			break;
		x->len += (size_t)n;
	}
	x->out[x->len] = '\0';
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	reap(x);
	return false;
}

void exec_stop(struct exec *x)
{
	unsigned int i;

	if (!x->pid)
		return;
	kill(x->pid, SIGTERM);
	for (i = 0; i < 20 && exec_poll(x, 100); i++)
		;
	if (x->pid) {
		kill(x->pid, SIGKILL);
		reap(x);
	}
}

bool exec_is_missing(const struct exec *x)
{
	return x->status == STATUS_MISSING;
}

bool exec_run(struct exec *x, const char *const *argv, unsigned int timeout_s,
	      struct err *e)
{
	uint64_t end = log_now_ms() + timeout_s * 1000ull;

	if (!start(x, argv, false, e))
		return false;
	while (exec_poll(x, 200)) {
		if (log_now_ms() < end)
			continue;
		exec_stop(x);
		return err_set(e, EXIT_UNAVAILABLE,
			       "%s did not end within %u s", argv[0],
			       timeout_s);
	}
	if (exec_is_missing(x))
		return err_set(e, EXIT_UNAVAILABLE, "%s is not installed",
			       argv[0]);
	return true;
}

const char *exec_last_line(const struct exec *x, char *buf, size_t size)
{
	size_t end = x->len, start, i;

	while (end && isspace((unsigned char)x->out[end - 1]))
		end--;
	for (start = end; start && x->out[start - 1] != '\n';)
		start--;
	for (i = 0; start + i < end && i < size - 1; i++)
		buf[i] = isprint((unsigned char)x->out[start + i]) ?
				 x->out[start + i] : ' ';
	buf[i] = '\0';
	return buf;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "bridge_sock.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* A bridge that reads a large table first takes a moment. */
#define TIMEOUT_S 30
#define ANSWER_MAX (1u << 20)

/* Bridges of several network namespaces share the directory. */
static uintmax_t netns(void)
{
	struct stat ns;

	return stat("/proc/self/ns/net", &ns) ? 0 : (uintmax_t)ns.st_ino;
}

static bool set_path(struct sockaddr_un *to, const char *dir, const char *name)
{
	int n = snprintf(to->sun_path, sizeof(to->sun_path), "%s/%s", dir,
			 name);

	to->sun_family = AF_UNIX;
	return n > 0 && (size_t)n < sizeof(to->sun_path);
}

static int connect_to(const struct sockaddr_un *to)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval timeout = { .tv_sec = TIMEOUT_S };

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (!connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		return fd;
	close(fd);
	return -1;
}

/* Bridges that were killed left these. */
static void sweep(const char *dir)
{
	struct sockaddr_un to;
	const struct dirent *entry;
	uintmax_t ns;
	DIR *list;
	long pid;
	int fd;

	list = opendir(dir);
	if (!list)
		return;
	while ((entry = readdir(list)) != NULL) {
		if (sscanf(entry->d_name, "%ju-%ld", &ns, &pid) != 2 ||
		    !set_path(&to, dir, entry->d_name))
			continue;
		/* one that has just been started may not listen yet */
		if (pid != getpid() && (!kill((pid_t)pid, 0) || errno != ESRCH))
			continue;
		fd = connect_to(&to);
		if (fd < 0 && errno == ECONNREFUSED)
			unlink(to.sun_path);
		if (fd >= 0)
			close(fd);
	}
	closedir(list);
}

bool bridge_sock_open(struct bridge_sock *s, const char *dir, struct err *e)
{
	struct sockaddr_un to;
	char name[64];
	mode_t mask;
	int ret;

	memset(s, 0, sizeof(*s));
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		goto err;
	if (mkdir(dir, 0755) && errno != EEXIST)
		goto err;
	sweep(dir);
	snprintf(name, sizeof(name), "%ju-%ld", netns(), (long)getpid());
	errno = ENAMETOOLONG;
	if (!set_path(&to, dir, name))
		goto err;
	/* what it says is for those who may ask the kernel, too */
	mask = umask(0077);
	ret = bind(s->fd, (struct sockaddr *)&to, sizeof(to));
	umask(mask);
	if (ret)
		goto err;
	memcpy(s->path, to.sun_path, sizeof(s->path));
	if (!listen(s->fd, BRIDGE_ASKERS))
		return true;
err:
	err_set(e, EXIT_REFUSED, "cannot make a socket in '%s': %s", dir,
		strerror(errno));
	bridge_sock_close(s);
	return false;
}

void bridge_sock_close(struct bridge_sock *s)
{
	bridge_sock_answer(s, "", 0);
	if (s->path[0])
		unlink(s->path);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->path[0] = '\0';
}

void bridge_sock_accept(struct bridge_sock *s)
{
	while (s->fd >= 0 && s->askers < BRIDGE_ASKERS) {
		int fd = accept4(s->fd, NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		s->asker[s->askers++] = fd;
	}
}

void bridge_sock_answer(struct bridge_sock *s, const char *text, size_t len)
{
	while (s->askers) {
		int fd = s->asker[--s->askers];

		if (len)
			send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		close(fd);
	}
}

/* ---- who asks ---- */

static char *read_all(int fd, size_t *len)
{
	char *buf = malloc(ANSWER_MAX);

	*len = 0;
	while (buf && *len < ANSWER_MAX) {
		ssize_t n = read(fd, buf + *len, ANSWER_MAX - *len);

		if (n == 0)
			return buf;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		*len += (size_t)n;
	}
	free(buf);
	return NULL;
}

static bool ask_one(const struct sockaddr_un *to, bridge_sock_cb cb, void *arg,
		    struct err *e)
{
	int fd = connect_to(to);
	char *text;
	size_t len;

	if (fd < 0) {
		/* a socket without its process */
		if (errno == ECONNREFUSED || errno == ENOENT)
			return true;
		return err_set(e, errno == EACCES ? EXIT_PERMISSION :
						    EXIT_UNAVAILABLE,
			       "cannot ask the bridge on '%s': %s",
			       to->sun_path, strerror(errno));
	}
	text = read_all(fd, &len);
	close(fd);
	if (!text)
		return err_set(e, EXIT_UNAVAILABLE,
			       "the bridge does not answer on '%s'",
			       to->sun_path);
	/* nothing: it ends just now */
	if (len)
		cb(text, len, arg);
	free(text);
	return true;
}

bool bridge_sock_ask(const char *dir, bridge_sock_cb cb, void *arg,
		     struct err *e)
{
	const struct dirent *entry;
	struct sockaddr_un to;
	uintmax_t here = netns();
	bool ok = true;
	uintmax_t ns;
	DIR *list;
	long pid;

	list = opendir(dir);
	if (!list)
		return true;
	while (ok && (entry = readdir(list)) != NULL)
		if (sscanf(entry->d_name, "%ju-%ld", &ns, &pid) == 2 &&
		    ns == here && set_path(&to, dir, entry->d_name))
			ok = ask_one(&to, cb, arg, e);
	closedir(list);
	return ok;
}

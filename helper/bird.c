// SPDX-License-Identifier: GPL-2.0-only
#include "bird.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* 100,000 routes in full detail are about 30 MiB. */
#define REPLY_MAX (128u << 20)
/* BIRD answers between its other work. */
#define TIMEOUT_S 20

static bool unreachable(struct err *e, const char *socket, const char *why)
{
	return err_set(e, EXIT_UNAVAILABLE,
		       "BIRD does not answer on %s: %s; is it running? another socket can be given with --socket",
		       socket, why);
}

/* Reads one reply into the buffer. */
static bool read_reply(struct bird *bird, struct err *e)
{
	bird->len = 0;
	for (;;) {
		ssize_t n;

		if (bird->size - bird->len < 4096) {
			size_t size = bird->size ? bird->size * 2 : 65536;
			char *buf = size <= REPLY_MAX ?
					    realloc(bird->buf, size) : NULL;

			if (!buf)
				return err_set(e, EXIT_REFUSED,
					       "BIRD's reply is too long");
			bird->buf = buf;
			bird->size = size;
		}
		n = read(bird->fd, bird->buf + bird->len,
			 bird->size - bird->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, EXIT_UNAVAILABLE,
				       "BIRD's reply ended early: %s",
				       n ? strerror(errno) :
					   "the connection was closed");
		bird->len += (size_t)n;
		bird->buf[bird->len] = '\0';
		if (bird_complete(bird->buf, bird->len))
			return true;
	}
}

const char *bird_ask(struct bird *bird, const char *command, struct err *e)
{
	struct bird_line line;
	const char *pos;
	char buf[256];
	int n;

	n = snprintf(buf, sizeof(buf), "%s\n", command);
	if (n < 0 || (size_t)n >= sizeof(buf)) {
		err_set(e, EXIT_USAGE, "the command for BIRD is too long");
		return NULL;
	}
	if (send(bird->fd, buf, (size_t)n, MSG_NOSIGNAL) != n) {
		err_set(e, EXIT_UNAVAILABLE, "cannot ask BIRD: %s",
			strerror(errno));
		return NULL;
	}
	if (!read_reply(bird, e))
		return NULL;
	pos = bird->buf;
	/* 8xxx: it ran and failed, 9xxx: not understood */
	if (bird_next(&pos, &line) && line.code >= 8000) {
		err_set(e, EXIT_REFUSED, "BIRD refuses '%s': %s", command,
			line.text);
		return NULL;
	}
	return bird->buf;
}

bool bird_open(struct bird *bird, const char *path, struct err *e)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memset(bird, 0, sizeof(*bird));
	bird->fd = -1;
	if (strlen(path) >= sizeof(to.sun_path))
		return err_set(e, EXIT_USAGE, "socket: the path is too long");
	strcpy(to.sun_path, path);
	bird->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bird->fd < 0)
		return unreachable(e, path, strerror(errno));
	setsockopt(bird->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		   sizeof(timeout));
	setsockopt(bird->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
		   sizeof(timeout));
	if (connect(bird->fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		unreachable(e, path, strerror(errno));
		goto err_close;
	}
	/* the greeting; then no command of ours can change anything */
	if (!read_reply(bird, e) || !bird_ask(bird, "restrict", e))
		goto err_close;
	return true;

err_close:
	bird_close(bird);
	return false;
}

void bird_close(struct bird *bird)
{
	if (bird->fd >= 0)
		close(bird->fd);
	free(bird->buf);
	memset(bird, 0, sizeof(*bird));
	bird->fd = -1;
}

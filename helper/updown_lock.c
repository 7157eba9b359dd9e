// SPDX-License-Identifier: GPL-2.0-only
/* charon runs several updown calls at once: one at a time acts. */
#include "updown.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define LOCK_WAIT_MS 5000
#define LOCK_POLL_MS 2

int updown_lock(void)
{
	uint64_t deadline = log_now_ms() + LOCK_WAIT_MS;
	struct stat ns;
	char name[64];
	int fd;

	if (stat("/proc/self/ns/net", &ns))
		return -1;
	snprintf(name, sizeof(name), "/run/ovlyhelper-updown.%ju.lock",
		 (uintmax_t)ns.st_ino);
	/* never unlinked: whoever waits for it would hold another file */
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK && log_now_ms() < deadline) {
			poll(NULL, 0, LOCK_POLL_MS);
			continue;
		}
		if (errno == EINTR)
			continue;
		/* a call that hangs must not keep every tunnel down */
		if (errno == EWOULDBLOCK)
			log_warn("updown: another call does not end, going on beside it");
		close(fd);
		return -1;
	}
	return fd;
}

void updown_unlock(int fd)
{
	if (fd >= 0)
		close(fd);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * SAs of a charon that was killed: it could not remove them, its successor does
 * not know them, and the kernel uses them until they expire.  An if-id that
 * they hold is free: they are told by being older than the charon that calls.
 */
#include "updown_run.h"

#include <linux/netlink.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "parse.h"

/* updown, a shell, charon: with some room */
#define ANCESTORS_MAX 5

/* Of a process: its name, its parent, and when it started, in ticks. */
static bool read_stat(int pid, char name[32], int *parent, uint64_t *start)
{
	char buf[1024], path[40];
	unsigned long long ticks;
	const char *open, *close;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	buf[n] = '\0';
	/* the name stands in parentheses and may hold anything */
	open = strchr(buf, '(');
	close = strrchr(buf, ')');
	if (!open || !close || close < open)
		return false;
	snprintf(name, 32, "%.*s", (int)(close - open - 1), open + 1);
	if (sscanf(close + 1,
		   " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   parent, &ticks) != 2)
		return false;
	*start = ticks;
	return true;
}

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

#define VICI "/run/charon.vici"

/* Has somebody in the network namespace of the process the vici socket open?  Else it
 * is another charon's, or of one that is gone.
 */
static bool has_vici(int pid)
{
	char line[256], path[40];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/net/unix", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, VICI "\n");
	fclose(f);
	return found;
}

/* charon makes the socket when it starts, by the wall clock of then. */
static uint64_t vici_ms(int pid)
{
	struct stat st;

	if (stat(VICI, &st) || !S_ISSOCK(st.st_mode) || !has_vici(pid))
		return UINT64_MAX;
	return (uint64_t)st.st_mtim.tv_sec * 1000;
}

/* When the charon that called was started, in milliseconds since 1970; 0 where
 * there is none.  By the clock of then, if that can be told: an SA's age is by the
 * clock of when it was made, and who sets the clock makes no orphans.
 */
static uint64_t charon_start_ms(void)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	int pid = getppid();
	uint64_t start, ms, vici;
	char name[32];
	int i, parent;

	for (i = 0; i < ANCESTORS_MAX && pid > 0; i++, pid = parent) {
		if (!read_stat(pid, name, &parent, &start))
			return 0;
		if (strncmp(name, "charon", 6))
			continue;
		ms = clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_BOOTTIME) +
		     start * 1000 / hz;
		vici = vici_ms(pid);
		return ms < vici ? ms : vici;
	}
	return 0;
}

struct search {
	struct updown_orphans *found;
	const struct ovly_path *path;
	uint64_t before_ms;
};

static void on_sa(const struct host_sa *sa, void *arg)
{
	struct search *s = arg;
	struct updown_orphans *found = s->found;

	if (!sa->esp || !sa->if_id ||
	    (sa->if_id != s->path->if_id_in && sa->if_id != s->path->if_id_out))
		return;
	/* the kernel counts whole seconds */
	if ((sa->added + 1) * 1000 > s->before_ms ||
	    found->n == UPDOWN_ORPHANS_MAX)
		return;
	found->sa[found->n++] = *sa;
	found->out += sa->if_id == s->path->if_id_out &&
		      addr_equal(&sa->dst, &s->path->endpoint);
}

bool updown_orphans_find(struct updown_orphans *orphans,
			 const struct ovly_path *path, struct err *e)
{
	struct search s = { .found = orphans, .path = path,
			    .before_ms = charon_start_ms() };
	struct nl_sock *sk;
	bool ok;

	memset(orphans, 0, sizeof(*orphans));
	if (!s.before_ms)
		return true;
	sk = ovly_nl_socket(NETLINK_XFRM, e);
	if (!sk)
		return false;
	ok = ovly_sa_dump(sk, on_sa, &s, e);
	nl_socket_free(sk);
	return ok;
}

/* They must not count for whoever has the if-id from now on, and not carry his
 * packets to somebody else.
 */
bool updown_orphans_remove(const struct updown_orphans *orphans,
			   struct err *e)
{
	struct nl_sock *sk;
	bool ok = true;
	unsigned int i;

	if (!orphans->n)
		return true;
	sk = ovly_nl_socket(NETLINK_XFRM, e);
	if (!sk)
		return false;
	for (i = 0; i < orphans->n && ok; i++)
		ok = ovly_sa_del(sk, &orphans->sa[i], e);
	nl_socket_free(sk);
	if (ok)
		log_info("updown: %u SAs of an earlier charon removed",
			 orphans->n);
	return ok;
}

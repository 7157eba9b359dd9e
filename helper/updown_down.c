// SPDX-License-Identifier: GPL-2.0-only
/* Down: which paths go, and when. */
#include "updown.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ctl.h"
#include "log.h"
#include "parse.h"
#include "updown_run.h"

/* charon removes the SAs of an IKE_SA right after it has called for them all. */
#define REST_WAIT_MS 10000

struct tally {
	const struct ovly_path *path;
	uint32_t reqid;
	unsigned int same, other;
};

static void on_sa(const struct host_sa *sa, void *arg)
{
	struct tally *t = arg;

	if (!sa->esp || sa->if_id != t->path->if_id_out ||
	    (t->path->endpoint.family &&
	     !addr_equal(&sa->dst, &t->path->endpoint)))
		return;
	if (sa->reqid == t->reqid)
		t->same++;
	else
		t->other++;
}

/* The path's outbound SAs: this CHILD_SA's, and others. */
static bool count_sas(struct tally *t, struct err *e)
{
	struct nl_sock *sk;
	bool ok;

	if (t->path->sa_out < 2 || !t->reqid) {
		t->same = t->path->sa_out;
		return true;
	}
	sk = ovly_nl_socket(NETLINK_XFRM, e);
	if (!sk)
		return false;
	ok = ovly_sa_dump(sk, on_sa, t, e);
	nl_socket_free(sk);
	/* none of them seen: they are not told apart */
	if (!t->same && !t->other)
		t->same = t->path->sa_out;
	return ok;
}

static bool end_path(struct ovly_nl *nl, uint32_t ifindex, uint32_t if_id_in,
		     struct err *e)
{
	if (!updown_path_del(nl, if_id_in, e))
		return false;
	updown_addrs_sweep(nl, ifindex);
	return true;
}

/* Nobody's any more: the next down, of whatever connection, may end it. */
static bool clear_label(struct ovly_nl *nl, uint32_t if_id_in, struct err *e)
{
	struct ovly_path path = { .has = HAS(OVLY_A_PATH_IF_ID_IN) |
					 HAS(OVLY_A_PATH_LABEL),
				  .if_id_in = if_id_in,
				  .label = UPDOWN_NO_LABEL };
	struct ovly_req req = { .path = &path };
	struct ovly_nl_error refusal;

	if (ovly_ctl_do(nl, OVLY_CMD_PATH_SET, 0, &req, NULL, &refusal) ||
	    updown_is_absent(&refusal))
		return true;
	return ovly_nl_err(e, &refusal, "cannot change the path with if-id %u",
			   if_id_in);
}

/* The path is gone, has somebody again, or has ended here. */
static bool is_settled(struct ovly_nl *nl, uint32_t if_id_in)
{
	struct ovly_path path;
	struct err ignored;
	uint32_t ifindex;
	bool done;
	int lock;

	lock = updown_lock();
	done = !updown_path_get(nl, if_id_in, &path, &ifindex, &ignored) ||
	       !ifindex || strcmp(path.label, UPDOWN_NO_LABEL);
	if (!done && !path.sa_out)
		done = end_path(nl, ifindex, if_id_in, &ignored);
	updown_unlock(lock);
	return done;
}

static void watch_rest(uint32_t if_id_in)
{
	uint64_t deadline = log_now_ms() + REST_WAIT_MS;
	struct pollfd fd = { .events = POLLIN };
	struct ovly_nl nl;
	struct nl_sock *sk;
	struct err ignored;
	uint64_t now;

	if (!ovly_nl_open(&nl, true, &ignored))
		return;
	sk = ovly_nl_subscriber(NETLINK_GENERIC, &ignored);
	if (sk && ovly_nl_join(sk, nl.group, &ignored)) {
		fd.fd = nl_socket_get_fd(sk);
		while (!is_settled(&nl, if_id_in) &&
		       (now = log_now_ms()) < deadline &&
		       poll(&fd, 1, (int)(deadline - now)) > 0)
			ovly_nl_drain(sk, NULL, NULL);
	}
	nl_socket_free(sk);
	ovly_nl_close(&nl);
}

/* charon reads our output until nobody holds it, and waits that long. */
static void let_go(void)
{
	int null = open("/dev/null", O_RDWR);
	int fd;

	for (fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, 3, ~0u, 0))
		return;
#endif
	for (fd = 3; fd < 1024; fd++)
		close(fd);
}

/* A process of its own: charon goes on only when the call has ended. */
static void leave_a_watch(uint32_t if_id_in)
{
	pid_t pid = fork();

	if (pid < 0)
		log_warn("updown: cannot fork, the path with if-id %u stays",
			 if_id_in);
	if (pid)
		return;
	let_go();
	setsid();
	watch_rest(if_id_in);
	_exit(0);
}

bool updown_down(struct ovly_nl *nl, const struct pluto *env, struct err *e)
{
	struct ovly_path path;
	struct tally t = { .path = &path, .reqid = env->reqid };
	uint32_t ifindex;

	/* no module, no path */
	if (!nl->family)
		return true;
	if (!updown_path_get(nl, env->if_id_in, &path, &ifindex, e))
		return false;
	if (!ifindex)
		return true;
	if (!count_sas(&t, e))
		return false;
	switch (updown_end(&path, env, t.same, t.other)) {
	case UPDOWN_KEEP:
		return true;
	case UPDOWN_DELETE:
		return end_path(nl, ifindex, env->if_id_in, e);
	case UPDOWN_LEAVE:
		if (!clear_label(nl, env->if_id_in, e))
			return false;
		leave_a_watch(env->if_id_in);
		return true;
	}
	return true;
}

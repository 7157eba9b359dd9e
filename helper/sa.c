// SPDX-License-Identifier: GPL-2.0-only
#include "sa.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "parse.h"

struct sa_walk {
	ovly_sa_cb cb;
	void *arg;
};

static void on_sa(struct nlmsghdr *hdr, void *arg)
{
	struct sa_walk *walk = arg;
	struct host_sa sa;

	if (host_sa_parse(hdr, &sa))
		walk->cb(&sa, walk->arg);
}

bool ovly_sa_dump(struct nl_sock *sk, ovly_sa_cb cb, void *arg, struct err *e)
{
	struct sa_walk walk = { .cb = cb, .arg = arg };
	struct ovly_nl_error refusal;
	struct nl_msg *msg;

	msg = ovly_nl_raw(XFRM_MSG_GETSA, NLM_F_DUMP, NULL, 0);
	if (ovly_nl_request(sk, msg, on_sa, &walk, &refusal))
		return true;
	return ovly_nl_err(e, &refusal, "cannot list the SAs");
}

bool ovly_sa_del(struct nl_sock *sk, const struct host_sa *sa, struct err *e)
{
	struct xfrm_usersa_id id = { .spi = htonl(sa->spi),
				     .family = sa->dst.family,
				     .proto = IPPROTO_ESP };
	struct xfrm_mark mark = { .v = sa->mark, .m = sa->mask };
	struct ovly_nl_error refusal = { .error = ENOMEM };
	struct nl_msg *msg;

	memcpy(&id.daddr, sa->dst.b, addr_bits(&sa->dst) / 8);
	msg = ovly_nl_raw(XFRM_MSG_DELSA, 0, &id, sizeof(id));
	if (msg && mark.m &&
	    nla_put(msg, XFRMA_MARK, sizeof(mark), &mark) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	if (ovly_nl_request(sk, msg, NULL, NULL, &refusal) ||
	    refusal.error == ESRCH)
		return true;
	return ovly_nl_err(e, &refusal, "cannot delete an SA");
}

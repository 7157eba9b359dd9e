// SPDX-License-Identifier: GPL-2.0-only
#include "ctl.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "msg.h"
#include "rtnl.h"
#include "suggest.h"

static bool put_request(struct nl_msg *msg, const struct ovly_req *req)
{
	unsigned int n = req->routes ? req->routes : 1;
	unsigned int i;

	if (req->ifindex && nla_put_u32(msg, OVLY_A_IFINDEX, req->ifindex) < 0)
		return false;
	if (req->dev && !ovly_msg_put(msg, OVLY_A_DEV, req->dev))
		return false;
	if (req->peer && !ovly_msg_put(msg, OVLY_A_PEER, req->peer))
		return false;
	if (req->path && !ovly_msg_put(msg, OVLY_A_PATH, req->path))
		return false;
	if (req->cookie && nla_put_u64(msg, OVLY_A_COOKIE, req->cookie) < 0)
		return false;
	for (i = 0; req->route && i < n; i++)
		if (!ovly_msg_put(msg, OVLY_A_ROUTE, &req->route[i]))
			return false;
	return true;
}

static bool send_request(struct ovly_nl *nl, int cmd, int flags,
			 const struct ovly_req *req, ovly_nl_cb cb, void *arg,
			 struct ovly_nl_error *refusal)
{
	struct nl_msg *msg = ovly_nl_msg(nl, cmd, flags);

	memset(refusal, 0, sizeof(*refusal));
	if (msg && !put_request(msg, req)) {
		nlmsg_free(msg);
		refusal->error = EMSGSIZE;
		return false;
	}
	return ovly_nl_request(nl->genl, msg, cb, arg, refusal);
}

struct single {
	struct ovly_msg *reply;
	bool malformed;
};

static void on_single(struct nlmsghdr *hdr, void *arg)
{
	struct single *s = arg;

	if (!ovly_msg_parse(hdr, s->reply))
		s->malformed = true;
}

static bool malformed(struct ovly_nl_error *refusal)
{
	refusal->error = EBADMSG;
	snprintf(refusal->text, sizeof(refusal->text),
		 "the module's answer cannot be read: module and helper differ in version");
	return false;
}

bool ovly_ctl_do(struct ovly_nl *nl, int cmd, int flags,
		 const struct ovly_req *req, struct ovly_msg *reply,
		 struct ovly_nl_error *refusal)
{
	struct single s = { .reply = reply };

	if (reply)
		memset(reply, 0, sizeof(*reply));
	if (!send_request(nl, cmd, flags, req, reply ? on_single : NULL, &s,
			  refusal))
		return false;
	return s.malformed ? malformed(refusal) : true;
}

struct listing {
	ovly_ctl_cb cb;
	void *arg;
	bool malformed;
};

static void on_listed(struct nlmsghdr *hdr, void *arg)
{
	struct listing *l = arg;
	struct ovly_msg msg;

	if (ovly_msg_parse(hdr, &msg))
		l->cb(&msg, l->arg);
	else
		l->malformed = true;
}

bool ovly_ctl_dump(struct ovly_nl *nl, int cmd, const struct ovly_req *req,
		   ovly_ctl_cb cb, void *arg, struct ovly_nl_error *refusal)
{
	struct listing l = { .cb = cb, .arg = arg };

	if (!send_request(nl, cmd, NLM_F_DUMP, req, on_listed, &l, refusal))
		return false;
	return l.malformed ? malformed(refusal) : true;
}

struct batch {
	struct ovly_report *report;
	bool malformed;
};

static void on_report(struct nlmsghdr *hdr, void *arg)
{
	struct batch *b = arg;

	if (!ovly_msg_parse_report(hdr, b->report))
		b->malformed = true;
}

bool ovly_ctl_routes(struct ovly_nl *nl, int cmd, int flags,
		     const struct ovly_req *req, struct ovly_report *report,
		     struct ovly_nl_error *refusal)
{
	struct batch b = { .report = report };

	memset(report, 0, sizeof(*report));
	if (send_request(nl, cmd, flags, req, on_report, &b, refusal))
		return b.malformed ? malformed(refusal) : true;
	/* About the request and not about its one entry: a device that is gone,
	 * and a missing capability, which comes without words.
	 */
	if (req->routes != 1 || refusal->error == ENODEV ||
	    (refusal->error == EPERM && !refusal->text[0]))
		return false;
	report->n = 1;
	report->refused[0].error = (uint32_t)refusal->error;
	snprintf(report->refused[0].message,
		 sizeof(report->refused[0].message), "%.127s", refusal->text);
	return true;
}

bool ovly_ctl_link_up(struct ovly_nl *nl, const struct ovly_link *link,
		      struct err *e)
{
	const struct ovly_req req = { .ifindex = link->ifindex };
	struct ovly_nl_error refusal;

	return ovly_rtnl_link_up(nl, link, e) &&
	       (ovly_ctl_do(nl, OVLY_CMD_DEV_GET, 0, &req, NULL, &refusal) ||
		ovly_nl_err(e, &refusal, "device '%s' did not come up",
			    link->name));
}

struct near {
	struct suggest s;
	bool exists; /* the given name itself */
	char best[OVLY_NAME_MAX + 1]; /* the message goes */
};

static void try_near(struct near *near, const char *name)
{
	near->exists |= !strcmp(name, near->s.given);
	suggest_try(&near->s, name, strlen(name));
	if (near->s.best != name)
		return;
	snprintf(near->best, sizeof(near->best), "%s", name);
	near->s.best = near->best;
}

static void on_near_peer(const struct ovly_msg *msg, void *arg)
{
	try_near(arg, msg->peer.name);
}

static void on_near_dev(const struct ovly_msg *msg, void *arg)
{
	try_near(arg, msg->ifname);
}

static void tell_near(struct ovly_nl *nl, int cmd, uint32_t ifindex,
		      ovly_ctl_cb cb, const char *given, struct err *e)
{
	const struct ovly_req req = { .ifindex = ifindex };
	struct near near = { .s.given = given };
	struct ovly_nl_error refusal;
	size_t n = strlen(e->text);

	if (!given[0] || !nl->family)
		return;
	if (ovly_ctl_dump(nl, cmd, &req, cb, &near, &refusal) &&
	    near.s.best && !near.exists)
		snprintf(e->text + n, sizeof(e->text) - n,
			 "; did you mean '%s'?", near.best);
}

void ovly_ctl_near_peer(struct ovly_nl *nl, uint32_t ifindex, const char *given,
			struct err *e)
{
	tell_near(nl, OVLY_CMD_PEER_GET, ifindex, on_near_peer, given, e);
}

struct sole {
	uint32_t ifindex;
	unsigned int n;
};

static void on_sole(const struct ovly_msg *msg, void *arg)
{
	struct sole *sole = arg;

	sole->ifindex = msg->ifindex;
	sole->n++;
}

static uint32_t sole_device(struct ovly_nl *nl, struct err *e)
{
	const struct ovly_req all = { 0 };
	struct ovly_nl_error refusal;
	struct sole sole = { 0 };

	if (!ovly_ctl_dump(nl, OVLY_CMD_DEV_GET, &all, on_sole, &sole,
			   &refusal)) {
		ovly_nl_err(e, &refusal, "cannot list the devices");
		return 0;
	}
	if (sole.n == 1)
		return sole.ifindex;
	if (sole.n)
		err_set(e, EXIT_USAGE,
			"there are %u ovly devices, say which one with 'dev DEVICE'",
			sole.n);
	else
		err_set(e, EXIT_USAGE,
			"there is no ovly device, make one with 'ovlyhelper dev add NAME'");
	return 0;
}

uint32_t ovly_ctl_ifindex(struct ovly_nl *nl, const char *name, struct err *e)
{
	struct ovly_link link;

	if (!name[0])
		return sole_device(nl, e);
	if (!ovly_rtnl_link_get(nl, name, &link, e))
		return 0;
	if (!link.ifindex) {
		err_set(e, EXIT_REFUSED,
			"there is no device '%s', make it with 'ovlyhelper dev add %s'",
			name, name);
		tell_near(nl, OVLY_CMD_DEV_GET, 0, on_near_dev, name, e);
		return 0;
	}
	if (strcmp(link.kind, "ovly")) {
		err_set(e, EXIT_REFUSED,
			"device '%s' exists but is not an ovly device", name);
		return 0;
	}
	return link.ifindex;
}

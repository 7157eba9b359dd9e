// SPDX-License-Identifier: GPL-2.0-only
#include "nl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/ovly.h>

#include "log.h"
#include "msg.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* 100,000 notifications of a BGP session coming up want about this much. */
#define SUBSCRIBER_RCVBUF (16 << 20)
/* A dump reads whole skbs; the kernel makes them up to 32 KiB when asked. */
#define READ_SIZE (64 << 10)

struct nl_sock *ovly_nl_socket(int protocol, struct err *e)
{
	struct nl_sock *sk = nl_socket_alloc();
	int one = 1;
	int ret;

	if (!sk) {
		err_set(e, EXIT_REFUSED, "out of memory");
		return NULL;
	}
	ret = nl_connect(sk, protocol);
	if (ret < 0) {
		err_set(e, EXIT_REFUSED, "cannot open a netlink socket: %s",
			nl_geterror(ret));
		nl_socket_free(sk);
		return NULL;
	}
	nl_socket_set_msg_buf_size(sk, READ_SIZE);
	/* refusals come with text; dumps honour their filter.  Best effort. */
	setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_EXT_ACK, &one,
		   sizeof(one));
	setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_GET_STRICT_CHK,
		   &one, sizeof(one));
	return sk;
}

bool ovly_nl_no_module(struct err *e)
{
	return err_set(e, EXIT_UNAVAILABLE,
		       "the kernel module ovly is not loaded, load it with 'modprobe ovly'");
}

bool ovly_nl_resolve(struct ovly_nl *nl)
{
	nl->family = genl_ctrl_resolve(nl->genl, OVLY_GENL_NAME);
	if (nl->family <= 0) {
		nl->family = 0;
		return false;
	}
	nl->group = genl_ctrl_resolve_grp(nl->genl, OVLY_GENL_NAME,
					  OVLY_MCGRP_EVENTS);
	return true;
}

enum ovly_nl_news ovly_nl_news(struct nlmsghdr *hdr)
{
	struct genlmsghdr *genl = genlmsg_hdr(hdr);
	struct nlattr *name;

	if (hdr->nlmsg_type != GENL_ID_CTRL || !genlmsg_valid_hdr(hdr, 0))
		return OVLY_NL_NO_NEWS;
	name = nla_find(genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0),
			CTRL_ATTR_FAMILY_NAME);
	if (!name || nla_strcmp(name, OVLY_GENL_NAME))
		return OVLY_NL_NO_NEWS;
	if (genl->cmd == CTRL_CMD_DELFAMILY)
		return OVLY_NL_MODULE_GONE;
	return genl->cmd == CTRL_CMD_NEWFAMILY ? OVLY_NL_MODULE_BACK :
						 OVLY_NL_NO_NEWS;
}

bool ovly_nl_open(struct ovly_nl *nl, bool need_module, struct err *e)
{
	memset(nl, 0, sizeof(*nl));
	nl->genl = ovly_nl_socket(NETLINK_GENERIC, e);
	if (!nl->genl)
		return false;
	nl->rtnl = ovly_nl_socket(NETLINK_ROUTE, e);
	if (!nl->rtnl)
		goto err_close;
	if (!ovly_nl_resolve(nl) && need_module) {
		ovly_nl_no_module(e);
		goto err_close;
	}
	return true;

err_close:
	ovly_nl_close(nl);
	return false;
}

void ovly_nl_close(struct ovly_nl *nl)
{
	nl_socket_free(nl->genl);
	nl_socket_free(nl->rtnl);
	memset(nl, 0, sizeof(*nl));
}

struct nl_msg *ovly_nl_msg(const struct ovly_nl *nl, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(32 << 10);

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
				flags, (uint8_t)cmd, OVLY_GENL_VERSION)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

struct nl_msg *ovly_nl_raw(int type, int flags, const void *fixed, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)fixed, len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

struct exchange {
	ovly_nl_cb cb;
	void *arg;
	const struct nlmsghdr *request;
	struct ovly_nl_error *refusal;
	bool done;
};

/* A module puts its name before its words, which our sentences have already. */
static void read_text(const struct nlattr *nla, char *out, size_t size)
{
	static const char prefix[] = "ovly: ";

	nla_strlcpy(out, nla, size);
	if (!strncmp(out, prefix, sizeof(prefix) - 1))
		memmove(out, out + sizeof(prefix) - 1,
			strlen(out) - sizeof(prefix) + 2);
}

/* The attributes behind an error or ack: libnl 3.7 does not hand them over.
 * They follow the copy of the request, which is only its header when the
 * kernel capped it (always in an ack).
 */
static void read_extack(const struct nlmsghdr *hdr, struct exchange *x,
			struct ovly_nl_error *out)
{
	const struct nlmsgerr *nlerr = nlmsg_data(hdr);
	unsigned int miss_nest = 0;
	size_t off = sizeof(*nlerr);
	struct nlattr *nla;
	int rem;

	out->text[0] = '\0';
	out->attr[0] = '\0';
	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED)) {
		if (nlerr->msg.nlmsg_len < NLMSG_HDRLEN)
			return;
		off += NLMSG_ALIGN(nlerr->msg.nlmsg_len) - NLMSG_HDRLEN;
	}
	if (hdr->nlmsg_len < NLMSG_HDRLEN + off)
		return;
	nla_for_each_attr(nla, (struct nlattr *)((char *)nlerr + off),
			  (int)(hdr->nlmsg_len - NLMSG_HDRLEN - off), rem) {
		int type = nla_type(nla);

		if (type == NLMSGERR_ATTR_MSG) {
			read_text(nla, out->text, sizeof(out->text));
			continue;
		}
		if (nla_len(nla) < 4 ||
		    x->request->nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		if (type == NLMSGERR_ATTR_OFFS)
			ovly_msg_name_at(x->request, nla_get_u32(nla),
					 out->attr, sizeof(out->attr));
		else if (type == NLMSGERR_ATTR_MISS_NEST)
			miss_nest = nla_get_u32(nla);
		else if (type == NLMSGERR_ATTR_MISS_TYPE)
			ovly_msg_name_missing(x->request, miss_nest,
					      nla_get_u32(nla), out->attr,
					      sizeof(out->attr));
	}
}

static int on_error(struct sockaddr_nl *who, struct nlmsgerr *nlerr, void *arg)
{
	struct exchange *x = arg;

	(void)who;
	x->refusal->error = -nlerr->error;
	read_extack((struct nlmsghdr *)((char *)nlerr - NLMSG_HDRLEN), x,
		    x->refusal);
	x->done = true;
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct ovly_nl_error warning;
	struct exchange *x = arg;

	read_extack(nlmsg_hdr(msg), x, &warning);
	if (warning.text[0])
		log_warn("%s", warning.text);
	x->done = true;
	return NL_STOP;
}

static int on_finish(struct nl_msg *msg, void *arg)
{
	const struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct exchange *x = arg;

	/* a dump that failed half-way says so in its last message */
	if (hdr->nlmsg_len >= NLMSG_LENGTH(sizeof(int))) {
		int error = *(const int *)nlmsg_data(hdr);

		if (error < 0)
			x->refusal->error = -error;
	}
	x->done = true;
	return NL_STOP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	if (x->cb)
		x->cb(nlmsg_hdr(msg), x->arg);
	return NL_OK;
}

static int on_interrupted(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	(void)msg;
	x->refusal->interrupted = true;
	return NL_OK;
}

bool ovly_nl_request(struct nl_sock *sk, struct nl_msg *msg, ovly_nl_cb cb,
		     void *arg, struct ovly_nl_error *refusal)
{
	struct exchange x = { .cb = cb, .arg = arg, .refusal = refusal };
	struct nl_cb *handlers;
	int ret;

	memset(refusal, 0, sizeof(*refusal));
	handlers = msg ? nl_cb_alloc(NL_CB_DEFAULT) : NULL;
	if (!handlers) {
		nlmsg_free(msg);
		refusal->error = ENOMEM;
		return false;
	}
	nl_cb_err(handlers, NL_CB_CUSTOM, on_error, &x);
	nl_cb_set(handlers, NL_CB_ACK, NL_CB_CUSTOM, on_ack, &x);
	nl_cb_set(handlers, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, &x);
	nl_cb_set(handlers, NL_CB_VALID, NL_CB_CUSTOM, on_valid, &x);
	nl_cb_set(handlers, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, &x);

	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	x.request = nlmsg_hdr(msg);
	ret = nl_send_auto(sk, msg);
	/* libnl goes on after EINTR by itself, and nothing else is retried */
	while (ret >= 0 && !x.done)
		ret = nl_recvmsgs(sk, handlers);
	if (!x.done)
		refusal->error = ret == -NLE_NOMEM ? ENOBUFS : EIO;
	nl_cb_put(handlers);
	nlmsg_free(msg);
	return refusal->error == 0;
}

bool ovly_nl_err(struct err *e, const struct ovly_nl_error *refusal,
		 const char *fmt, ...)
{
	bool denied = refusal->error == EPERM || refusal->error == EACCES;
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	/* the kernel's own check of the capability comes without words */
	if (denied && !refusal->text[0])
		return err_set(e, EXIT_PERMISSION,
			       "%s: CAP_NET_ADMIN is needed, run it as root",
			       what);
	return err_set(e, denied ? EXIT_PERMISSION : EXIT_REFUSED,
		       "%s: %s%s%s%s", what,
		       refusal->text[0] ? refusal->text :
					  strerror(refusal->error),
		       refusal->attr[0] ? " (" : "", refusal->attr,
		       refusal->attr[0] ? ")" : "");
}

struct nl_sock *ovly_nl_subscriber(int protocol, struct err *e)
{
	struct nl_sock *sk = ovly_nl_socket(protocol, e);
	int size = SUBSCRIBER_RCVBUF;
	int fd;

	if (!sk)
		return NULL;
	fd = nl_socket_get_fd(sk);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	nl_socket_disable_seq_check(sk);
	nl_socket_set_nonblocking(sk);
	return sk;
}

bool ovly_nl_join(struct nl_sock *sk, int group, struct err *e)
{
	int ret = nl_socket_add_membership(sk, group);

	if (ret == -NLE_PERM)
		return err_set(e, EXIT_PERMISSION,
			       "cannot listen to events: CAP_NET_ADMIN is needed, run it as root");
	if (ret < 0)
		return err_set(e, EXIT_REFUSED, "cannot listen to events: %s",
			       nl_geterror(ret));
	return true;
}

/* Not nl_recvmsgs(): it maps ENOBUFS and ENOMEM to one number, and a lost
 * notification has to be told from a lack of memory.
 */
int ovly_nl_drain(struct nl_sock *sk, ovly_nl_cb cb, void *arg)
{
	static char buf[READ_SIZE] __attribute__((aligned(8)));
	int fd = nl_socket_get_fd(sk);

	for (;;) {
		struct nlmsghdr *hdr = (struct nlmsghdr *)buf;
		struct sockaddr_nl from = { 0 };
		socklen_t fromlen = sizeof(from);
		ssize_t n;
		int len;

		n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &fromlen);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		/* only the kernel is believed */
		if (n == 0 || from.nl_pid != 0)
			continue;
		for (len = (int)n; nlmsg_ok(hdr, len);
		     hdr = nlmsg_next(hdr, &len))
			if (cb && hdr->nlmsg_type >= NLMSG_MIN_TYPE)
				cb(hdr, arg);
	}
}

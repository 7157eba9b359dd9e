// SPDX-License-Identifier: GPL-2.0
/*
 * The rtnetlink client.
 *
 * The kernel exports no call that inserts a route, so routes go in the way user
 * space puts them in: as RTM_NEWROUTE messages on a NETLINK_ROUTE socket.  The
 * kernel end handles a message before sendmsg returns, in the context of the
 * sender, and answers only errors when no ack is asked for.  So one exchange is
 * send, then drain.  It takes RTNL: nothing here may be called with it held.
 */
#include "fib.h"

#include <linux/fib_rules.h>
#include <linux/net.h>
#include <linux/ovly.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/sock.h>

#include "compat.h"

/* A next hop: its header in a multipath route and the largest address. */
#define OVLY_FIB_NEXTHOP_MAX						\
	(sizeof(struct rtnexthop) +					\
	 nla_total_size(sizeof(struct rtvia) + sizeof(struct in6_addr)))

/* A route message: header, rtmsg, dst, table, priority, oif, next hops. */
#define OVLY_FIB_MSG_MAX						\
	(NLMSG_ALIGN(NLMSG_HDRLEN + sizeof(struct rtmsg)) +		\
	 nla_total_size(sizeof(struct in6_addr)) +			\
	 3 * nla_total_size(sizeof(u32)) +				\
	 nla_total_size(OVLY_OWNERS_MAX * OVLY_FIB_NEXTHOP_MAX))

/* What the messages of a batch have room in; those with one next hop are short.  More
 * than a page rtnetlink may have no memory for, and a deletion is not tried again.
 */
#define OVLY_FIB_BUFFER		SKB_WITH_OVERHEAD(4096)

/* A batch, in an skb. */
#define OVLY_FIB_SNDBUF		(4 * OVLY_FIB_BUFFER)

/* The echo of a request takes the memory of a whole skb. */
#define OVLY_FIB_RCVBUF		(OVLY_FIB_BATCH * 4096)

/* One error report: header, code and the request, or as much as there is. */
#define OVLY_FIB_ANSWER_MAX	1024

void ovly_fib_init(struct ovly_fib *fib, struct net *net)
{
	fib->net = net;
	mutex_init(&fib->lock);
	fib->sock = NULL;
	fib->answer = NULL;
	fib->seq = 0;
}

void ovly_fib_exit(struct ovly_fib *fib)
{
	if (fib->sock)
		sock_release(fib->sock);
	fib->sock = NULL;
	kfree(fib->answer);
	fib->answer = NULL;
}

static int ovly_fib_open(struct ovly_fib *fib)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct socket *sock;
	int err;

	lockdep_assert_held(&fib->lock);
	if (fib->sock)
		return 0;
	/* Beforehand: an answer that cannot be read is a result not known. */
	if (!fib->answer)
		fib->answer = kmalloc(OVLY_FIB_ANSWER_MAX, GFP_KERNEL);
	if (!fib->answer)
		return -ENOMEM;
	/* Takes no reference to the namespace; its exit closes the socket. */
	err = sock_create_kern(fib->net, PF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &sock);
	if (err)
		return err;
	/* Room for a batch, and for an answer to each message of it, whatever the
	 * host's defaults are: what became of one that is lost nobody knows.
	 */
	lock_sock(sock->sk);
	sock->sk->sk_userlocks |= SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK;
	WRITE_ONCE(sock->sk->sk_sndbuf, OVLY_FIB_SNDBUF);
	WRITE_ONCE(sock->sk->sk_rcvbuf, OVLY_FIB_RCVBUF);
	release_sock(sock->sk);
	/* It has a number that everybody sees: whoever administers the namespace could
	 * send it answers.
	 */
	err = ovly_compat_connect(sock, &kernel);
	if (err) {
		sock_release(sock);
		return err;
	}
	fib->sock = sock;
	return 0;
}

static int ovly_fib_send(struct ovly_fib *fib, struct sk_buff *msg)
{
	/* With the destination spelt out rtnetlink asks for the capability of
	 * the sender alone; a socket without a file has no opener to ask.
	 */
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr hdr = { .msg_name = &kernel, .msg_namelen = sizeof(kernel) };
	struct kvec vec = { .iov_base = msg->data, .iov_len = msg->len };
	int ret;

	ret = kernel_sendmsg(fib->sock, &hdr, &vec, 1, vec.iov_len);
	return ret < 0 ? ret : 0;
}

/* An error as the kernel has them, so that it fits into a pointer. */
static int ovly_fib_error(const struct nlmsghdr *nlh)
{
	int err = ((const struct nlmsgerr *)nlmsg_data(nlh))->error;

	return err > 0 || err < -MAX_ERRNO ? -EPROTO : err;
}

/* Notes the errors that were reported for the messages from @first on.
 * Returns an error if some may have been lost.
 */
static int ovly_fib_drain(struct ovly_fib *fib, u32 first, unsigned int n, int *errs)
{
	int ret, lost = 0;

	for (;;) {
		struct sockaddr_nl from = {};
		struct msghdr hdr = {
			.msg_name = &from, .msg_namelen = sizeof(from),
			.msg_flags = MSG_DONTWAIT,
		};
		struct kvec vec = { .iov_base = fib->answer, .iov_len = OVLY_FIB_ANSWER_MAX };
		const struct nlmsghdr *nlh = fib->answer;

		ret = kernel_recvmsg(fib->sock, &hdr, &vec, 1, vec.iov_len, MSG_DONTWAIT);
		/* Said once, before what is left in the queue. */
		if (ret == -ENOBUFS) {
			lost = ret;
			continue;
		}
		if (ret < 0)
			break;
		cond_resched();
		/* Sent before the socket was connected. */
		if (from.nl_pid)
			continue;
		/* The echoed request may be cut off; the code is before it. */
		if (ret < NLMSG_HDRLEN + (int)sizeof(int) || nlh->nlmsg_type != NLMSG_ERROR)
			continue;
		if (nlh->nlmsg_seq - first < n)
			errs[nlh->nlmsg_seq - first] = ovly_fib_error(nlh);
	}
	return ret == -EAGAIN ? lost : ret;
}

/* Sends @msg with @n messages numbered from @first. */
static int ovly_fib_exchange(struct ovly_fib *fib, struct sk_buff *msg, u32 first,
			     unsigned int n, int *errs)
{
	int err, lost;

	lockdep_assert_held(&fib->lock);
	err = ovly_fib_open(fib);
	if (err)
		return err;
	err = ovly_fib_send(fib, msg);
	lost = ovly_fib_drain(fib, first, n, errs);
	return err ?: lost;
}

static int ovly_fib_put_ip(struct sk_buff *msg, int type, const struct ovly_ip *ip)
{
	return nla_put(msg, type, ovly_ip_len(ip->family), &ip->v6);
}

static int ovly_fib_put_via(struct sk_buff *msg, const struct ovly_fib_route *route,
			    const struct ovly_ip *ip)
{
	struct rtvia *via;
	struct nlattr *nla;

	if (ip->family == route->dst.family)
		return ovly_fib_put_ip(msg, RTA_GATEWAY, ip);

	/* RFC 8950: an IPv4 prefix with an IPv6 next hop. */
	nla = nla_reserve(msg, RTA_VIA, sizeof(*via) + ovly_ip_len(ip->family));
	if (!nla)
		return -EMSGSIZE;
	via = nla_data(nla);
	via->rtvia_family = ip->family;
	memcpy(via->rtvia_addr, &ip->v6, ovly_ip_len(ip->family));
	return 0;
}

static int ovly_fib_put_multipath(struct sk_buff *msg, const struct ovly_fib_route *route)
{
	struct rtnexthop *rtnh;
	struct nlattr *nest;
	unsigned int i;

	nest = nla_nest_start_noflag(msg, RTA_MULTIPATH);
	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < route->n_via; i++) {
		rtnh = nla_reserve_nohdr(msg, sizeof(*rtnh));
		if (!rtnh)
			return -EMSGSIZE;
		memset(rtnh, 0, sizeof(*rtnh));
		rtnh->rtnh_ifindex = route->oif;
		rtnh->rtnh_flags = route->onlink ? RTNH_F_ONLINK : 0;
		if (ovly_fib_put_via(msg, route, &route->via[i]))
			return -EMSGSIZE;
		rtnh->rtnh_len = skb_tail_pointer(msg) - (unsigned char *)rtnh;
	}
	nla_nest_end(msg, nest);
	return 0;
}

/* Where the route leads to. */
static int ovly_fib_put_nexthops(struct sk_buff *msg, const struct ovly_fib_route *route)
{
	if (route->n_via > 1)
		return ovly_fib_put_multipath(msg, route);
	if (route->oif && nla_put_u32(msg, RTA_OIF, route->oif))
		return -EMSGSIZE;
	return route->n_via ? ovly_fib_put_via(msg, route, &route->via[0]) : 0;
}

/* What is deleted is named by prefix, metric and device: how it was put there may
 * have changed since.
 */
static int ovly_fib_put_device(struct sk_buff *msg, const struct ovly_fib_route *route)
{
	return route->oif ? nla_put_u32(msg, RTA_OIF, route->oif) : 0;
}

static u16 ovly_fib_flags(enum ovly_fib_op op)
{
	switch (op) {
	case OVLY_FIB_ADD:
		return NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
	case OVLY_FIB_REPLACE:
		return NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
	case OVLY_FIB_DEL:
		break;
	}
	return NLM_F_REQUEST;
}

/**
 * ovly_fib_put_route() - append a route message
 * @msg: where to
 * @seq: its number
 * @op: what to do with the route
 * @route: the route
 *
 * Return: 0, or -EMSGSIZE with @msg as it was
 */
int ovly_fib_put_route(struct sk_buff *msg, u32 seq, enum ovly_fib_op op,
		       const struct ovly_fib_route *route)
{
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;

	nlh = nlmsg_put(msg, 0, seq, op == OVLY_FIB_DEL ? RTM_DELROUTE : RTM_NEWROUTE,
			sizeof(*rtm), ovly_fib_flags(op));
	if (!nlh)
		return -EMSGSIZE;
	rtm = nlmsg_data(nlh);
	memset(rtm, 0, sizeof(*rtm));
	rtm->rtm_family = route->dst.family;
	rtm->rtm_dst_len = route->dst_len;
	rtm->rtm_table = route->table < 256 ? route->table : RT_TABLE_COMPAT;
	/* What stands where a throw route was displaced is somebody else's, and IPv6
	 * does not compare types.
	 */
	rtm->rtm_protocol = op == OVLY_FIB_DEL && route->type != RTN_THROW ? RTPROT_UNSPEC :
									      route->protocol;
	rtm->rtm_scope = op == OVLY_FIB_DEL ? RT_SCOPE_NOWHERE : route->scope;
	rtm->rtm_type = route->type;
	rtm->rtm_flags = route->onlink ? RTNH_F_ONLINK : 0;

	if (ovly_fib_put_ip(msg, RTA_DST, &route->dst) ||
	    nla_put_u32(msg, RTA_TABLE, route->table) ||
	    (route->metric && nla_put_u32(msg, RTA_PRIORITY, route->metric)) ||
	    (op == OVLY_FIB_DEL ? ovly_fib_put_device(msg, route) :
				  ovly_fib_put_nexthops(msg, route))) {
		nlmsg_cancel(msg, nlh);
		return -EMSGSIZE;
	}
	nlmsg_end(msg, nlh);
	return 0;
}

/**
 * ovly_fib_batch_new() - prepare to change many routes
 * @fib: the client
 * @done: called for every entry with its result, from ovly_fib_batch_add() when
 *	the batch is full and from ovly_fib_batch_commit()
 * @context: passed to @done
 *
 * Does not fail: what is in the table must be removable.
 *
 * Context: may sleep.
 */
struct ovly_fib_batch *ovly_fib_batch_new(struct ovly_fib *fib, ovly_fib_done_t done,
					  void *context)
{
	struct ovly_fib_batch *batch = kzalloc(sizeof(*batch), GFP_KERNEL | __GFP_NOFAIL);

	BUILD_BUG_ON(OVLY_FIB_BUFFER < OVLY_FIB_MSG_MAX);
	batch->msg = alloc_skb(OVLY_FIB_BUFFER, GFP_KERNEL | __GFP_NOFAIL);
	batch->fib = fib;
	batch->done = done;
	batch->context = context;
	return batch;
}

void ovly_fib_batch_free(struct ovly_fib_batch *batch)
{
	if (!batch)
		return;
	WARN_ON_ONCE(batch->n);
	kfree_skb(batch->msg);
	kfree(batch);
}

/**
 * ovly_fib_batch_commit() - send what is in the batch and report it
 * @batch: may be empty, and is afterwards
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_fib_batch_commit(struct ovly_fib_batch *batch)
{
	struct ovly_fib *fib = batch->fib;
	int errs[OVLY_FIB_BATCH] = {};
	unsigned int i, n = batch->n;
	struct nlmsghdr *nlh;
	int err;

	if (!n)
		return;
	if (batch->sending)
		batch->sending(batch->context);
	mutex_lock(&fib->lock);
	/* Numbered here, where no other exchange can come between. */
	nlh = nlmsg_hdr(batch->msg);
	for (i = 0; i < n; i++) {
		nlh->nlmsg_seq = fib->seq + i;
		nlh = (void *)nlh + NLMSG_ALIGN(nlh->nlmsg_len);
	}
	err = ovly_fib_exchange(fib, batch->msg, fib->seq, n, errs);
	fib->seq += n;
	mutex_unlock(&fib->lock);

	__skb_trim(batch->msg, 0);
	batch->n = 0;
	for (i = 0; i < n; i++)
		batch->done(batch->context, batch->entry[i], batch->op[i], err ?: errs[i]);
	cond_resched();
}

/**
 * ovly_fib_batch_add() - change a route
 * @batch: the batch; sent if full
 * @op: what to do
 * @route: the route, copied
 * @entry: passed to the batch's done()
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_fib_batch_add(struct ovly_fib_batch *batch, enum ovly_fib_op op,
			const struct ovly_fib_route *route, void *entry)
{
	int err;

	if (batch->n == OVLY_FIB_BATCH)
		ovly_fib_batch_commit(batch);
	err = ovly_fib_put_route(batch->msg, 0, op, route);
	if (err && batch->n) {
		ovly_fib_batch_commit(batch);
		err = ovly_fib_put_route(batch->msg, 0, op, route);
	}
	if (WARN_ON_ONCE(err)) {
		batch->done(batch->context, entry, op, err);
		return;
	}
	batch->entry[batch->n] = entry;
	batch->op[batch->n++] = op;
}

static int ovly_fib_exchange_one(struct ovly_fib *fib, struct sk_buff *msg)
{
	int err, result = 0;

	mutex_lock(&fib->lock);
	nlmsg_hdr(msg)->nlmsg_seq = fib->seq;
	err = ovly_fib_exchange(fib, msg, fib->seq, 1, &result);
	fib->seq++;
	mutex_unlock(&fib->lock);
	return err ?: result;
}

/**
 * ovly_fib_route() - change one route
 * @fib: the client
 * @op: what to do
 * @route: the route
 *
 * Context: may sleep, takes RTNL.
 * Return: 0 or what rtnetlink said
 */
int ovly_fib_route(struct ovly_fib *fib, enum ovly_fib_op op, const struct ovly_fib_route *route)
{
	struct sk_buff *msg = nlmsg_new(OVLY_FIB_MSG_MAX, GFP_KERNEL);
	int err;

	if (!msg)
		return -ENOMEM;
	err = ovly_fib_put_route(msg, 0, op, route);
	if (!err)
		err = ovly_fib_exchange_one(fib, msg);
	kfree_skb(msg);
	return err;
}

/**
 * ovly_fib_put_rule() - append a rule message
 * @msg: where to
 * @op: %OVLY_FIB_ADD or %OVLY_FIB_DEL
 * @family: AF_INET or AF_INET6
 * @table: the table
 *
 * Return: 0, or -EMSGSIZE with @msg as it was
 */
int ovly_fib_put_rule(struct sk_buff *msg, enum ovly_fib_op op, u8 family, u32 table)
{
	struct fib_rule_hdr *frh;
	struct nlmsghdr *nlh;

	nlh = nlmsg_put(msg, 0, 0, op == OVLY_FIB_DEL ? RTM_DELRULE : RTM_NEWRULE,
			sizeof(*frh), ovly_fib_flags(op));
	if (!nlh)
		return -EMSGSIZE;
	frh = nlmsg_data(nlh);
	memset(frh, 0, sizeof(*frh));
	frh->family = family;
	frh->action = FR_ACT_TO_TBL;
	frh->table = table < 256 ? table : RT_TABLE_COMPAT;
	if (nla_put_u32(msg, FRA_TABLE, table) || nla_put_u32(msg, FRA_PRIORITY, OVLY_RULE_PREF) ||
	    nla_put_u8(msg, FRA_PROTOCOL, OVLY_RTPROT)) {
		nlmsg_cancel(msg, nlh);
		return -EMSGSIZE;
	}
	nlmsg_end(msg, nlh);
	return 0;
}

/**
 * ovly_fib_rule() - add or delete "pref 220 lookup TABLE"
 * @fib: the client
 * @op: %OVLY_FIB_ADD or %OVLY_FIB_DEL
 * @family: AF_INET or AF_INET6
 * @table: the table
 *
 * The rule carries %OVLY_RTPROT, so that a rule of somebody else with the same
 * words (strongSwan makes one, and removes one when it stops) is another rule.
 *
 * Context: may sleep, takes RTNL.
 * Return: 0 or what rtnetlink said
 */
int ovly_fib_rule(struct ovly_fib *fib, enum ovly_fib_op op, u8 family, u32 table)
{
	struct sk_buff *msg;
	int err;

	msg = nlmsg_new(NLMSG_ALIGN(sizeof(struct fib_rule_hdr)) + nla_total_size(sizeof(u8)) +
			2 * nla_total_size(sizeof(u32)), GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = ovly_fib_put_rule(msg, op, family, table);
	if (!WARN_ON_ONCE(err))
		err = ovly_fib_exchange_one(fib, msg);
	kfree_skb(msg);
	return err;
}

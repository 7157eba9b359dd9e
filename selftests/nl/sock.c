// SPDX-License-Identifier: GPL-2.0-only
/* A netlink socket, and what the kernel calls the family there. */
#include "sock.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ovly.h>

#include "nla.h"

/* A batch of 100,000 routes is one message. */
#define SEND_BUFFER (64 << 20)

static const struct nlattr *find_in(const struct nlattr *nest, unsigned int type)
{
	return nest ? nla_find(nest + 1, nest->nla_len - sizeof(*nest), type) : NULL;
}

static int resolve(struct sock *sock)
{
	struct {
		struct nlmsghdr nlh;
		struct genlmsghdr genl;
		struct nlattr nla;
		char name[NLA_ALIGN(sizeof(OVLY_GENL_NAME))];
	} req = {
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.nla = { .nla_type = CTRL_ATTR_FAMILY_NAME,
			 .nla_len = sizeof(req.nla) + sizeof(OVLY_GENL_NAME) },
		.name = OVLY_GENL_NAME,
	};
	union {
		struct nlmsghdr nlh;
		char bytes[SMALL_BUFFER];
	} reply;
	const struct nlattr *id, *group;
	const char *attrs = reply.bytes + NLMSG_HDRLEN + GENL_HDRLEN;
	ssize_t n;
	size_t len;

	if (sock_send(sock, &req, sizeof(req), GENL_ID_CTRL, 0))
		return -1;
	n = sock_recv(sock, &reply, sizeof(reply));
	if (n < (ssize_t)(NLMSG_HDRLEN + GENL_HDRLEN))
		return -1;
	if (reply.nlh.nlmsg_type == NLMSG_ERROR) {
		errno = ENOENT;
		return -1;
	}
	len = (size_t)n - NLMSG_HDRLEN - GENL_HDRLEN;
	id = nla_find(attrs, len, CTRL_ATTR_FAMILY_ID);
	if (!id)
		return -1;
	memcpy(&sock->family, id + 1, sizeof(sock->family));
	/* There is one group. */
	group = find_in(find_in(nla_find(attrs, len, CTRL_ATTR_MCAST_GROUPS), 1),
			CTRL_ATTR_MCAST_GRP_ID);
	if (group)
		memcpy(&sock->group, group + 1, sizeof(sock->group));
	/* The acknowledgement of the question. */
	n = sock_recv(sock, &reply, sizeof(reply));
	return n < 0 ? -1 : 0;
}

int sock_adopt(struct sock *sock, int fd, bool rtnl)
{
	int one = 1, size = SEND_BUFFER;

	memset(sock, 0, sizeof(*sock));
	sock->fd = fd;
	setsockopt(sock->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(sock->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (setsockopt(sock->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(sock->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return rtnl ? 0 : resolve(sock);
}

int sock_open(struct sock *sock, bool rtnl)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
			rtnl ? NETLINK_ROUTE : NETLINK_GENERIC);

	return fd < 0 ? -1 : sock_adopt(sock, fd, rtnl);
}

void sock_close(struct sock *sock)
{
	close(sock->fd);
}

/* The smaller it is, the less of a dump the kernel makes in advance. */
int sock_receive_buffer(struct sock *sock, int bytes)
{
	return setsockopt(sock->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int sock_join(struct sock *sock)
{
	return setsockopt(sock->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &sock->group,
			  sizeof(sock->group));
}

/* @msg starts with room for a struct nlmsghdr. */
int sock_send(struct sock *sock, void *msg, size_t len, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = msg;
	ssize_t n;

	nlh->nlmsg_len = (uint32_t)len;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nlh->nlmsg_seq = ++sock->seq;
	do {
		n = send(sock->fd, msg, len, 0);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)len ? 0 : -1;
}

ssize_t sock_recv(struct sock *sock, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = recv(sock->fd, buf, size, MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	if (n > (ssize_t)size) {
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}

// SPDX-License-Identifier: GPL-2.0
#include "tests/nl_client.h"

#include <linux/if_link.h>
#include <linux/net.h>
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "netlink.h"

#define NL_CLIENT_SEQ	7

static struct socket *nl_client_socket(struct kunit *test, int protocol)
{
	struct socket *sock;
	int one = 1;

	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, PF_NETLINK, SOCK_RAW, protocol,
					       &sock), 0);
	KUNIT_ASSERT_EQ(test, sock->ops->setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK,
						    KERNEL_SOCKPTR(&one), sizeof(one)), 0);
	return sock;
}

struct nl_client *nl_client_open(struct kunit *test)
{
	struct nl_client *client = kunit_kzalloc(test, sizeof(*client), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client);
	client->sent = kunit_kzalloc(test, NL_CLIENT_BUFFER, GFP_KERNEL);
	client->buffer = kunit_kzalloc(test, NL_CLIENT_BUFFER, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client->sent);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client->buffer);
	client->genl = nl_client_socket(test, NETLINK_GENERIC);
	client->route = nl_client_socket(test, NETLINK_ROUTE);
	return client;
}

void nl_client_close(struct nl_client *client)
{
	sock_release(client->genl);
	sock_release(client->route);
}

struct sk_buff *nl_client_request(struct kunit *test, u8 cmd, u16 flags)
{
	struct sk_buff *msg = nlmsg_new(65536, GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, msg);
	genlmsg_put(msg, 0, NL_CLIENT_SEQ, &ovly_genl_family, NLM_F_REQUEST | NLM_F_ACK | flags,
		    cmd);
	return msg;
}

/* Type of the attribute at @offset of what was sent. */
static u16 nl_client_type_at(const struct nl_client *client, u32 offset)
{
	if (offset + NLA_HDRLEN > min(client->sent_len, NL_CLIENT_BUFFER))
		return 0;
	return nla_type(client->sent + offset);
}

/* What an error message says beside its code. */
static void nl_client_read_extack(struct nl_client *client, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *msg = nlmsg_data(nlh);
	size_t skip = sizeof(*msg);
	const struct nlattr *nla;
	int rem;

	client->err = msg->error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(msg->msg.nlmsg_len) - sizeof(msg->msg);
	nla_for_each_attr(nla, (const struct nlattr *)((const u8 *)msg + skip),
			  nlmsg_len(nlh) - skip, rem) {
		if (nla_type(nla) == NLMSGERR_ATTR_MSG)
			nla_strscpy(client->text, nla, sizeof(client->text));
		if (nla_type(nla) == NLMSGERR_ATTR_OFFS)
			client->bad_attr = nl_client_type_at(client, nla_get_u32(nla));
#ifdef NL_SET_ERR_ATTR_MISS
		if (nla_type(nla) == NLMSGERR_ATTR_MISS_TYPE)
			client->missing = nla_get_u32(nla);
		if (nla_type(nla) == NLMSGERR_ATTR_MISS_NEST)
			client->missing_in = nl_client_type_at(client, nla_get_u32(nla));
#endif
	}
}

static void nl_client_read_reply(struct nl_client *client, const struct nlmsghdr *nlh)
{
	const struct nlattr *nla;
	int rem;

	nla_for_each_attr(nla, genlmsg_data(nlmsg_data(nlh)), nlmsg_len(nlh) - GENL_HDRLEN, rem) {
		if (nla_type(nla) == OVLY_A_APPLIED)
			client->applied = nla_get_u32(nla);
		client->refused += nla_type(nla) == OVLY_A_REFUSED;
	}
}

/* The kernel has answered when it has taken the request. */
static int nl_client_exchange(struct kunit *test, struct nl_client *client, struct socket *sock,
			      struct sk_buff *msg)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr hdr = { .msg_name = &kernel, .msg_namelen = sizeof(kernel) };
	struct kvec vec = { .iov_base = msg->data, .iov_len = msg->len };
	const struct nlmsghdr *nlh = client->buffer;
	bool answered = false;
	int len;

	nlmsg_hdr(msg)->nlmsg_len = msg->len;
	client->sent_len = msg->len;
	memcpy(client->sent, msg->data, min_t(u32, msg->len, NL_CLIENT_BUFFER));
	client->err = 0;
	client->text[0] = 0;
	client->bad_attr = 0;
	client->missing = 0;
	client->missing_in = 0;
	client->applied = 0;
	client->refused = 0;
	KUNIT_ASSERT_EQ(test, kernel_sendmsg(sock, &hdr, &vec, 1, vec.iov_len), (int)msg->len);
	kfree_skb(msg);

	while (!answered) {
		hdr = (struct msghdr) { .msg_flags = MSG_DONTWAIT };
		vec = (struct kvec) { .iov_base = client->buffer, .iov_len = NL_CLIENT_BUFFER };
		len = kernel_recvmsg(sock, &hdr, &vec, 1, vec.iov_len, MSG_DONTWAIT);
		KUNIT_ASSERT_GT(test, len, NLMSG_HDRLEN);
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			nl_client_read_extack(client, nlh);
			answered = true;
		} else if (sock == client->genl) {
			nl_client_read_reply(client, nlh);
		}
	}
	return client->err;
}

int nl_client_send(struct kunit *test, struct nl_client *client, struct sk_buff *msg)
{
	return nl_client_exchange(test, client, client->genl, msg);
}

static struct sk_buff *nl_client_link(struct kunit *test, int type, int flags, const char *name)
{
	struct sk_buff *msg = nlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	struct nlmsghdr *nlh;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, msg);
	nlh = nlmsg_put(msg, 0, NL_CLIENT_SEQ, type, sizeof(struct ifinfomsg),
			NLM_F_REQUEST | NLM_F_ACK | flags);
	memset(nlmsg_data(nlh), 0, sizeof(struct ifinfomsg));
	nla_put_string(msg, IFLA_IFNAME, name);
	return msg;
}

int nl_client_new_device(struct kunit *test, struct nl_client *client, const char *name, u32 mode)
{
	struct sk_buff *msg = nl_client_link(test, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);
	struct nlattr *info, *data;

	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "ovly");
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u32(msg, OVLY_A_DEV_MODE, mode);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return nl_client_exchange(test, client, client->route, msg);
}

int nl_client_del_device(struct kunit *test, struct nl_client *client, const char *name)
{
	return nl_client_exchange(test, client, client->route,
				  nl_client_link(test, RTM_DELLINK, 0, name));
}

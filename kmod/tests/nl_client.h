/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_TESTS_NL_CLIENT_H
#define _OVLY_TESTS_NL_CLIENT_H

#include <kunit/test.h>
#include <linux/ovly.h>
#include <net/genetlink.h>

struct socket;

/* As much of a request as an answer may echo. */
#define NL_CLIENT_BUFFER	8192

/**
 * struct nl_client - user space, as the kernel sees it
 * @genl: generic-netlink socket in the first namespace
 * @route: rtnetlink socket there
 * @sent: the last request
 * @sent_len: its length
 * @buffer: what was received last
 * @err: what the last request was answered, 0 or a negative errno
 * @text: extack text of that, or empty
 * @bad_attr: type of the attribute that it blames, or 0
 * @missing: type of the attribute that it misses, or 0
 * @missing_in: type of the nest where it does, or 0 for the top
 * @applied: OVLY_A_APPLIED of it
 * @refused: number of its REFUSED nests
 */
struct nl_client {
	struct socket *genl;
	struct socket *route;
	void *sent;
	int sent_len;
	void *buffer;
	int err;
	char text[128];
	u16 bad_attr;
	u16 missing;
	u16 missing_in;
	u32 applied;
	u32 refused;
};

struct nl_client *nl_client_open(struct kunit *test);
void nl_client_close(struct nl_client *client);

/* A request to be filled and sent; nl_client_send() frees it. */
struct sk_buff *nl_client_request(struct kunit *test, u8 cmd, u16 flags);
int nl_client_send(struct kunit *test, struct nl_client *client, struct sk_buff *msg);

int nl_client_new_device(struct kunit *test, struct nl_client *client, const char *name, u32 mode);
int nl_client_del_device(struct kunit *test, struct nl_client *client, const char *name);

#endif /* _OVLY_TESTS_NL_CLIENT_H */

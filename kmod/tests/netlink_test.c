// SPDX-License-Identifier: GPL-2.0
/*
 * Every policy and every refusal of the family, as user space gets them: errno,
 * text, the attribute to blame, and nothing changed.
 */
#include <kunit/test.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

#include "device.h"
#include "net.h"
#include "tests/nl_client.h"
#include "tests/suites.h"

#define DEVICE	"ovt0"
#define MAX_ATTRS 4

/* Stands for an attribute of 65 and more letters. */
#define LONG_NAME ((const char *)1)

/**
 * struct attr - an attribute of a request
 * @nest: top-level nest that it is in, or 0 for none
 * @type: OVLY_A_*
 * @len: of @value or of the string, 0 for a u32
 * @value: if a u32, or an address
 * @string: or NULL
 */
struct attr {
	u16 nest;
	u16 type;
	u16 len;
	u32 value;
	const char *string;
};

#define U32(_nest, _type, _value)	{ OVLY_A_##_nest, OVLY_A_##_type, 0, _value, NULL }
#define STRING(_nest, _type, _string)	{ OVLY_A_##_nest, OVLY_A_##_type, 0, 0, _string }
#define BYTES(_nest, _type, _value, _len) { OVLY_A_##_nest, OVLY_A_##_type, _len, _value, NULL }
#define IPV4(_nest, _type, _value)	BYTES(_nest, _type, _value, 4)

/**
 * struct refusal - a request that is refused
 * @name: what is wrong
 * @cmd: OVLY_CMD_*
 * @flags: NLM_F_* beside REQUEST and ACK
 * @err: errno
 * @bad_attr: type of the attribute to blame, 0 if the request lacks one
 * @no_device: the request names no device
 * @attrs: those of the request, up to the first of type 0
 */
struct refusal {
	const char *name;
	u8 cmd;
	u16 flags;
	int err;
	u16 bad_attr;
	bool no_device;
	struct attr attrs[MAX_ATTRS];
};

/* There are the peers "a" 10.9.0.1, "b" 10.9.0.2 with a limit of 1, "c" without an
 * address, the path 7 of "a", and routes 10.1.0.0/16 of "a", 10.2.0.0/16 of "b".
 */
#define REFUSAL(_name, _cmd, _flags, _err, _bad, ...)				\
	{									\
		.name = _name, .cmd = OVLY_CMD_##_cmd, .flags = _flags, .err = _err,	\
		.bad_attr = OVLY_A_##_bad, .attrs = { __VA_ARGS__ },		\
	}

#define DST(_ip)	IPV4(ROUTE, ROUTE_DST, _ip)
#define LEN(_len)	U32(ROUTE, ROUTE_PREFIXLEN, _len)
#define IP_1	0x0a010000	/* 10.1.0.0 */
#define IP_2	0x0a020000	/* 10.2.0.0 */
#define IP_3	0x0a030000	/* 10.3.0.0 */

static const struct refusal refusals[] = {
	{ .name = "no device named", .cmd = OVLY_CMD_DEV_GET, .err = -EINVAL, .no_device = true },
	{
		.name = "no such device", .cmd = OVLY_CMD_DEV_GET, .err = -ENODEV,
		.no_device = true, .bad_attr = OVLY_A_IFNAME,
		.attrs = { STRING(UNSPEC, IFNAME, "nosuch0") },
	}, {
		.name = "not an overlay device", .cmd = OVLY_CMD_DEV_GET, .err = -EINVAL,
		.no_device = true, .bad_attr = OVLY_A_IFNAME,
		.attrs = { STRING(UNSPEC, IFNAME, "lo") },
	}, {
		.name = "index 0", .cmd = OVLY_CMD_DEV_GET, .err = -ERANGE,
		.no_device = true, .bad_attr = OVLY_A_IFINDEX,
		.attrs = { U32(UNSPEC, IFINDEX, 0) },
	},
	REFUSAL("unknown top-level attribute", DEV_GET, 0, -EINVAL, EVENT,
		U32(UNSPEC, EVENT, 1)),
	REFUSAL("dev set without attributes", DEV_SET, 0, -EINVAL, UNSPEC),
	REFUSAL("dev mode out of range", DEV_SET, 0, -ERANGE, DEV_MODE,
		U32(DEV, DEV_MODE, 2)),
	REFUSAL("dev mode changes", DEV_SET, 0, -EOPNOTSUPP, DEV_MODE,
		U32(DEV, DEV_MODE, OVLY_MODE_P2P)),
	REFUSAL("dev table 0", DEV_SET, 0, -ERANGE, DEV_TABLE, U32(DEV, DEV_TABLE, 0)),
	REFUSAL("dev table local", DEV_SET, 0, -EINVAL, DEV_TABLE, U32(DEV, DEV_TABLE, 255)),
	REFUSAL("dev table changes", DEV_SET, 0, -EOPNOTSUPP, DEV_TABLE,
		U32(DEV, DEV_TABLE, 99)),
	REFUSAL("dev src-valid out of range", DEV_SET, 0, -ERANGE, DEV_SRC_VALID,
		U32(DEV, DEV_SRC_VALID, 3)),
	REFUSAL("dev carrier-follows out of range", DEV_SET, 0, -ERANGE, DEV_CARRIER_FOLLOWS,
		U32(DEV, DEV_CARRIER_FOLLOWS, 2)),
	REFUSAL("dev mode too short", DEV_SET, 0, -EINVAL, DEV_MODE,
		BYTES(DEV, DEV_MODE, 0, 2)),
	REFUSAL("dev read-only attribute", DEV_SET, 0, -EINVAL, DEV_PEERS,
		U32(DEV, DEV_PEERS, 1)),

	REFUSAL("peer new without attributes", PEER_NEW, NLM_F_CREATE, -EINVAL, UNSPEC),
	REFUSAL("peer name taken", PEER_NEW, NLM_F_CREATE, -EEXIST, PEER,
		STRING(PEER, PEER_NAME, "a")),
	REFUSAL("peer not created", PEER_NEW, 0, -ENOENT, PEER, STRING(PEER, PEER_NAME, "new")),
	REFUSAL("peer not replaced", PEER_NEW, NLM_F_REPLACE, -ENOENT, PEER,
		STRING(PEER, PEER_NAME, "new")),
	REFUSAL("peer id chosen", PEER_NEW, NLM_F_CREATE, -EINVAL, PEER_ID,
		U32(PEER, PEER_ID, 5)),
	REFUSAL("peer name empty", PEER_NEW, NLM_F_CREATE, -EINVAL, PEER_NAME,
		STRING(PEER, PEER_NAME, "")),
	REFUSAL("peer name with a space", PEER_NEW, NLM_F_CREATE, -EINVAL, PEER_NAME,
		STRING(PEER, PEER_NAME, "two words")),
	REFUSAL("peer name too long", PEER_NEW, NLM_F_CREATE, -EINVAL, PEER_NAME,
		STRING(PEER, PEER_NAME, LONG_NAME)),
	REFUSAL("peer address of another", PEER_NEW, NLM_F_CREATE, -EEXIST, PEER,
		IPV4(PEER, PEER_ADDR, 0x0a090001)),
	REFUSAL("peer address twice", PEER_NEW, NLM_F_CREATE, -EINVAL, PEER,
		IPV4(PEER, PEER_ADDR, 0x0a090009), IPV4(PEER, PEER_ADDR, 0x0a090009)),
	REFUSAL("peer address multicast", PEER_NEW, NLM_F_CREATE, -EINVAL, PEER,
		IPV4(PEER, PEER_ADDR, 0xe0000001)),
	REFUSAL("peer address of 5 bytes", PEER_NEW, NLM_F_CREATE, -EINVAL, PEER_ADDR,
		BYTES(PEER, PEER_ADDR, 0x0a090009, 5)),
	REFUSAL("peer address of 3 bytes", PEER_NEW, NLM_F_CREATE, -EINVAL, PEER_ADDR,
		BYTES(PEER, PEER_ADDR, 0x0a090009, 3)),
	REFUSAL("peer on-down out of range", PEER_NEW, NLM_F_CREATE, -ERANGE, PEER_ON_DOWN,
		U32(PEER, PEER_ON_DOWN, 2)),
	REFUSAL("peer limit-action out of range", PEER_NEW, NLM_F_CREATE, -ERANGE,
		PEER_LIMIT_ACTION, U32(PEER, PEER_LIMIT_ACTION, 2)),
	REFUSAL("peer backup unknown", PEER_NEW, NLM_F_CREATE, -ENOENT, PEER_BACKUP_NAME,
		STRING(PEER, PEER_BACKUP_NAME, "nosuch")),
	REFUSAL("peer backup unknown by id", PEER_NEW, NLM_F_CREATE, -ENOENT, PEER_BACKUP_ID,
		U32(PEER, PEER_BACKUP_ID, 999)),
	REFUSAL("peer its own backup", PEER_SET, 0, -EINVAL, PEER,
		STRING(PEER, PEER_NAME, "a"), STRING(PEER, PEER_BACKUP_NAME, "a")),
	REFUSAL("peer read-only state", PEER_NEW, NLM_F_CREATE, -EINVAL, PEER_STATE,
		U32(PEER, PEER_STATE, 1)),
	REFUSAL("peer read-only last-rx", PEER_NEW, NLM_F_CREATE, -EINVAL, PEER_LAST_RX,
		BYTES(PEER, PEER_LAST_RX, 1, 8)),
	REFUSAL("peer set unknown", PEER_SET, 0, -ENOENT, PEER_NAME,
		STRING(PEER, PEER_NAME, "nosuch")),
	REFUSAL("peer set without a name", PEER_SET, 0, -EINVAL, PEER,
		U32(PEER, PEER_ON_DOWN, 1)),
	REFUSAL("peer del unknown", PEER_DEL, 0, -ENOENT, PEER_NAME,
		STRING(PEER, PEER_NAME, "nosuch")),
	REFUSAL("peer del id 0", PEER_DEL, 0, -ERANGE, PEER_ID, U32(PEER, PEER_ID, 0)),
	REFUSAL("peer del by a setting", PEER_DEL, 0, -EINVAL, PEER_ON_DOWN,
		U32(PEER, PEER_ON_DOWN, 1)),
	REFUSAL("peer get id and name of two", PEER_GET, 0, -ENOENT, PEER_ID,
		U32(PEER, PEER_ID, 999), STRING(PEER, PEER_NAME, "b")),

	REFUSAL("path new without attributes", PATH_NEW, NLM_F_CREATE, -EINVAL, UNSPEC),
	REFUSAL("path without if-id", PATH_NEW, NLM_F_CREATE, -EINVAL, PATH,
		STRING(PATH, PATH_PEER_NAME, "a")),
	REFUSAL("path without peer", PATH_NEW, NLM_F_CREATE, -EINVAL, PATH,
		U32(PATH, PATH_IF_ID_IN, 8)),
	REFUSAL("path if-id 0", PATH_NEW, NLM_F_CREATE, -ERANGE, PATH_IF_ID_IN,
		U32(PATH, PATH_IF_ID_IN, 0), STRING(PATH, PATH_PEER_NAME, "a")),
	REFUSAL("path if-id taken", PATH_NEW, NLM_F_CREATE, -EEXIST, PATH,
		U32(PATH, PATH_IF_ID_IN, 7), STRING(PATH, PATH_PEER_NAME, "a")),
	REFUSAL("path outbound if-id taken", PATH_NEW, NLM_F_CREATE, -EEXIST, PATH,
		U32(PATH, PATH_IF_ID_IN, 8), U32(PATH, PATH_IF_ID_OUT, 7),
		STRING(PATH, PATH_PEER_NAME, "a")),
	REFUSAL("path not created", PATH_NEW, 0, -ENOENT, PATH,
		U32(PATH, PATH_IF_ID_IN, 8), STRING(PATH, PATH_PEER_NAME, "a")),
	REFUSAL("path of unknown peer", PATH_NEW, NLM_F_CREATE, -ENOENT, PATH_PEER_NAME,
		U32(PATH, PATH_IF_ID_IN, 8), STRING(PATH, PATH_PEER_NAME, "nosuch")),
	REFUSAL("path endpoint multicast", PATH_NEW, NLM_F_CREATE, -EINVAL, PATH_ENDPOINT,
		U32(PATH, PATH_IF_ID_IN, 8), STRING(PATH, PATH_PEER_NAME, "a"),
		IPV4(PATH, PATH_ENDPOINT, 0xe0000001)),
	REFUSAL("path underlay unknown", PATH_NEW, NLM_F_CREATE, -ENODEV, PATH,
		U32(PATH, PATH_IF_ID_IN, 8), STRING(PATH, PATH_PEER_NAME, "a"),
		U32(PATH, PATH_UNDERLAY, 99999)),
	REFUSAL("path label with a space", PATH_NEW, NLM_F_CREATE, -EINVAL, PATH_LABEL,
		U32(PATH, PATH_IF_ID_IN, 8), STRING(PATH, PATH_PEER_NAME, "a"),
		STRING(PATH, PATH_LABEL, "two words")),
	REFUSAL("path read-only state", PATH_NEW, NLM_F_CREATE, -EINVAL, PATH_STATE,
		U32(PATH, PATH_IF_ID_IN, 8), STRING(PATH, PATH_PEER_NAME, "a"),
		U32(PATH, PATH_STATE, 2)),
	REFUSAL("path set unknown", PATH_SET, 0, -ENOENT, PATH,
		U32(PATH, PATH_IF_ID_IN, 8)),
	REFUSAL("path set other peer", PATH_SET, 0, -EINVAL, PATH,
		U32(PATH, PATH_IF_ID_IN, 7), STRING(PATH, PATH_PEER_NAME, "b")),
	REFUSAL("path set other outbound if-id", PATH_SET, 0, -EINVAL, PATH,
		U32(PATH, PATH_IF_ID_IN, 7), U32(PATH, PATH_IF_ID_OUT, 9)),
	REFUSAL("path del unknown", PATH_DEL, 0, -ENOENT, PATH, U32(PATH, PATH_IF_ID_IN, 8)),
	REFUSAL("path del by a label", PATH_DEL, 0, -EINVAL, PATH_LABEL,
		STRING(PATH, PATH_LABEL, "x")),

	REFUSAL("route new without attributes", ROUTE_NEW, NLM_F_CREATE, -EINVAL, UNSPEC),
	REFUSAL("route get without attributes", ROUTE_GET, 0, -EINVAL, UNSPEC),
	REFUSAL("route get by owner", ROUTE_GET, 0, -EINVAL, ROUTE_PEER_NAME,
		DST(IP_1), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("route get unknown", ROUTE_GET, 0, -ENOENT, ROUTE, DST(IP_3), LEN(16)),
	REFUSAL("route without length", ROUTE_NEW, NLM_F_CREATE, -EINVAL, ROUTE,
		IPV4(ROUTE, ROUTE_DST, IP_3), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("route without owner", ROUTE_NEW, NLM_F_CREATE, -EINVAL, ROUTE,
		DST(IP_3), LEN(16)),
	REFUSAL("route with host bits", ROUTE_NEW, NLM_F_CREATE, -EINVAL, ROUTE_DST,
		DST(IP_3), LEN(8), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("route longer than its address", ROUTE_NEW, NLM_F_CREATE, -EINVAL,
		ROUTE_PREFIXLEN, DST(IP_3), LEN(33), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("route longer than any address", ROUTE_NEW, NLM_F_CREATE, -ERANGE,
		ROUTE_PREFIXLEN, DST(IP_3), LEN(129), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("route of the module's protocol", ROUTE_NEW, NLM_F_CREATE, -EINVAL,
		ROUTE_PROTOCOL, DST(IP_3), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a"),
		U32(ROUTE, ROUTE_PROTOCOL, OVLY_RTPROT)),
	REFUSAL("route protocol 0", ROUTE_NEW, NLM_F_CREATE, -ERANGE, ROUTE_PROTOCOL,
		DST(IP_3), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a"),
		U32(ROUTE, ROUTE_PROTOCOL, 0)),
	REFUSAL("route of unknown peer", ROUTE_NEW, NLM_F_CREATE, -ENOENT, ROUTE_PEER_NAME,
		DST(IP_3), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "nosuch")),
	REFUSAL("route by unknown next hop", ROUTE_NEW, NLM_F_CREATE, -EHOSTUNREACH, ROUTE_VIA,
		DST(IP_3), LEN(16), IPV4(ROUTE, ROUTE_VIA, 0x0b000001)),
	REFUSAL("route there already", ROUTE_NEW, NLM_F_CREATE, -EEXIST, ROUTE,
		DST(IP_1), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("route of another", ROUTE_NEW, NLM_F_CREATE, -EEXIST, ROUTE,
		DST(IP_2), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("route joined twice", ROUTE_NEW, NLM_F_CREATE | NLM_F_APPEND, -EEXIST, ROUTE,
		DST(IP_1), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("route not created", ROUTE_NEW, 0, -ENOENT, ROUTE,
		DST(IP_3), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("route over the limit", ROUTE_NEW, NLM_F_CREATE, -ENOSPC, ROUTE,
		DST(IP_3), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "b")),
	REFUSAL("route moved over the limit", ROUTE_NEW, NLM_F_CREATE | NLM_F_REPLACE, -ENOSPC,
		ROUTE, DST(IP_1), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "b")),
	REFUSAL("route without next hop", ROUTE_NEW, NLM_F_CREATE, -EAFNOSUPPORT, ROUTE,
		DST(IP_3), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "c")),
	REFUSAL("route to a system address", ROUTE_NEW, NLM_F_CREATE | NLM_F_REPLACE, -EEXIST,
		ROUTE, DST(0x0a090002), LEN(32), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("route read-only flags", ROUTE_NEW, NLM_F_CREATE, -EINVAL, ROUTE_FLAGS,
		DST(IP_3), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a"),
		U32(ROUTE, ROUTE_FLAGS, 1)),
	REFUSAL("route del unknown", ROUTE_DEL, 0, -ENOENT, ROUTE, DST(IP_3), LEN(16)),
	REFUSAL("route del of another", ROUTE_DEL, 0, -ENOENT, ROUTE,
		DST(IP_2), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("route del of another protocol", ROUTE_DEL, 0, -ENOENT, ROUTE,
		DST(IP_2), LEN(16), U32(ROUTE, ROUTE_PROTOCOL, RTPROT_OSPF)),
	REFUSAL("route del of a system address", ROUTE_DEL, 0, -EBUSY, ROUTE,
		DST(0x0a090002), LEN(32)),
	REFUSAL("flush of unknown peer", ROUTE_FLUSH, 0, -ENOENT, ROUTE_PEER_NAME,
		STRING(ROUTE, ROUTE_PEER_NAME, "nosuch")),
	REFUSAL("flush by a prefix", ROUTE_FLUSH, 0, -EINVAL, ROUTE_DST,
		IPV4(ROUTE, ROUTE_DST, IP_1)),
	REFUSAL("flush of an odd family", ROUTE_FLUSH, 0, -ERANGE, ROUTE_FAMILY,
		U32(ROUTE, ROUTE_FAMILY, 99)),
	REFUSAL("flush of another family", ROUTE_FLUSH, 0, -EINVAL, ROUTE_FAMILY,
		U32(ROUTE, ROUTE_FAMILY, 3)),
	REFUSAL("route with an address of 5 bytes", ROUTE_NEW, NLM_F_CREATE, -EINVAL, ROUTE_DST,
		BYTES(ROUTE, ROUTE_DST, IP_3, 5), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	REFUSAL("sync end with a made-up cookie", ROUTE_SYNC_END, 0, -EINVAL, COOKIE,
		BYTES(UNSPEC, COOKIE, 0x7fffffff, 8)),
	REFUSAL("sync end with cookie 0", ROUTE_SYNC_END, 0, -EINVAL, COOKIE,
		BYTES(UNSPEC, COOKIE, 0, 8)),
	REFUSAL("route with a made-up cookie", ROUTE_NEW, NLM_F_CREATE, -EINVAL, COOKIE,
		DST(IP_3), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a"),
		BYTES(UNSPEC, COOKIE, 0x7fffffff, 8)),
	REFUSAL("route del with a cookie", ROUTE_DEL, 0, -EINVAL, COOKIE,
		DST(IP_2), LEN(16), BYTES(UNSPEC, COOKIE, 1, 8)),
	REFUSAL("flush with a cookie", ROUTE_FLUSH, 0, -EINVAL, COOKIE,
		BYTES(UNSPEC, COOKIE, 1, 8)),
	REFUSAL("sync end without a cookie", ROUTE_SYNC_END, 0, -EINVAL, UNSPEC),
};

static void refusal_name(const struct refusal *refusal, char *desc)
{
	strscpy(desc, refusal->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ovly_refusal, refusals, refusal_name);

static void put_attr(struct sk_buff *msg, const struct attr *attr)
{
	char text[OVLY_NAME_MAX + 3];
	__be32 ip[4] = { htonl(attr->value) };

	if (attr->string == LONG_NAME) {
		memset(text, 'x', sizeof(text) - 1);
		text[sizeof(text) - 1] = 0;
		nla_put_string(msg, attr->type, text);
	} else if (attr->string) {
		nla_put_string(msg, attr->type, attr->string);
	} else if (attr->len) {
		nla_put(msg, attr->type, attr->len, ip);
	} else {
		nla_put_u32(msg, attr->type, attr->value);
	}
}

static void put_attrs(struct sk_buff *msg, const struct attr *attrs)
{
	struct nlattr *nest = NULL;
	int i;

	for (i = 0; i < MAX_ATTRS && attrs[i].type; i++) {
		if (attrs[i].nest && !nest)
			nest = nla_nest_start(msg, attrs[i].nest);
		put_attr(msg, &attrs[i]);
	}
	if (nest)
		nla_nest_end(msg, nest);
}

static int request(struct kunit *test, u8 cmd, u16 flags, const struct attr attrs[MAX_ATTRS])
{
	struct sk_buff *msg = nl_client_request(test, cmd, flags);

	nla_put_string(msg, OVLY_A_IFNAME, DEVICE);
	put_attrs(msg, attrs);
	return nl_client_send(test, test->priv, msg);
}

#define REQUEST(_test, _cmd, _flags, ...)					\
	request(_test, OVLY_CMD_##_cmd, _flags,				\
		(const struct attr [MAX_ATTRS]) { __VA_ARGS__ })

static int netlink_test_init(struct kunit *test)
{
	struct nl_client *client = nl_client_open(test);

	test->priv = client;
	KUNIT_ASSERT_EQ(test, nl_client_new_device(test, client, DEVICE, OVLY_MODE_MULTIPOINT), 0);
	KUNIT_ASSERT_EQ(test, REQUEST(test, PEER_NEW, NLM_F_CREATE, STRING(PEER, PEER_NAME, "a"),
				      IPV4(PEER, PEER_ADDR, 0x0a090001)), 0);
	KUNIT_ASSERT_EQ(test, REQUEST(test, PEER_NEW, NLM_F_CREATE, STRING(PEER, PEER_NAME, "b"),
				      IPV4(PEER, PEER_ADDR, 0x0a090002),
				      U32(PEER, PEER_ROUTE_LIMIT, 1)), 0);
	KUNIT_ASSERT_EQ(test, REQUEST(test, PEER_NEW, NLM_F_CREATE,
				      STRING(PEER, PEER_NAME, "c")), 0);
	KUNIT_ASSERT_EQ(test, REQUEST(test, PATH_NEW, NLM_F_CREATE, U32(PATH, PATH_IF_ID_IN, 7),
				      STRING(PATH, PATH_PEER_NAME, "a")), 0);
	KUNIT_ASSERT_EQ(test, REQUEST(test, ROUTE_NEW, NLM_F_CREATE, DST(IP_1), LEN(16),
				      STRING(ROUTE, ROUTE_PEER_NAME, "a")), 0);
	KUNIT_ASSERT_EQ(test, REQUEST(test, ROUTE_NEW, NLM_F_CREATE, DST(IP_2), LEN(16),
				      STRING(ROUTE, ROUTE_PEER_NAME, "b")), 0);
	return 0;
}

static void netlink_test_exit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, nl_client_del_device(test, test->priv, DEVICE), 0);
	nl_client_close(test->priv);
}

static void is_refused_with_words_and_nothing_changes(struct kunit *test)
{
	const struct refusal *refusal = test->param_value;
	struct nl_client *client = test->priv;
	struct sk_buff *msg = nl_client_request(test, refusal->cmd, refusal->flags);
	int seq = atomic_read(&ovly_net(&init_net)->seq);

	if (!refusal->no_device)
		nla_put_string(msg, OVLY_A_IFNAME, DEVICE);
	put_attrs(msg, refusal->attrs);
	KUNIT_EXPECT_EQ(test, nl_client_send(test, client, msg), refusal->err);
	KUNIT_EXPECT_GT_MSG(test, strlen(client->text), (size_t)0, "no text");
	KUNIT_EXPECT_EQ_MSG(test, client->bad_attr, refusal->bad_attr, "'%s'", client->text);
	KUNIT_EXPECT_EQ(test, atomic_read(&ovly_net(&init_net)->seq), seq);
}

#define N_ROUTES 1000

static void a_batch_is_applied_entry_by_entry(struct kunit *test)
{
	struct nl_client *client = test->priv;
	struct sk_buff *msg = nl_client_request(test, OVLY_CMD_ROUTE_NEW, NLM_F_CREATE);
	int i;

	nla_put_string(msg, OVLY_A_IFNAME, DEVICE);
	for (i = 0; i < N_ROUTES; i++) {
		/* Each tenth is there already. */
		const struct attr attrs[MAX_ATTRS] = {
			DST(i % 10 ? 0x64000000 + (i << 8) : IP_1), LEN(i % 10 ? 24 : 16),
			STRING(ROUTE, ROUTE_PEER_NAME, "a"),
		};

		put_attrs(msg, attrs);
	}
	KUNIT_EXPECT_EQ(test, nl_client_send(test, client, msg), 0);
	KUNIT_EXPECT_EQ(test, client->applied, (u32)N_ROUTES * 9 / 10);
	/* In several messages. */
	KUNIT_EXPECT_EQ(test, client->refused, (u32)N_ROUTES / 10);
}

static void what_is_asked_for_is_done(struct kunit *test)
{
	struct nl_client *client = test->priv;

	KUNIT_EXPECT_EQ(test, REQUEST(test, PEER_SET, 0, STRING(PEER, PEER_NAME, "a"),
				      STRING(PEER, PEER_BACKUP_NAME, "b"),
				      U32(PEER, PEER_MARK, 7)), 0);
	KUNIT_EXPECT_EQ(test, REQUEST(test, PEER_NEW, NLM_F_CREATE | NLM_F_REPLACE,
				      STRING(PEER, PEER_NAME, "a"),
				      U32(PEER, PEER_BACKUP_ID, 0)), 0);
	KUNIT_EXPECT_EQ(test, REQUEST(test, PATH_SET, 0, U32(PATH, PATH_IF_ID_IN, 7),
				      U32(PATH, PATH_PRIORITY, 5)), 0);
	KUNIT_EXPECT_EQ(test, REQUEST(test, PATH_NEW, NLM_F_CREATE | NLM_F_REPLACE,
				      U32(PATH, PATH_IF_ID_IN, 7),
				      STRING(PATH, PATH_PEER_NAME, "b")), 0);
	KUNIT_EXPECT_EQ(test, REQUEST(test, ROUTE_NEW, NLM_F_CREATE | NLM_F_REPLACE,
				      DST(IP_2), LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a"),
				      STRING(ROUTE, ROUTE_PEER_NAME, "b")), 0);
	KUNIT_EXPECT_EQ(test, client->applied, 1u);
	KUNIT_EXPECT_EQ(test, REQUEST(test, ROUTE_DEL, 0, DST(IP_2), LEN(16),
				      STRING(ROUTE, ROUTE_PEER_NAME, "b")), 0);
	KUNIT_EXPECT_EQ(test, REQUEST(test, ROUTE_DEL, 0, DST(IP_2), LEN(16)), 0);
	KUNIT_EXPECT_EQ(test, REQUEST(test, ROUTE_FLUSH, 0,
				      STRING(ROUTE, ROUTE_PEER_NAME, "a")), 0);
	KUNIT_EXPECT_EQ(test, client->applied, 1u);
	KUNIT_EXPECT_EQ(test, REQUEST(test, PATH_DEL, 0, U32(PATH, PATH_IF_ID_IN, 7)), 0);
	KUNIT_EXPECT_EQ(test, REQUEST(test, PEER_DEL, 0, STRING(PEER, PEER_NAME, "b")), 0);
	KUNIT_EXPECT_EQ(test, REQUEST(test, DEV_RESYNC, 0), 0);
}

#ifdef NL_SET_ERR_ATTR_MISS
/**
 * struct lack - a request that lacks an attribute
 * @cmd: OVLY_CMD_*
 * @no_device: the request names no device
 * @missing: what it lacks
 * @missing_in: and in which nest, or 0
 * @attrs: those of the request, up to the first of type 0
 */
struct lack {
	u8 cmd;
	bool no_device;
	u16 missing;
	u16 missing_in;
	struct attr attrs[MAX_ATTRS];
};

#define LACK(_cmd, _in, _missing, ...)						\
	{									\
		.cmd = OVLY_CMD_##_cmd, .missing = OVLY_A_##_missing,		\
		.missing_in = OVLY_A_##_in, .attrs = { __VA_ARGS__ },		\
	}

static const struct lack lacks[] = {
	{ .cmd = OVLY_CMD_DEV_GET, .missing = OVLY_A_IFNAME, .no_device = true },
	LACK(DEV_SET, UNSPEC, DEV),
	LACK(PEER_NEW, UNSPEC, PEER),
	LACK(PEER_SET, PEER, PEER_NAME, U32(PEER, PEER_ON_DOWN, 1)),
	LACK(PATH_NEW, UNSPEC, PATH),
	LACK(PATH_NEW, PATH, PATH_IF_ID_IN, STRING(PATH, PATH_PEER_NAME, "a")),
	LACK(PATH_NEW, PATH, PATH_PEER_NAME, U32(PATH, PATH_IF_ID_IN, 8)),
	LACK(PATH_GET, UNSPEC, PATH),
	LACK(ROUTE_NEW, UNSPEC, ROUTE),
	LACK(ROUTE_NEW, ROUTE, ROUTE_DST, LEN(16), STRING(ROUTE, ROUTE_PEER_NAME, "a")),
	LACK(ROUTE_DEL, ROUTE, ROUTE_PREFIXLEN, DST(IP_1)),
	LACK(ROUTE_NEW, ROUTE, ROUTE_PEER_NAME, DST(IP_3), LEN(16)),
	LACK(ROUTE_SYNC_END, UNSPEC, COOKIE),
};

static void what_a_request_lacks_is_named(struct kunit *test)
{
	struct nl_client *client = test->priv;
	struct sk_buff *msg;
	int i;

	for (i = 0; i < ARRAY_SIZE(lacks); i++) {
		msg = nl_client_request(test, lacks[i].cmd, NLM_F_CREATE);
		if (!lacks[i].no_device)
			nla_put_string(msg, OVLY_A_IFNAME, DEVICE);
		put_attrs(msg, lacks[i].attrs);
		KUNIT_EXPECT_EQ_MSG(test, nl_client_send(test, client, msg), -EINVAL, "%d", i);
		KUNIT_EXPECT_EQ_MSG(test, client->missing, lacks[i].missing, "%d", i);
		KUNIT_EXPECT_EQ_MSG(test, client->missing_in, lacks[i].missing_in, "%d", i);
	}
	/* And nothing where nothing is missing. */
	KUNIT_EXPECT_EQ(test, REQUEST(test, PATH_DEL, 0, U32(PATH, PATH_IF_ID_IN, 8)), -ENOENT);
	KUNIT_EXPECT_EQ(test, client->missing, 0);
}
#endif

static struct kunit_case ovly_netlink_cases[] = {
	KUNIT_CASE_PARAM(is_refused_with_words_and_nothing_changes, ovly_refusal_gen_params),
	KUNIT_CASE(a_batch_is_applied_entry_by_entry),
	KUNIT_CASE(what_is_asked_for_is_done),
#ifdef NL_SET_ERR_ATTR_MISS
	KUNIT_CASE(what_a_request_lacks_is_named),
#endif
	{}
};

struct kunit_suite ovly_netlink_suite = {
	.name = "ovly_netlink",
	.init = netlink_test_init,
	.exit = netlink_test_exit,
	.test_cases = ovly_netlink_cases,
};

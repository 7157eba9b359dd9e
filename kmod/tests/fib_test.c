// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/fib_rules.h>
#include <linux/ovly.h>
#include <linux/rtnetlink.h>
#include <net/rtnh.h>
#include <net/netlink.h>

#include "fib.h"
#include "tests/fake.h"
#include "tests/suites.h"

static struct ovly_fib_route a_route(void)
{
	return (struct ovly_fib_route) {
		.dst = ovly_fake_ip(81, 81, 81, 0),
		.dst_len = 24,
		.table = 220,
		.oif = 7,
		.type = RTN_UNICAST,
		.scope = RT_SCOPE_LINK,
		.protocol = RTPROT_BIRD,
	};
}

/* Builds the message and parses it as rtnetlink would. */
static struct nlmsghdr *build(struct kunit *test, enum ovly_fib_op op,
			      const struct ovly_fib_route *route, struct nlattr *tb[RTA_MAX + 1])
{
	struct sk_buff *skb = alloc_skb(2048, GFP_KERNEL);
	struct nlmsghdr *copy;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, skb);
	KUNIT_ASSERT_EQ(test, ovly_fib_put_route(skb, 42, op, route), 0);
	copy = kunit_kzalloc(test, skb->len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	memcpy(copy, skb->data, skb->len);
	KUNIT_EXPECT_EQ(test, copy->nlmsg_len, skb->len);
	kfree_skb(skb);
	KUNIT_ASSERT_EQ(test, nlmsg_parse(copy, sizeof(struct rtmsg), tb, RTA_MAX, NULL, NULL), 0);
	return copy;
}

static void add_asks_to_create_exclusively(struct kunit *test)
{
	struct ovly_fib_route route = a_route();
	struct nlattr *tb[RTA_MAX + 1];
	struct nlmsghdr *nlh = build(test, OVLY_FIB_ADD, &route, tb);
	struct rtmsg *rtm = nlmsg_data(nlh);

	KUNIT_EXPECT_EQ(test, nlh->nlmsg_type, RTM_NEWROUTE);
	KUNIT_EXPECT_EQ(test, nlh->nlmsg_seq, 42u);
	KUNIT_EXPECT_EQ(test, nlh->nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
	KUNIT_EXPECT_EQ(test, rtm->rtm_family, AF_INET);
	KUNIT_EXPECT_EQ(test, rtm->rtm_dst_len, 24);
	KUNIT_EXPECT_EQ(test, rtm->rtm_scope, RT_SCOPE_LINK);
	KUNIT_EXPECT_EQ(test, rtm->rtm_protocol, RTPROT_BIRD);
	KUNIT_EXPECT_EQ(test, nla_get_u32(tb[RTA_TABLE]), 220u);
	KUNIT_EXPECT_EQ(test, nla_get_u32(tb[RTA_OIF]), 7u);
	KUNIT_EXPECT_NULL(test, tb[RTA_PRIORITY]);
	KUNIT_EXPECT_NULL(test, tb[RTA_GATEWAY]);
}

static void replace_never_asks_for_exclusive(struct kunit *test)
{
	struct ovly_fib_route route = a_route();
	struct nlattr *tb[RTA_MAX + 1];
	struct nlmsghdr *nlh = build(test, OVLY_FIB_REPLACE, &route, tb);

	KUNIT_EXPECT_EQ(test, nlh->nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE);
}

static void delete_names_prefix_metric_and_device_alone(struct kunit *test)
{
	struct ovly_fib_route route = a_route();
	struct nlattr *tb[RTA_MAX + 1];
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;

	route.metric = 32;
	route.via[route.n_via++] = ovly_fake_ip(10, 0, 0, 9);
	nlh = build(test, OVLY_FIB_DEL, &route, tb);
	rtm = nlmsg_data(nlh);
	KUNIT_EXPECT_EQ(test, rtm->rtm_protocol, RTPROT_UNSPEC);
	KUNIT_EXPECT_EQ(test, rtm->rtm_scope, RT_SCOPE_NOWHERE);
	KUNIT_EXPECT_NULL(test, tb[RTA_GATEWAY]);
	KUNIT_EXPECT_EQ(test, nlh->nlmsg_type, RTM_DELROUTE);
	KUNIT_EXPECT_EQ(test, nlh->nlmsg_flags, NLM_F_REQUEST);
	KUNIT_EXPECT_EQ(test, nla_get_u32(tb[RTA_PRIORITY]), 32u);
	KUNIT_EXPECT_EQ(test, nla_get_u32(tb[RTA_OIF]), 7u);
}

static void table_above_255_is_in_the_attribute(struct kunit *test)
{
	struct ovly_fib_route route = a_route();
	struct nlattr *tb[RTA_MAX + 1];
	struct rtmsg *rtm;

	route.table = 70000;
	rtm = nlmsg_data(build(test, OVLY_FIB_ADD, &route, tb));
	KUNIT_EXPECT_EQ(test, rtm->rtm_table, RT_TABLE_COMPAT);
	KUNIT_EXPECT_EQ(test, nla_get_u32(tb[RTA_TABLE]), 70000u);
}

static void gateway_of_the_family_is_onlink(struct kunit *test)
{
	struct ovly_fib_route route = a_route();
	struct nlattr *tb[RTA_MAX + 1];
	struct rtmsg *rtm;

	route.via[route.n_via++] = ovly_fake_ip(10, 0, 0, 9);
	route.onlink = true;
	route.scope = 17;
	rtm = nlmsg_data(build(test, OVLY_FIB_ADD, &route, tb));
	KUNIT_EXPECT_TRUE(test, rtm->rtm_flags & RTNH_F_ONLINK);
	KUNIT_EXPECT_EQ(test, rtm->rtm_scope, 17);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tb[RTA_GATEWAY]);
	KUNIT_EXPECT_TRUE(test, nla_get_in_addr(tb[RTA_GATEWAY]) == route.via[0].v4);
}

static void ipv6_next_hop_of_an_ipv4_prefix_is_a_via(struct kunit *test)
{
	struct in6_addr gw = { .s6_addr = { 0xfe, 0x80, [15] = 1 } };
	struct ovly_fib_route route = a_route();
	struct nlattr *tb[RTA_MAX + 1];
	struct rtvia *via;

	route.via[route.n_via++] = ovly_ip_v6(&gw);
	build(test, OVLY_FIB_ADD, &route, tb);
	KUNIT_EXPECT_NULL(test, tb[RTA_GATEWAY]);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tb[RTA_VIA]);
	via = nla_data(tb[RTA_VIA]);
	KUNIT_EXPECT_EQ(test, via->rtvia_family, AF_INET6);
	KUNIT_EXPECT_EQ(test, memcmp(via->rtvia_addr, &gw, sizeof(gw)), 0);
}

static void message_that_does_not_fit_leaves_nothing(struct kunit *test)
{
	struct ovly_fib_route route = a_route();
	struct sk_buff *skb = alloc_skb(40, GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, skb);
	skb_reserve(skb, skb_tailroom(skb) - 40);
	KUNIT_EXPECT_EQ(test, ovly_fib_put_route(skb, 1, OVLY_FIB_ADD, &route), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, skb->len, 0u);
	kfree_skb(skb);
}

static void several_next_hops_make_a_multipath_route(struct kunit *test)
{
	struct ovly_fib_route route = a_route();
	struct in6_addr gw = { .s6_addr = { 0xfd, [15] = 1 } };
	struct nlattr *tb[RTA_MAX + 1], *nla;
	const struct rtnexthop *rtnh;
	int rem, n = 0;

	route.onlink = true;
	route.via[route.n_via++] = ovly_fake_ip(10, 0, 0, 8);
	route.via[route.n_via++] = ovly_fake_ip(10, 0, 0, 9);
	route.via[route.n_via++] = ovly_ip_v6(&gw);
	build(test, OVLY_FIB_REPLACE, &route, tb);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tb[RTA_MULTIPATH]);
	KUNIT_EXPECT_NULL(test, tb[RTA_GATEWAY]);
	KUNIT_EXPECT_NULL(test, tb[RTA_OIF]);

	rtnh = nla_data(tb[RTA_MULTIPATH]);
	rem = nla_len(tb[RTA_MULTIPATH]);
	for (; rtnh_ok(rtnh, rem); rtnh = rtnh_next(rtnh, &rem), n++) {
		KUNIT_EXPECT_EQ(test, rtnh->rtnh_ifindex, 7);
		KUNIT_EXPECT_EQ(test, rtnh->rtnh_flags, RTNH_F_ONLINK);
		nla = nla_find(rtnh_attrs(rtnh), rtnh_attrlen(rtnh), n < 2 ? RTA_GATEWAY : RTA_VIA);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, nla);
		if (n < 2)
			KUNIT_EXPECT_TRUE(test, nla_get_in_addr(nla) == route.via[n].v4);
	}
	KUNIT_EXPECT_EQ(test, n, 3);
	KUNIT_EXPECT_EQ(test, rem, 0);

	build(test, OVLY_FIB_DEL, &route, tb);
	KUNIT_EXPECT_NULL(test, tb[RTA_MULTIPATH]);
	KUNIT_EXPECT_EQ(test, nla_get_u32(tb[RTA_OIF]), 7u);
}

/* The largest there is has to fit into an empty batch. */
static void the_largest_message_fits(struct kunit *test)
{
	struct ovly_fib_route route = a_route();
	struct in6_addr gw = { .s6_addr = { 0xfd, [15] = 1 } };
	struct nlattr *tb[RTA_MAX + 1];

	route.metric = 1;
	while (route.n_via < OVLY_OWNERS_MAX)
		route.via[route.n_via++] = ovly_ip_v6(&gw);
	build(test, OVLY_FIB_ADD, &route, tb);
}

static void a_rule_leads_to_the_table_and_is_the_modules(struct kunit *test)
{
	static const u32 tables[] = { 220, 1000 };
	struct nlattr *tb[FRA_MAX + 1];
	struct fib_rule_hdr *frh;
	struct nlmsghdr *nlh;
	struct sk_buff *skb;
	int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		enum ovly_fib_op op = i ? OVLY_FIB_DEL : OVLY_FIB_ADD;

		skb = alloc_skb(256, GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, skb);
		KUNIT_ASSERT_EQ(test, ovly_fib_put_rule(skb, op, AF_INET6, tables[i]), 0);
		nlh = nlmsg_hdr(skb);
		frh = nlmsg_data(nlh);
		KUNIT_EXPECT_EQ(test, nlmsg_parse(nlh, sizeof(*frh), tb, FRA_MAX, NULL, NULL), 0);
		KUNIT_EXPECT_EQ(test, nlh->nlmsg_type, i ? RTM_DELRULE : RTM_NEWRULE);
		KUNIT_EXPECT_EQ(test, nlh->nlmsg_flags,
				i ? NLM_F_REQUEST : NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
		KUNIT_EXPECT_EQ(test, frh->family, AF_INET6);
		KUNIT_EXPECT_EQ(test, frh->action, FR_ACT_TO_TBL);
		KUNIT_EXPECT_EQ(test, frh->table, i ? RT_TABLE_COMPAT : 220);
		KUNIT_EXPECT_EQ(test, nla_get_u32(tb[FRA_TABLE]), tables[i]);
		KUNIT_EXPECT_EQ(test, nla_get_u32(tb[FRA_PRIORITY]), (u32)OVLY_RULE_PREF);
		KUNIT_EXPECT_EQ(test, nla_get_u8(tb[FRA_PROTOCOL]), (u8)OVLY_RTPROT);
		kfree_skb(skb);
	}
}

static void a_rule_that_does_not_fit_leaves_nothing(struct kunit *test)
{
	unsigned int room;

	for (room = 0; room < NLMSG_HDRLEN + sizeof(struct fib_rule_hdr) + 24; room += 4) {
		struct sk_buff *skb = alloc_skb(512, GFP_KERNEL);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, skb);
		skb_reserve(skb, skb_tailroom(skb) - room);
		KUNIT_EXPECT_EQ(test, ovly_fib_put_rule(skb, OVLY_FIB_ADD, AF_INET, 220),
				-EMSGSIZE);
		KUNIT_EXPECT_EQ(test, skb->len, 0u);
		kfree_skb(skb);
	}
}

static struct kunit_case ovly_fib_cases[] = {
	KUNIT_CASE(add_asks_to_create_exclusively),
	KUNIT_CASE(replace_never_asks_for_exclusive),
	KUNIT_CASE(delete_names_prefix_metric_and_device_alone),
	KUNIT_CASE(table_above_255_is_in_the_attribute),
	KUNIT_CASE(gateway_of_the_family_is_onlink),
	KUNIT_CASE(several_next_hops_make_a_multipath_route),
	KUNIT_CASE(the_largest_message_fits),
	KUNIT_CASE(ipv6_next_hop_of_an_ipv4_prefix_is_a_via),
	KUNIT_CASE(message_that_does_not_fit_leaves_nothing),
	KUNIT_CASE(a_rule_leads_to_the_table_and_is_the_modules),
	KUNIT_CASE(a_rule_that_does_not_fit_leaves_nothing),
	{}
};

struct kunit_suite ovly_fib_suite = {
	.name = "ovly_fib",
	.test_cases = ovly_fib_cases,
};

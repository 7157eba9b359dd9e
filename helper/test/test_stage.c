// SPDX-License-Identifier: GPL-2.0-only
#include <linux/rtnetlink.h>

#include "test.h"

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "../stage.h"

static struct nl_msg *new_route(int type, int flags, const char *dst)
{
	struct ovly_prefix p = test_prefix(dst);
	struct rtmsg rtm = {
		.rtm_family = p.addr.family, .rtm_dst_len = p.len,
		.rtm_table = RT_TABLE_COMPAT, .rtm_protocol = RTPROT_BIRD,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	assert_non_null(msg);
	nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO);
	if (p.len)
		nla_put(msg, RTA_DST, (int)addr_bits(&p.addr) / 8, p.addr.b);
	nla_put_u32(msg, RTA_TABLE, 2220);
	return msg;
}

static void put_addr(struct nl_msg *msg, int attr, const char *s)
{
	struct ovly_addr a = test_addr(s);

	nla_put(msg, attr, (int)addr_bits(&a) / 8, a.b);
}

/* "81.81.81.1 via 166.34.121.112 dev ipsec0 proto bird metric 32" */
static void route_as_bird_exports_it(void **state)
{
	struct nl_msg *msg = new_route(RTM_NEWROUTE, NLM_F_REPLACE,
				       "81.81.81.1/32");
	struct ovly_staged r;
	char buf[PREFIX_STRLEN];

	(void)state;
	put_addr(msg, RTA_GATEWAY, "166.34.121.112");
	nla_put_u32(msg, RTA_OIF, 10);
	nla_put_u32(msg, RTA_PRIORITY, 32);
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_string_equal(prefix_str(&r.dst, buf), "81.81.81.1/32");
	assert_addr(&r.hop[0].gateway, "166.34.121.112");
	assert_int_equal(r.table, 2220);
	assert_int_equal(r.hop[0].oif, 10);
	assert_int_equal(r.metric, 32);
	assert_int_equal(r.protocol, RTPROT_BIRD);
	assert_int_equal(r.hops, 1);
	assert_false(r.del);
	assert_true(r.replace);
	assert_false(r.object);
	nla_put_u32(msg, RTA_NH_ID, 7);
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_true(r.object);
	nlmsg_free(msg);
}

static void default_routes_and_deletions(void **state)
{
	struct nl_msg *msg = new_route(RTM_DELROUTE, 0, "::/0");
	struct ovly_staged r;
	char buf[PREFIX_STRLEN];

	(void)state;
	put_addr(msg, RTA_GATEWAY, "2001:db8::1");
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_string_equal(prefix_str(&r.dst, buf), "::/0");
	assert_true(r.del);
	assert_false(r.replace);
	nlmsg_free(msg);
}

static void gateway_of_the_other_family(void **state)
{
	struct nl_msg *msg = new_route(RTM_NEWROUTE, 0, "10.0.0.0/8");
	struct ovly_addr six = test_addr("2001:db8::1");
	struct ovly_staged r;
	struct {
		uint16_t family;
		uint8_t addr[16];
	} via = { .family = AF_INET6 };

	(void)state;
	memcpy(via.addr, six.b, 16);
	nla_put(msg, RTA_VIA, sizeof(via), &via);
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_addr(&r.hop[0].gateway, "2001:db8::1");
	nlmsg_free(msg);
}

#define HOPS 20

/* 10.0.0.1 .. 10.0.0.N over devices 1 .. N; "dead" is one of them, or 0 */
static void put_multipath(struct nl_msg *msg, unsigned int n, unsigned int dead)
{
	struct {
		struct rtnexthop nh;
		struct nlattr nla;
		uint8_t addr[4];
	} hops[HOPS];
	unsigned int i;

	memset(hops, 0, sizeof(hops));
	for (i = 0; i < n; i++) {
		struct ovly_addr a = test_addr("10.0.0.0");

		a.b[3] = (uint8_t)(i + 1);
		hops[i].nh.rtnh_len = 16;
		hops[i].nh.rtnh_ifindex = (int)i + 1;
		hops[i].nh.rtnh_flags = i + 1 == dead ? RTNH_F_DEAD : 0;
		hops[i].nla.nla_len = 8;
		hops[i].nla.nla_type = RTA_GATEWAY;
		memcpy(hops[i].addr, a.b, 4);
	}
	nla_put(msg, RTA_MULTIPATH, (int)(n * sizeof(hops[0])), hops);
}

static void next_hops_of_a_multipath_route_are_read(void **state)
{
	struct nl_msg *msg = new_route(RTM_NEWROUTE, 0, "10.0.0.0/8");
	struct ovly_staged r;

	(void)state;
	put_multipath(msg, 3, 0);
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_int_equal(r.hops, 3);
	assert_int_equal(r.hop[0].oif, 1);
	assert_addr(&r.hop[0].gateway, "10.0.0.1");
	assert_int_equal(r.hop[2].oif, 3);
	assert_addr(&r.hop[2].gateway, "10.0.0.3");
	assert_false(r.replace);
	nlmsg_free(msg);
}

static void dead_next_hops_are_left_out(void **state)
{
	struct nl_msg *msg = new_route(RTM_NEWROUTE, 0, "10.0.0.0/8");
	struct ovly_staged r;

	(void)state;
	put_multipath(msg, 2, 1);
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_int_equal(r.hops, 1);
	assert_addr(&r.hop[0].gateway, "10.0.0.2");
	/* a deletion is of all of them */
	nlmsg_hdr(msg)->nlmsg_type = RTM_DELROUTE;
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_int_equal(r.hops, 2);
	nlmsg_free(msg);
	/* without any it leads nowhere */
	msg = new_route(RTM_NEWROUTE, 0, "10.0.0.0/8");
	put_multipath(msg, 1, 1);
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_int_equal(r.hops, 0);
	assert_false(r.leads);
	nlmsg_free(msg);
}

static void too_many_next_hops_are_counted(void **state)
{
	struct nl_msg *msg = new_route(RTM_NEWROUTE, 0, "10.0.0.0/8");
	struct ovly_staged r;

	(void)state;
	put_multipath(msg, HOPS, 0);
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_int_equal(r.hops, HOPS);
	assert_addr(&r.hop[OVLY_OWNERS_MAX - 1].gateway, "10.0.0.16");
	nlmsg_free(msg);
}

/* the kernel's news of a next hop that joins others hold all of them */
static void joined_next_hop_of_ipv6_replaces(void **state)
{
	struct nl_msg *msg = new_route(RTM_NEWROUTE, 0, "2001:db8::/32");
	struct ovly_staged r;

	(void)state;
	put_multipath(msg, 2, 0);
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_true(r.replace);
	nlmsg_free(msg);
}

static void what_is_no_route_of_ip_is_left(void **state)
{
	struct nl_msg *msg = new_route(RTM_NEWROUTE, 0, "10.0.0.0/8");
	struct rtmsg *rtm = nlmsg_data(nlmsg_hdr(msg));
	struct ovly_staged r;

	(void)state;
	/* What a route turns into is news, too. */
	rtm->rtm_type = RTN_BLACKHOLE;
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_false(r.leads);
	rtm->rtm_type = RTN_UNICAST;
	assert_true(ovly_stage_parse(nlmsg_hdr(msg), &r));
	assert_true(r.leads);
	rtm->rtm_flags = RTM_F_CLONED;
	assert_false(ovly_stage_parse(nlmsg_hdr(msg), &r));
	rtm->rtm_flags = 0;
	rtm->rtm_dst_len = 33;
	assert_false(ovly_stage_parse(nlmsg_hdr(msg), &r));
	rtm->rtm_dst_len = 8;
	rtm->rtm_family = AF_BRIDGE;
	assert_false(ovly_stage_parse(nlmsg_hdr(msg), &r));
	nlmsg_hdr(msg)->nlmsg_type = RTM_NEWLINK;
	assert_false(ovly_stage_parse(nlmsg_hdr(msg), &r));
	nlmsg_free(msg);
}

static void cut_messages_do_no_harm(void **state)
{
	struct nl_msg *msg = new_route(RTM_NEWROUTE, 0, "10.0.0.0/8");
	struct rtnexthop nh = { .rtnh_len = 200 };
	struct ovly_staged r;
	uint32_t len, n;

	(void)state;
	nla_put(msg, RTA_MULTIPATH, sizeof(nh), &nh);
	len = nlmsg_hdr(msg)->nlmsg_len;
	for (n = 16; n <= len; n++) {
		struct nlmsghdr *cut = malloc(n);

		memcpy(cut, nlmsg_hdr(msg), n);
		cut->nlmsg_len = n;
		ovly_stage_parse(cut, &r);
		free(cut);
	}
	nlmsg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(route_as_bird_exports_it),
		cmocka_unit_test(default_routes_and_deletions),
		cmocka_unit_test(gateway_of_the_other_family),
		cmocka_unit_test(next_hops_of_a_multipath_route_are_read),
		cmocka_unit_test(dead_next_hops_are_left_out),
		cmocka_unit_test(too_many_next_hops_are_counted),
		cmocka_unit_test(joined_next_hop_of_ipv6_replaces),
		cmocka_unit_test(what_is_no_route_of_ip_is_left),
		cmocka_unit_test(cut_messages_do_no_harm),
	};

	return SUITE(tests);
}

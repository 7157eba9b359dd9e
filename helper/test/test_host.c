// SPDX-License-Identifier: GPL-2.0-only
/* What rtnetlink and XFRM say about the host, and lists that grow. */
#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>

#include "test.h"

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "../host.h"

static struct nl_msg *start(int type, const void *fixed, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, 0);

	assert_non_null(msg);
	nlmsg_append(msg, (void *)fixed, len, NLMSG_ALIGNTO);
	return msg;
}

static void put_addr(struct nl_msg *msg, int attr, const char *s)
{
	struct ovly_addr a = test_addr(s);

	nla_put(msg, attr, (int)addr_bits(&a) / 8, a.b);
}

static void rule_with_everything(void **state)
{
	const struct fib_rule_hdr frh = {
		.family = AF_INET, .src_len = 24, .table = RT_TABLE_UNSPEC,
		.action = FR_ACT_TO_TBL, .flags = FIB_RULE_INVERT,
	};
	struct nl_msg *msg = start(RTM_NEWRULE, &frh, sizeof(frh));
	struct host_rule r;
	char buf[PREFIX_STRLEN];

	(void)state;
	put_addr(msg, FRA_SRC, "192.168.1.0");
	nla_put_u32(msg, FRA_PRIORITY, 220);
	nla_put_u32(msg, FRA_TABLE, 2220);
	nla_put_u32(msg, FRA_FWMARK, 5);
	nla_put_u32(msg, FRA_FWMASK, 7);
	nla_put_u32(msg, FRA_SUPPRESS_PREFIXLEN, 0);
	nla_put_string(msg, FRA_IIFNAME, "lan0");
	assert_true(host_rule_parse(nlmsg_hdr(msg), &r));
	assert_string_equal(prefix_str(&r.src, buf), "192.168.1.0/24");
	assert_int_equal(r.dst.len, 0);
	assert_int_equal(r.pref, 220);
	assert_int_equal(r.table, 2220);
	assert_int_equal(r.mark, 5);
	assert_int_equal(r.mask, 7);
	assert_int_equal(r.suppress, 0);
	assert_string_equal(r.iifname, "lan0");
	assert_true(r.invert);
	assert_false(r.narrow);
	nla_put_u8(msg, FRA_IP_PROTO, 17);
	assert_true(host_rule_parse(nlmsg_hdr(msg), &r));
	assert_true(r.narrow);
	nlmsg_free(msg);
}

static void rule_as_ip_rule_makes_it(void **state)
{
	struct fib_rule_hdr frh = { .family = AF_INET6, .table = 220,
				    .action = FR_ACT_TO_TBL };
	struct nl_msg *msg = start(RTM_NEWRULE, &frh, sizeof(frh));
	struct host_rule r;

	(void)state;
	assert_true(host_rule_parse(nlmsg_hdr(msg), &r));
	assert_int_equal(r.suppress, -1);
	nla_put_u32(msg, FRA_SUPPRESS_PREFIXLEN, 0xffffffff);
	assert_true(host_rule_parse(nlmsg_hdr(msg), &r));
	assert_int_equal(r.suppress, -1);
	assert_int_equal(r.table, 220);
	nlmsg_free(msg);
	/* impossible, and multicast routing's */
	frh.dst_len = 129;
	msg = start(RTM_NEWRULE, &frh, sizeof(frh));
	assert_false(host_rule_parse(nlmsg_hdr(msg), &r));
	nlmsg_free(msg);
	frh.family = 128;
	msg = start(RTM_NEWRULE, &frh, sizeof(frh));
	assert_false(host_rule_parse(nlmsg_hdr(msg), &r));
	nlmsg_free(msg);
	msg = start(RTM_NEWRULE, &frh, 2);
	assert_false(host_rule_parse(nlmsg_hdr(msg), &r));
	nlmsg_free(msg);
}

static void links_that_matter(void **state)
{
	static const struct { const char *kind; int attr; } kinds[] = {
		{ "xfrm", IFLA_XFRM_IF_ID }, { "vrf", IFLA_VRF_TABLE },
		{ "gre", 1 },
	};
	const struct ifinfomsg ifi = { .ifi_index = 9 };
	struct host_link l;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct nl_msg *msg = start(RTM_NEWLINK, &ifi, sizeof(ifi));
		struct nlattr *info, *data;

		nla_put_string(msg, IFLA_IFNAME, "x0");
		info = nla_nest_start(msg, IFLA_LINKINFO);
		nla_put_string(msg, IFLA_INFO_KIND, kinds[i].kind);
		data = nla_nest_start(msg, IFLA_INFO_DATA);
		nla_put_u32(msg, kinds[i].attr, 7);
		nla_nest_end(msg, data);
		nla_nest_end(msg, info);
		assert_true(host_link_parse(nlmsg_hdr(msg), &l));
		assert_string_equal(l.link.name, "x0");
		assert_int_equal(l.xfrm_if_id, i == 0 ? 7 : 0);
		assert_int_equal(l.vrf_table, i == 1 ? 7 : 0);
		nlmsg_free(msg);
	}
}

/* The answer to a lookup is marked as cloned, and no bridge wants those. */
static void answer_to_a_lookup(void **state)
{
	const struct rtmsg rtm = {
		.rtm_family = AF_INET, .rtm_dst_len = 32,
		.rtm_type = RTN_UNICAST, .rtm_table = RT_TABLE_COMPAT,
		.rtm_flags = RTM_F_CLONED,
	};
	struct nl_msg *msg = start(RTM_NEWROUTE, &rtm, sizeof(rtm));
	struct host_route r;

	(void)state;
	put_addr(msg, RTA_DST, "81.81.81.1");
	put_addr(msg, RTA_PREFSRC, "10.122.144.146");
	nla_put_u32(msg, RTA_TABLE, 2220);
	nla_put_u32(msg, RTA_OIF, 7);
	assert_true(host_route_parse(nlmsg_hdr(msg), &r));
	assert_int_equal(r.table, 2220);
	assert_int_equal(r.oif, 7);
	assert_int_equal(r.type, RTN_UNICAST);
	assert_addr(&r.prefsrc, "10.122.144.146");
	nlmsg_free(msg);
}

static void set_addr(xfrm_address_t *x, const char *s)
{
	struct ovly_addr a = test_addr(s);

	memcpy(x, a.b, addr_bits(&a) / 8);
}

static void policies(void **state)
{
	struct xfrm_userpolicy_info info = {
		.sel = { .family = AF_INET, .prefixlen_s = 27 },
		.dir = XFRM_POLICY_OUT, .priority = 399,
	};
	struct xfrm_user_tmpl tmpl = { .family = AF_INET, .reqid = 4,
				       .mode = XFRM_MODE_TUNNEL };
	const struct xfrm_mark mark = { .v = 1, .m = 3 };
	const struct xfrm_userpolicy_type sub = { .type = XFRM_POLICY_TYPE_SUB };
	struct host_policy p;
	char buf[PREFIX_STRLEN];
	struct nl_msg *msg;

	(void)state;
	set_addr(&info.sel.saddr, "10.122.144.128");
	set_addr(&tmpl.saddr, "192.0.2.1");
	set_addr(&tmpl.id.daddr, "198.51.100.2");
	msg = start(XFRM_MSG_NEWPOLICY, &info, sizeof(info));
	nla_put(msg, XFRMA_TMPL, sizeof(tmpl), &tmpl);
	nla_put(msg, XFRMA_MARK, sizeof(mark), &mark);
	nla_put_u32(msg, XFRMA_IF_ID, 7);
	assert_true(host_policy_parse(nlmsg_hdr(msg), &p));
	assert_string_equal(prefix_str(&p.src, buf), "10.122.144.128/27");
	assert_string_equal(prefix_str(&p.dst, buf), "0.0.0.0/0");
	assert_true(p.tmpl && p.tunnel && !p.optional && !p.ports);
	assert_int_equal(p.reqid, 4);
	assert_int_equal(p.if_id, 7);
	assert_int_equal(p.mark, 1);
	assert_int_equal(p.mask, 3);
	assert_int_equal(p.priority, 399);
	assert_addr(&p.tmpl_dst, "198.51.100.2");
	nla_put(msg, XFRMA_POLICY_TYPE, sizeof(sub), &sub);
	assert_false(host_policy_parse(nlmsg_hdr(msg), &p));
	nlmsg_free(msg);
	info.sel.prefixlen_s = 33;
	msg = start(XFRM_MSG_NEWPOLICY, &info, sizeof(info));
	assert_false(host_policy_parse(nlmsg_hdr(msg), &p));
	nlmsg_free(msg);
	msg = start(XFRM_MSG_NEWPOLICY, &info, 8);
	assert_false(host_policy_parse(nlmsg_hdr(msg), &p));
	nlmsg_free(msg);
}

static void sas(void **state)
{
	struct xfrm_usersa_info info = {
		.family = AF_INET, .reqid = 4, .mode = XFRM_MODE_TUNNEL,
		.id = { .spi = htonl(0x1234), .proto = IPPROTO_ESP },
		.curlft.add_time = 1700000000,
	};
	struct xfrm_algo_aead aead = { .alg_name = "rfc4106(gcm(aes))" };
	const struct xfrm_encap_tmpl encap = { 0 };
	char unended[80];
	struct host_sa sa;
	struct nl_msg *msg;

	(void)state;
	set_addr(&info.saddr, "192.0.2.1");
	set_addr(&info.id.daddr, "198.51.100.2");
	msg = start(XFRM_MSG_NEWSA, &info, sizeof(info));
	nla_put(msg, XFRMA_ALG_AEAD, sizeof(aead), &aead);
	nla_put(msg, XFRMA_ENCAP, sizeof(encap), &encap);
	nla_put_u32(msg, XFRMA_IF_ID, 7);
	assert_true(host_sa_parse(nlmsg_hdr(msg), &sa));
	assert_int_equal(sa.spi, 0x1234);
	assert_int_equal(sa.added, 1700000000);
	assert_true(sa.esp && sa.tunnel && sa.udp);
	assert_int_equal(sa.if_id, 7);
	assert_string_equal(sa.cipher, "rfc4106(gcm(aes))");
	assert_int_equal(sa.set_mask, 0);
	nla_put_u32(msg, XFRMA_SET_MARK, 0x10);
	nla_put_u32(msg, XFRMA_SET_MARK_MASK, 0xf0);
	assert_true(host_sa_parse(nlmsg_hdr(msg), &sa));
	assert_int_equal(sa.set_mark, 0x10);
	assert_int_equal(sa.set_mask, 0xf0);
	assert_addr(&sa.dst, "198.51.100.2");
	nlmsg_free(msg);
	/* a name without its end */
	memset(unended, 'x', sizeof(unended));
	msg = start(XFRM_MSG_NEWSA, &info, sizeof(info));
	nla_put(msg, XFRMA_ALG_AUTH, sizeof(unended), unended);
	assert_true(host_sa_parse(nlmsg_hdr(msg), &sa));
	assert_int_equal(strlen(sa.auth), 63);
	nlmsg_free(msg);
	msg = start(XFRM_MSG_NEWSA, &info, 16);
	assert_false(host_sa_parse(nlmsg_hdr(msg), &sa));
	nlmsg_free(msg);
}

static void lists_grow_and_keep_what_is_there(void **state)
{
	struct host host = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		struct host_rule *r = host_grow(&host, &host.rule, &host.rules,
						sizeof(*r));

		assert_non_null(r);
		assert_int_equal(r->pref, 0);
		r->pref = i + 1;
	}
	assert_int_equal(host.rules, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(host.rule[i].pref, i + 1);
	host_free(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_with_everything),
		cmocka_unit_test(rule_as_ip_rule_makes_it),
		cmocka_unit_test(links_that_matter),
		cmocka_unit_test(answer_to_a_lookup),
		cmocka_unit_test(policies),
		cmocka_unit_test(sas),
		cmocka_unit_test(lists_grow_and_keep_what_is_there),
	};

	return SUITE(tests);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Each check says what is broken, and nothing where nothing is. */
#include "test.h"

#include "../doctor.h"
#include "fake_host.h"

#define CONF "/etc/strongswan.conf"
#define GOOD_CONF \
	"charon {\n install_routes = no\n install_virtual_ip = no\n process_route = no\n}\n"

static int64_t fake_now;
static bool fake_synced;
static const char *fake_ruleset;
static struct doctor_daemon fake_daemon[4];
static unsigned int fake_daemons;

static int64_t now(void)
{
	return fake_now;
}

static bool synced(void)
{
	return fake_synced;
}

static void no_glob(const char *pattern,
		    void (*cb)(const char *path, void *arg), void *arg)
{
	(void)pattern;
	(void)cb;
	(void)arg;
}

static json_t *ruleset(void)
{
	return fake_ruleset ? json_loads(fake_ruleset, 0, NULL) : NULL;
}

static void daemons(struct doctor *d)
{
	memcpy(d->daemon, fake_daemon, sizeof(fake_daemon));
	d->daemons = fake_daemons;
}

static const struct doctor_ops fake_ops = {
	.now = now, .clock_synced = synced, .glob = no_glob,
	.nft = ruleset, .daemons = daemons,
};

/* A host that is right, and daemons that are. */
static void setup(void)
{
	fake_setup();
	fake_now = 1900000000;
	fake_synced = true;
	fake_ruleset = "{\"nftables\":[]}";
	fake_daemons = 0;
	fake_file("/sys/module/ovly/version", OVLY_VERSION ".7\n");
	fake_file(CONF, GOOD_CONF);
	fake_file("/proc/sys/net/ipv4/ip_forward", "1\n");
	fake_file("/proc/sys/net/ipv4/conf/ipsec0/forwarding", "1\n");
}

static void add_daemon(const char *name, const char *args)
{
	struct doctor_daemon *new = &fake_daemon[fake_daemons++];

	memset(new, 0, sizeof(*new));
	strcpy(new->name, name);
	strcpy(new->args, args);
}

/* What is not OK: "check LEVEL, check LEVEL". */
static const char *examine(void)
{
	struct doctor d = { .host = &fake.host, .ops = &fake_ops };
	json_t *findings = doctor_run(&d), *f;
	enum doctor_level worst = DOCTOR_OK;
	static char said[512];
	size_t i;

	said[0] = '\0';
	json_array_foreach(findings, i, f) {
		const char *level =
			json_string_value(json_object_get(f, "level"));
		size_t len = strlen(said);

		if (!strcmp(level, "OK"))
			continue;
		if (!json_is_string(json_object_get(f, "todo")))
			fail_msg("no advice");
		snprintf(said + len, sizeof(said) - len, "%s%s %s",
			 len ? ", " : "",
			 json_string_value(json_object_get(f, "check")), level);
		if (!strcmp(level, "FAIL"))
			worst = DOCTOR_FAIL;
		else if (worst == DOCTOR_OK)
			worst = DOCTOR_WARN;
	}
	assert_int_equal(d.worst, worst);
	json_decref(findings);
	return said;
}

static void nothing_to_say(void **state)
{
	(void)state;
	setup();
	assert_string_equal(examine(), "");
}

static void without_the_module_only_what_makes_sense(void **state)
{
	(void)state;
	setup();
	fake.nl.family = 0;
	fake.host.devs = fake.host.peers = fake.host.paths = 0;
	assert_string_equal(examine(), "module FAIL");
}

static void releases_differ(void **state)
{
	(void)state;
	setup();
	fake_file("/sys/module/ovly/version", OVLY_VERSION);
	assert_string_equal(examine(), "");
	fake_file("/sys/module/ovly/version", "9" OVLY_VERSION);
	assert_string_equal(examine(), "module WARN");
	fake_file("/sys/module/ovly/version", OVLY_VERSION "0.1");
	assert_string_equal(examine(), "module WARN");
	fake_file("/sys/module/ovly/version", NULL);
	assert_string_equal(examine(), "module WARN");
}

static void clocks(void **state)
{
	(void)state;
	setup();
	fake_synced = false;
	assert_string_equal(examine(), "clock WARN");
	fake_now = 3;
	assert_string_equal(examine(), "clock FAIL");
}

static void charon_as_configured_and_as_running(void **state)
{
	(void)state;
	setup();
	fake_file(CONF, GOOD_CONF "charon-systemd {\n install_routes = yes\n}\n");
	assert_string_equal(examine(), "charon FAIL");
	add_daemon("charon", "/usr/lib/ipsec/charon");
	assert_string_equal(examine(), "");
	fake_file(CONF, "charon-systemd {\n install_routes = no\n}\n");
	assert_string_equal(examine(), "charon FAIL, charon WARN, charon WARN");
	strcpy(fake_daemon[0].name, "charon-systemd");
	assert_string_equal(examine(), "charon WARN, charon WARN");
	strcpy(fake_daemon[0].root, "/proc/9/root");
	fake_file("/proc/9/root" CONF, GOOD_CONF);
	assert_string_equal(examine(), "");
	/* no file: the defaults, which are yes */
	strcpy(fake_daemon[0].root, "/proc/8/root");
	assert_string_equal(examine(), "charon FAIL, charon WARN, charon WARN");
	fake_daemons = 0;
	fake_file(CONF, NULL);
	assert_string_equal(examine(), "");
}

static void bird_and_the_table(void **state)
{
	(void)state;
	setup();
	fake_file("/etc/bird/bird.conf",
		  "protocol kernel { kernel table 220; }");
	assert_string_equal(examine(), "bird FAIL");
	add_daemon("bird", "bird -f -c /x/y.conf");
	assert_string_equal(examine(), "bird WARN");
	fake_file("/x/y.conf", "protocol kernel { kernel table 2220; }");
	assert_string_equal(examine(), "");
	/* the table is the one the device has now */
	fake.dev[0].dev.active_table = 2220;
	fake.rule[1].table = 2220;
	fake.route[2].table = 2220;
	assert_string_equal(examine(), "bird FAIL");
	strcpy(fake_daemon[0].name, "bird6");
	strcpy(fake_daemon[0].args, "bird6");
	fake_file("/etc/bird/bird6.conf", "protocol kernel { }");
	assert_string_equal(examine(), "");
}

static void devices_down_or_empty(void **state)
{
	(void)state;
	setup();
	fake.dev[0].dev.peers = 0;
	assert_string_equal(examine(), "device WARN");
	fake.link[2].link.flags = 0;
	assert_string_equal(examine(), "device FAIL");
	fake.host.devs = 0;
	assert_string_equal(examine(), "device WARN");
}

static void rules_missing_or_too_late(void **state)
{
	struct host_rule *r;

	(void)state;
	setup();
	fake.rule[1].table = 221;
	assert_string_equal(examine(), "rule FAIL");
	setup();
	fake.host.rules = 1;
	fake_rule(32766, RT_TABLE_MAIN);
	assert_string_equal(examine(), "rule FAIL");
	/* an earlier rule with a default route behind it, then without */
	setup();
	fake.host.rules = 1;
	r = fake_rule(10, RT_TABLE_MAIN);
	fake_rule(220, 220);
	assert_string_equal(examine(), "rule FAIL");
	r->suppress = 0;
	assert_string_equal(examine(), "rule WARN");
	r->suppress = -1;
	r->mark = r->mask = 1;
	assert_string_equal(examine(), "");
	r->mark = r->mask = 0;
	r->src = test_prefix("192.168.0.0/16");
	assert_string_equal(examine(), "");
	r->src.len = 0;
	r->action = FR_ACT_UNREACHABLE;
	assert_string_equal(examine(), "rule FAIL");
	/* IPv6 has rules, and ours is not among them */
	setup();
	fake_rule(32766, RT_TABLE_MAIN)->family = AF_INET6;
	assert_string_equal(examine(), "rule FAIL");
}

static void vrf_without_an_end(void **state)
{
	(void)state;
	setup();
	fake_link(9, "private", "vrf")->vrf_table = 300;
	fake.link[2].link.master = 9;
	fake.dev[0].dev.active_table = 300;
	fake.host.rules = 0;
	assert_string_equal(examine(), "vrf WARN");
	fake_route(300, "0.0.0.0/0", RTN_UNREACHABLE, 0);
	assert_string_equal(examine(), "");
	/* IPv6 where it is carried */
	fake.peer[0].peer.addr.a[fake.peer[0].peer.addr.n++] =
		test_addr("fd03::1");
	assert_string_equal(examine(), "vrf WARN");
	fake_route(300, "::/0", RTN_UNREACHABLE, 0);
	assert_string_equal(examine(), "");
}

static void staging_table_without_a_bridge(void **state)
{
	(void)state;
	setup();
	fake_route(2220, "10.0.0.0/8", RTN_UNICAST, 7);
	assert_string_equal(examine(), "bridge FAIL");
	add_daemon("ovlyhelper", "ovlyhelper doctor");
	assert_string_equal(examine(), "bridge FAIL");
	add_daemon("ovlyhelper", "/usr/local/sbin/ovlyhelper bridge --from-table 2221");
	assert_string_equal(examine(), "");
}

static void peers_down(void **state)
{
	unsigned int i;

	(void)state;
	setup();
	fake.peer[0].peer.state = OVLY_PEER_DOWN;
	assert_string_equal(examine(), "peers WARN");
	fake.host.paths = 0;
	assert_string_equal(examine(), "peers WARN");
	fake.peer[0].peer.via_backup = 1;
	assert_string_equal(examine(), "peers WARN");
	/* many are cut short */
	fake.host.peers = 20;
	for (i = 0; i < 20; i++)
		fake.peer[i] = fake.peer[0];
	assert_string_equal(examine(),
			    "peers WARN, peers WARN, peers WARN, peers WARN, peers WARN, peers WARN");
}

static void routes_that_are_not_in(void **state)
{
	(void)state;
	setup();
	fake_owns("10.0.0.0/8", EEXIST);
	assert_string_equal(examine(), "routes FAIL");
}

static void underlay_and_mtu(void **state)
{
	(void)state;
	setup();
	fake.route[2].route.type = RTN_UNICAST;
	fake.route[2].route.oif = 7;
	assert_string_equal(examine(), "underlay FAIL");
	setup();
	fake.refuse = ENETUNREACH;
	assert_string_equal(examine(), "underlay FAIL");
	setup();
	fake.link[0].link.mtu = 1300;
	assert_string_equal(examine(), "mtu WARN");
	fake.link[0].link.mtu = 1200;
	assert_string_equal(examine(), "mtu FAIL");
	/* two paths of one underlay: one finding */
	fake.path[1] = fake.path[0];
	fake.host.paths = 2;
	assert_string_equal(examine(), "mtu FAIL");
	setup();
	fake.link[2].link.mtu = 1000;
	assert_string_equal(examine(), "mtu WARN");
	setup();
	fake_file("/proc/sys/net/ipv4/ip_no_pmtu_disc", "1");
	assert_string_equal(examine(), "mtu WARN");
}

static void plain_policies(void **state)
{
	struct host_policy *p;

	(void)state;
	setup();
	p = fake_policy(0, "0.0.0.0/0", "0.0.0.0/0");
	assert_string_equal(examine(), "policies FAIL");
	p->dst = test_prefix("81.81.81.128/25");
	assert_string_equal(examine(), "policies FAIL");
	p->dst = test_prefix("81.81.82.0/24");
	assert_string_equal(examine(), "");
	p->dst = test_prefix("0.0.0.0/0");
	p->tmpl = false;
	assert_string_equal(examine(), "");
	p->action = XFRM_POLICY_BLOCK;
	assert_string_equal(examine(), "policies FAIL");
	fake_file("/proc/sys/net/ipv4/conf/ipsec0/disable_xfrm", "1");
	assert_string_equal(examine(), "");
	p->dir = XFRM_POLICY_FWD;
	assert_string_equal(examine(), "policies FAIL");
	fake_file("/proc/sys/net/ipv4/conf/ipsec0/disable_policy", "1");
	assert_string_equal(examine(), "");
	/* what sockets have for themselves (IKE) */
	fake_file("/proc/sys/net/ipv4/conf/ipsec0/disable_policy", "0");
	p->dir = XFRM_POLICY_MAX;
	assert_string_equal(examine(), "");
}

static void if_id_twice(void **state)
{
	(void)state;
	setup();
	fake_link(9, "xfrm9", "xfrm")->xfrm_if_id = 8;
	assert_string_equal(examine(), "");
	fake_link(10, "xfrm7", "xfrm")->xfrm_if_id = 7;
	assert_string_equal(examine(), "if-id FAIL");
}

#define CHAIN(name, hook)                                                     \
	"{\"chain\":{\"family\":\"ip\",\"table\":\"n\",\"name\":\"" name "\"" \
	hook "}}"
#define POST CHAIN("post", ",\"type\":\"nat\",\"hook\":\"postrouting\"")
#define RULE(chain, expr)                                                     \
	"{\"rule\":{\"family\":\"ip\",\"table\":\"n\",\"chain\":\"" chain     \
	"\",\"expr\":[" expr "]}}"
#define OIF(op, right)                                                        \
	"{\"match\":{\"op\":\"" op                                            \
	"\",\"left\":{\"meta\":{\"key\":\"oifname\"}},\"right\":" right "}}"
#define MASQ "{\"masquerade\":null}"
#define SET(items) "{\"nftables\":[" items "]}"

static void nat_rules(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ SET(POST), "" },
		{ SET(POST "," RULE("post", MASQ)), "nat WARN" },
		{ SET(RULE("other", MASQ)), "" },
		{ SET(POST "," RULE("post", "{\"snat\":{\"addr\":\"192.0.2.1\"}}")),
		  "nat WARN" },
		{ SET(POST "," RULE("post", OIF("==", "\"wan0\"") "," MASQ)), "" },
		{ SET(POST "," RULE("post", OIF("==", "\"ipsec0\"") "," MASQ)),
		  "nat WARN" },
		{ SET(POST "," RULE("post", OIF("==", "\"ipsec*\"") "," MASQ)),
		  "nat WARN" },
		{ SET(POST "," RULE("post", OIF("!=", "\"ipsec0\"") "," MASQ)), "" },
		{ SET(POST "," RULE("post", OIF("!=", "\"lan0\"") "," MASQ)),
		  "nat WARN" },
		{ SET(POST "," RULE("post", OIF("==",
			"{\"set\":[\"wan0\",\"ipsec0\"]}") "," MASQ)), "nat WARN" },
		{ SET(POST "," RULE("post", OIF("==",
			"{\"set\":[\"wan0\",\"wan1\"]}") "," MASQ)), "" },
		{ SET(POST "," RULE("post", OIF("==", "\"@devices\"") "," MASQ)),
		  "nat WARN" },
		{ SET(POST "," RULE("sub", MASQ) ","
		      RULE("post", "{\"jump\":{\"target\":\"sub\"}}")), "nat WARN" },
		{ SET(POST "," RULE("sub", MASQ) "," RULE("post",
			OIF("==", "\"wan0\"") ",{\"jump\":{\"target\":\"sub\"}}")), "" },
		/* nft refuses loops, and so do we */
		{ SET(POST "," RULE("post", "{\"jump\":{\"target\":\"post\"}}")), "" },
		{ "[]", "" }, { "{\"nftables\":[1,null,{\"chain\":3}]}", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup();
		fake_ruleset = cases[i].text;
		if (strcmp(examine(), cases[i].want))
			fail_msg("'%s' of %s", examine(), cases[i].text);
	}
	setup();
	fake_ruleset = NULL;
	assert_string_equal(examine(), "");
	fake_file("/proc/net/ip_tables_names", "filter\nnat\n");
	assert_string_equal(examine(), "nat WARN");
}

static void reverse_path_filters(void **state)
{
	(void)state;
	setup();
	fake_file("/proc/sys/net/ipv4/conf/ipsec0/rp_filter", "1");
	assert_string_equal(examine(), "rp-filter WARN");
	fake_file("/proc/sys/net/ipv4/conf/ipsec0/rp_filter", "2");
	assert_string_equal(examine(), "");
	/* the larger of the two counts */
	fake_file("/proc/sys/net/ipv4/conf/all/rp_filter", "1");
	assert_string_equal(examine(), "");
	fake.route[3].route.oif = 3;
	assert_string_equal(examine(), "rp-filter FAIL");
}

static void forwarding(void **state)
{
	(void)state;
	setup();
	fake_file("/proc/sys/net/ipv4/conf/ipsec0/forwarding", "0");
	assert_string_equal(examine(), "forwarding WARN");
	fake_file("/proc/sys/net/ipv4/ip_forward", "0");
	assert_string_equal(examine(), "forwarding WARN");
	/* IPv6 matters where there are such routes */
	setup();
	fake_file("/proc/sys/net/ipv6/conf/all/forwarding", "0");
	assert_string_equal(examine(), "");
	fake_owns("2001:db8::/32", 0);
	assert_string_equal(examine(), "forwarding WARN");
}

static void redirects(void **state)
{
	(void)state;
	setup();
	fake_file("/proc/sys/net/ipv4/conf/wan0/accept_redirects", "1");
	fake_file("/proc/sys/net/ipv4/conf/wan0/forwarding", "1");
	assert_string_equal(examine(), "");
	fake_file("/proc/sys/net/ipv4/conf/all/accept_redirects", "1");
	assert_string_equal(examine(), "redirects WARN");
	fake_file("/proc/sys/net/ipv4/conf/all/accept_redirects", "0");
	fake_file("/proc/sys/net/ipv4/conf/wan0/forwarding", "0");
	assert_string_equal(examine(), "redirects WARN");
	setup();
	fake_file("/proc/sys/net/ipv4/conf/all/send_redirects", "1");
	assert_string_equal(examine(), "");
	fake.dev[0].dev.mode = OVLY_MODE_MULTIPOINT;
	assert_string_equal(examine(), "redirects WARN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_say),
		cmocka_unit_test(without_the_module_only_what_makes_sense),
		cmocka_unit_test(releases_differ),
		cmocka_unit_test(clocks),
		cmocka_unit_test(charon_as_configured_and_as_running),
		cmocka_unit_test(bird_and_the_table),
		cmocka_unit_test(devices_down_or_empty),
		cmocka_unit_test(rules_missing_or_too_late),
		cmocka_unit_test(vrf_without_an_end),
		cmocka_unit_test(staging_table_without_a_bridge),
		cmocka_unit_test(peers_down),
		cmocka_unit_test(routes_that_are_not_in),
		cmocka_unit_test(underlay_and_mtu),
		cmocka_unit_test(plain_policies),
		cmocka_unit_test(if_id_twice),
		cmocka_unit_test(nat_rules),
		cmocka_unit_test(reverse_path_filters),
		cmocka_unit_test(forwarding),
		cmocka_unit_test(redirects),
	};

	return SUITE(tests);
}

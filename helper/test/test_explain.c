// SPDX-License-Identifier: GPL-2.0-only
/* Which way a packet goes, on hosts made of tables. */
#include "test.h"

#include "../explain.h"
#include "fake_host.h"

/* The verdict and its reason for a packet, "word reason". */
static const char *ask_from(const char *to, const char *from, uint32_t mark)
{
	struct explain_question q = { .to = test_prefix(to), .mark = mark,
				      .from = test_addr(from) };
	static char said[80];
	const char *reason;
	json_t *answer;

	answer = explain(&fake.host, &q);
	assert_non_null(json_object_get(answer, "text"));
	reason = json_string_value(json_object_get(answer, "reason"));
	snprintf(said, sizeof(said), "%s%s%s",
		 json_string_value(json_object_get(answer, "verdict")),
		 reason ? " " : "", reason ? reason : "");
	assert_int_equal(explain_is_good(answer),
			 !strcmp(said, "encrypted"));
	json_decref(answer);
	return said;
}

static const char *ask(const char *to)
{
	return ask_from(to, "", 0);
}

/* Does the answer have this step? */
static bool has_step(const char *to, const char *name, const char *text)
{
	struct explain_question q = { .to = test_prefix(to) };
	json_t *answer = explain(&fake.host, &q), *step;
	bool found = false;
	size_t i;

	json_array_foreach(json_object_get(answer, "steps"), i, step)
		found |= !strcmp(json_string_value(json_object_get(step, "step")),
				 name) &&
			 strstr(json_string_value(json_object_get(step, "text")),
				text);
	json_decref(answer);
	return found;
}

static void encrypted_clear_local_and_none(void **state)
{
	(void)state;
	fake_setup();
	assert_string_equal(ask("81.81.81.1"), "encrypted");
	assert_string_equal(ask("203.0.113.1"), "clear no-overlay-route");
	assert_string_equal(ask("192.0.2.1"), "local local");
	assert_string_equal(ask("198.51.100.2"), "clear no-overlay-route");
	assert_true(has_step("198.51.100.2", "rule", "220 throws"));
	fake.routes = 3;
	assert_string_equal(ask("203.0.113.1"), "dropped no-route");
	fake.refuse = EACCES;
	assert_string_equal(ask("192.0.2.77"), "dropped refused");
}

static void prefix_stands_for_its_first_host(void **state)
{
	(void)state;
	fake_setup();
	assert_string_equal(ask("81.81.81.0/24"), "encrypted");
	fake_route(220, "81.81.81.64/26", RTN_UNREACHABLE, 0);
	assert_true(has_step("81.81.81.0/24", "note", "1 longer"));
	assert_string_equal(ask("81.81.81.64/26"), "dropped route-type");
	assert_string_equal(ask("81.81.81.0/31"), "encrypted");
	assert_string_equal(ask("0.0.0.0/0"), "clear no-overlay-route");
}

static void peers_and_paths(void **state)
{
	(void)state;
	fake_setup();
	fake.path[0].path.state = OVLY_PATH_DOWN;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-path");
	fake.host.paths = 0;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-path");
	fake.host.peers = 0;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-peer");
}

static void backup_takes_over(void **state)
{
	(void)state;
	fake_setup();
	fake.path[0].path.peer_id = 2;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-path");
	fake.peer[1] = fake.peer[0];
	fake.peer[1].peer.id = 2;
	strcpy(fake.peer[1].peer.name, "second");
	fake.host.peers = 2;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-path");
	fake.peer[0].peer.backup_id = 2;
	assert_string_equal(ask("81.81.81.1"), "encrypted");
	assert_true(has_step("81.81.81.1", "backup", "second"));
	/* whose own backup is not asked */
	fake.path[0].path.peer_id = 1;
	fake.peer[0].peer.backup_id = 0;
	fake.peer[1].peer.backup_id = 1;
	assert_string_equal(ask("81.81.81.1"), "encrypted");
	assert_false(has_step("81.81.81.1", "backup", ""));
}

static void peer_has_a_mark(void **state)
{
	(void)state;
	fake_setup();
	fake.policy[0].mark = fake.policy[0].mask = 5;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-policy");
	fake.peer[0].peer.mark = 5;
	assert_string_equal(ask("81.81.81.1"), "encrypted");
}

static void multipoint_goes_by_the_next_hop(void **state)
{
	(void)state;
	fake_setup();
	fake.dev[0].dev.mode = OVLY_MODE_MULTIPOINT;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-peer");
	fake.peer[0].peer.addr.n = 1;
	fake.peer[0].peer.addr.a[0] = test_addr("10.9.0.1");
	fake.route[1].route.gateway = test_addr("10.9.0.1");
	assert_string_equal(ask("81.81.81.1"), "encrypted");
	/* without a gateway the destination itself is the next hop */
	fake_route(220, "10.9.0.1/32", RTN_UNICAST, 7)->prefsrc =
		test_addr("10.122.144.146");
	assert_string_equal(ask("10.9.0.1"), "encrypted");
}

static void policies_are_chosen_as_the_kernel_does(void **state)
{
	struct host_policy *p;

	(void)state;
	fake_setup();
	/* outside: another source, protocol, mark, direction, if-id */
	assert_string_equal(ask_from("81.81.81.1", "192.0.2.1", 0),
			    "dropped tx-no-policy");
	fake.policy[0].proto = 6;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-policy");
	fake.policy[0].proto = 0;
	fake.policy[0].mark = fake.policy[0].mask = 1;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-policy");
	assert_string_equal(ask_from("81.81.81.1", "", 3), "encrypted");
	fake.policy[0].mark = fake.policy[0].mask = 0;
	fake.policy[0].dir = XFRM_POLICY_IN;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-policy");
	fake.policy[0].dir = XFRM_POLICY_OUT;
	/* the lowest priority, the oldest (listed last) of equals */
	fake.policy[0].priority = 10;
	p = fake_policy(7, "0.0.0.0/0", "0.0.0.0/0");
	p->priority = 10;
	p->action = XFRM_POLICY_BLOCK;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-policy");
	p->priority = 11;
	assert_string_equal(ask("81.81.81.1"), "encrypted");
	/* SAs that another namespace has are no lack of policies */
	fake.host.policies = fake.host.sas = 0;
	assert_string_equal(ask("81.81.81.1"), "unknown other-netns");
}

static void sa_has_to_fit(void **state)
{
	(void)state;
	fake_setup();
	fake.sa[0].spi = 0;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-sa");
	fake.sa[0].spi = 9;
	fake.policy[0].reqid = 4;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-sa");
	fake.sa[0].reqid = 4;
	assert_string_equal(ask("81.81.81.1"), "encrypted");
	fake.sa[0].dst = test_addr("198.51.100.3");
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-sa");
	/* the policy leaves the endpoint open, the path does not */
	fake.policy[0].tmpl_dst = test_addr("0.0.0.0");
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-sa");
	fake.path[0].path.endpoint.family = 0;
	assert_string_equal(ask("81.81.81.1"), "encrypted");
	fake.sa[0].tunnel = false;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-no-sa");
}

static void plain_policy_comes_before_the_device(void **state)
{
	struct host_policy *p;

	(void)state;
	fake_setup();
	p = fake_policy(0, "0.0.0.0/0", "81.81.0.0/16");
	assert_string_equal(ask("81.81.81.1"), "dropped plain-policy");
	fake_sa(0, 5);
	assert_string_equal(ask("81.81.81.1"), "elsewhere plain-policy");
	fake_file("/proc/sys/net/ipv4/conf/ipsec0/disable_xfrm", "1");
	assert_string_equal(ask("81.81.81.1"), "encrypted");
	fake_file("/proc/sys/net/ipv4/conf/ipsec0/disable_xfrm", "0");
	p->tmpl = false;
	assert_string_equal(ask("81.81.81.1"), "encrypted");
	p->action = XFRM_POLICY_BLOCK;
	assert_string_equal(ask("81.81.81.1"), "dropped plain-policy");
	p->ifindex = 3;
	assert_string_equal(ask("81.81.81.1"), "encrypted");
}

static void outer_packet_must_not_come_back(void **state)
{
	(void)state;
	fake_setup();
	fake.route[2].route.type = RTN_UNICAST;
	fake.route[2].route.oif = 7;
	assert_string_equal(ask("81.81.81.1"), "dropped tx-loop");
	strcpy(fake_link(9, "xfrm0", "xfrm")->link.kind, "xfrm");
	fake_route(220, "203.0.113.0/24", RTN_UNICAST, 9);
	assert_string_equal(ask("203.0.113.1"), "elsewhere other-tunnel");
}

static void forwarded_packet_comes_in_somewhere(void **state)
{
	(void)state;
	fake_setup();
	fake_policy(7, "192.168.1.0/24", "0.0.0.0/0");
	assert_string_equal(ask_from("81.81.81.1", "192.168.1.5", 0),
			    "encrypted");
	fake.routes -= 2;
	assert_string_equal(ask_from("81.81.81.1", "192.168.1.5", 0),
			    "dropped source");
}

static void rules_are_walked_as_the_kernel_does(void **state)
{
	struct host_rule *r;

	(void)state;
	fake_setup();
	/* rule 0 leads on to 300 behind everything */
	fake.host.rules = 1;
	r = fake_rule(10, 0);
	r->action = FR_ACT_GOTO;
	r->target = 300;
	fake_rule(220, 220);
	fake_rule(300, RT_TABLE_MAIN);
	assert_true(has_step("81.81.81.1", "rule", "300: from all lookup main"));
	assert_false(has_step("81.81.81.1", "rule", "220:"));
	/* and the kernel, which did not go there, is believed */
	assert_true(has_step("81.81.81.1", "rule", "kernel took table 220"));
	r->mark = r->mask = 1;
	assert_true(has_step("81.81.81.1", "rule", "220: from all lookup 220"));
	assert_false(has_step("81.81.81.1", "rule", "kernel took"));
	r->mark = r->mask = 0;
	r->invert = true;
	assert_true(has_step("81.81.81.1", "rule", "220: from all lookup 220"));
	r->invert = false;
	strcpy(r->iifname, "lan0");
	assert_true(has_step("81.81.81.1", "rule", "220: from all lookup 220"));
	strcpy(r->iifname, "lo");
	assert_true(has_step("81.81.81.1", "rule", "300: from all"));
	/* a default route that is passed over */
	fake_setup();
	fake.host.rules = 1;
	fake_rule(10, RT_TABLE_MAIN)->suppress = 0;
	fake_rule(220, 220);
	assert_true(has_step("81.81.81.1", "rule", "10: from all lookup main passes over"));
	/* a rule for some ports only is said, and not taken */
	fake.rule[1].narrow = true;
	assert_true(has_step("81.81.81.1", "rule", "some packets only"));
}

/* How many steps of the walk are of a rule? */
static unsigned int rules_of(const char *to)
{
	struct explain_question q = { .to = test_prefix(to) };
	json_t *answer = explain(&fake.host, &q), *step;
	unsigned int n = 0;
	size_t i;

	json_array_foreach(json_object_get(answer, "steps"), i, step)
		n += !strcmp(json_string_value(json_object_get(step, "step")),
			     "rule");
	json_decref(answer);
	return n;
}

static void rule_that_charon_made_too_is_said_once(void **state)
{
	(void)state;
	fake_setup();
	assert_int_equal(rules_of("198.51.100.2"), 2);
	assert_int_equal(rules_of("203.0.113.1"), 2);
	fake.host.rules = 2;
	fake_rule(220, 220);
	fake_rule(32766, RT_TABLE_MAIN);
	assert_int_equal(rules_of("198.51.100.2"), 2);
	assert_int_equal(rules_of("203.0.113.1"), 2);
	assert_int_equal(rules_of("81.81.81.1"), 1);
}

static void rule_that_refuses(void **state)
{
	(void)state;
	fake_setup();
	fake.host.rules = 1;
	fake_rule(10, 0)->action = FR_ACT_PROHIBIT;
	fake.refuse = EACCES;
	assert_string_equal(ask("81.81.81.1"), "dropped rule");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encrypted_clear_local_and_none),
		cmocka_unit_test(prefix_stands_for_its_first_host),
		cmocka_unit_test(peers_and_paths),
		cmocka_unit_test(backup_takes_over),
		cmocka_unit_test(peer_has_a_mark),
		cmocka_unit_test(multipoint_goes_by_the_next_hop),
		cmocka_unit_test(policies_are_chosen_as_the_kernel_does),
		cmocka_unit_test(sa_has_to_fit),
		cmocka_unit_test(plain_policy_comes_before_the_device),
		cmocka_unit_test(outer_packet_must_not_come_back),
		cmocka_unit_test(forwarded_packet_comes_in_somewhere),
		cmocka_unit_test(rules_are_walked_as_the_kernel_does),
		cmocka_unit_test(rule_that_charon_made_too_is_said_once),
		cmocka_unit_test(rule_that_refuses),
	};

	return SUITE(tests);
}

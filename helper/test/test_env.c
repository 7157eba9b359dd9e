// SPDX-License-Identifier: GPL-2.0-only
/* PLUTO_* as charon 5.9.8 sets them, and what is wanted because of them. */
#include <linux/rtnetlink.h>

#include "test.h"

#include "../updown.h"

#define VARS 32

static struct {
	const char *name;
	const char *value;
} vars[VARS];

static const char *lookup(const char *name)
{
	int i;

	for (i = 0; i < VARS; i++)
		if (vars[i].name && !strcmp(vars[i].name, name))
			return vars[i].value;
	return NULL;
}

/* A NULL value unsets. */
static void set(const char *name, const char *value)
{
	int i;

	for (i = 0; i < VARS; i++) {
		if (!vars[i].name || !strcmp(vars[i].name, name)) {
			vars[i].name = name;
			vars[i].value = value;
			return;
		}
	}
	fail_msg("too many variables");
}

/* the reference branch */
static int branch(void **state)
{
	(void)state;
	memset(vars, 0, sizeof(vars));
	set("PLUTO_VERB", "up-client");
	set("PLUTO_CONNECTION", "myconn");
	set("PLUTO_INTERFACE", "wan-br");
	set("PLUTO_REQID", "1");
	set("PLUTO_UNIQUEID", "7");
	set("PLUTO_ME", "10.88.247.89");
	set("PLUTO_MY_ID", "10.88.247.89");
	set("PLUTO_MY_CLIENT", "10.122.144.128/27");
	set("PLUTO_PEER", "10.88.247.84");
	set("PLUTO_PEER_ID", "10.88.247.84");
	set("PLUTO_PEER_CLIENT", "0.0.0.0/0");
	set("PLUTO_IF_ID_IN", "220");
	set("PLUTO_IF_ID_OUT", "220");
	return 0;
}

static void refuses(const char *name, const char *value, const char *item)
{
	const char *old = lookup(name);
	struct pluto env;
	struct err e;

	set(name, value);
	assert_false(env_read(lookup, &env, &e));
	assert_names(&e, item);
	assert_int_equal(e.code, EXIT_USAGE);
	set(name, old);
}

static void reference_branch_is_read(void **state)
{
	struct pluto env;
	struct err e;

	(void)state;
	assert_true(env_read(lookup, &env, &e));
	assert_true(env.up);
	assert_string_equal(env.connection, "myconn");
	assert_string_equal(env.interface, "wan-br");
	assert_addr(&env.me, "10.88.247.89");
	assert_addr(&env.peer, "10.88.247.84");
	assert_string_equal(env.peer_id, "10.88.247.84");
	assert_int_equal(env.peer_client.len, 0);
	assert_int_equal(env.if_id_in, 220);
	assert_int_equal(env.if_id_out, 220);
}

static void verbs_of_charon(void **state)
{
	static const struct { const char *verb; bool up; } verbs[] = {
		{ "up-client", true },	  { "up-host", true },
		{ "up-client-v6", true }, { "up-host-v6", true },
		{ "down-client", false }, { "down-host", false },
		{ "down-client-v6", false }, { "down-host-v6", false },
	};
	struct pluto env;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		set("PLUTO_VERB", verbs[i].verb);
		assert_true(env_read(lookup, &env, &e));
		assert_int_equal(env.up, verbs[i].up);
	}
	refuses("PLUTO_VERB", "sideways", "sideways");
	refuses("PLUTO_VERB", "route-client", "PLUTO_VERB");
	refuses("PLUTO_VERB", NULL, "PLUTO_VERB");
}

static void garbage_is_refused_and_named(void **state)
{
	(void)state;
	refuses("PLUTO_PEER", "10.88.247.256", "PLUTO_PEER");
	refuses("PLUTO_PEER", "", "PLUTO_PEER");
	refuses("PLUTO_PEER", "224.0.0.1", "224.0.0.1");
	refuses("PLUTO_ME", "me", "PLUTO_ME");
	refuses("PLUTO_ME", NULL, "PLUTO_ME");
	refuses("PLUTO_IF_ID_IN", "0", "PLUTO_IF_ID_IN");
	refuses("PLUTO_IF_ID_IN", "4294967296", "PLUTO_IF_ID_IN");
	refuses("PLUTO_IF_ID_OUT", "7x", "PLUTO_IF_ID_OUT");
	refuses("PLUTO_PEER_CLIENT", "0.0.0.0/99", "PLUTO_PEER_CLIENT");
	refuses("PLUTO_PEER_CLIENT", NULL, "PLUTO_PEER_CLIENT");
	refuses("PLUTO_CONNECTION", "", "PLUTO_CONNECTION");
	refuses("PLUTO_CONNECTION", "a\nb", "PLUTO_CONNECTION");
	refuses("PLUTO_INTERFACE", "much-too-long-a-name", "PLUTO_INTERFACE");
	refuses("PLUTO_PEER_SOURCEIP4_1", "nowhere", "PLUTO_PEER_SOURCEIP4_1");
}

static void missing_if_ids_say_what_to_set(void **state)
{
	(void)state;
	refuses("PLUTO_IF_ID_IN", NULL, "if_id_in");
	refuses("PLUTO_IF_ID_OUT", NULL, "myconn");
}

static void if_ids_may_be_hex(void **state)
{
	struct pluto env;
	struct err e;

	(void)state;
	set("PLUTO_IF_ID_IN", "0xdc");
	set("PLUTO_IF_ID_OUT", "0xFFFFFFFF");
	assert_true(env_read(lookup, &env, &e));
	assert_int_equal(env.if_id_in, 220);
	assert_int_equal(env.if_id_out, UINT32_MAX);
}

static void unknown_interface_is_none(void **state)
{
	struct pluto env;
	struct err e;

	(void)state;
	set("PLUTO_INTERFACE", "unknown");
	assert_true(env_read(lookup, &env, &e));
	assert_string_equal(env.interface, "");
}

static void down_needs_little(void **state)
{
	struct pluto env;
	struct err e;

	(void)state;
	set("PLUTO_VERB", "down-client");
	set("PLUTO_INTERFACE", "gone-and-too-long-by-far");
	set("PLUTO_PEER_CLIENT", NULL);
	set("PLUTO_ME", NULL);
	assert_true(env_read(lookup, &env, &e));
	assert_false(env.up);
}

static void virtual_addresses_are_collected_once(void **state)
{
	struct pluto env;
	struct err e;

	(void)state;
	set("PLUTO_MY_SOURCEIP", "10.122.144.146");
	set("PLUTO_MY_SOURCEIP4_1", "10.122.144.146");
	set("PLUTO_MY_SOURCEIP6_1", "2001:db8::146");
	set("PLUTO_PEER_SOURCEIP4_1", "10.5.0.1");
	set("PLUTO_PEER_SOURCEIP4_2", "10.5.0.2");
	assert_true(env_read(lookup, &env, &e));
	assert_int_equal(env.my_sourceip.n, 2);
	assert_addr(&env.my_sourceip.a[1], "2001:db8::146");
	assert_int_equal(env.peer_sourceip.n, 2);
}

static struct updown_want plan(const struct updown_conf *conf, uint32_t mode)
{
	struct updown_want want;
	struct pluto env;
	struct err e;

	assert_true(env_read(lookup, &env, &e));
	if (!updown_plan(conf, &env, mode, &want, &e))
		fail_msg("%s", e.text);
	return want;
}

static void plan_refuses(const struct updown_conf *conf, uint32_t mode,
			 const char *item)
{
	struct updown_want want;
	struct pluto env;
	struct err e;

	assert_true(env_read(lookup, &env, &e));
	assert_false(updown_plan(conf, &env, mode, &want, &e));
	assert_names(&e, item);
}

static void plan_of_the_reference_branch(void **state)
{
	struct updown_conf conf = {
		.system_addr = { 1, { test_addr("166.34.121.112") } },
		.local_addr = { 1, { test_addr("10.122.144.146") } },
	};
	struct updown_want want = plan(&conf, OVLY_MODE_P2P);

	(void)state;
	assert_string_equal(want.peer.name, "myconn");
	assert_int_equal(want.peer.addr.n, 1);
	assert_addr(&want.peer.addr.a[0], "166.34.121.112");
	assert_addr(&want.local.a[0], "10.122.144.146");
	assert_int_equal(want.path.if_id_in, 220);
	assert_addr(&want.path.endpoint, "10.88.247.84");
	assert_addr(&want.path.local, "10.88.247.89");
	assert_string_equal(want.path.label, "myconn");
	assert_string_equal(want.path.remote_id, "10.88.247.84");
	assert_false(want.has_route);
	assert_false(want.path.has & HAS(OVLY_A_PATH_PRIORITY));
}

static void plan_of_a_hub_takes_the_nth_host(void **state)
{
	struct updown_conf conf = { .has = UPDOWN_HAS_FROM_TS, .from_ts = 18 };
	struct updown_want want;

	(void)state;
	set("PLUTO_PEER_CLIENT", "10.122.144.160/27");
	want = plan(&conf, OVLY_MODE_MULTIPOINT);
	assert_addr(&want.peer.addr.a[0], "10.122.144.178");
	assert_true(want.has_route);
	assert_addr(&want.route.dst, "10.122.144.160");
	assert_int_equal(want.route.prefixlen, 27);
	assert_int_equal(want.route.protocol, RTPROT_STATIC);

	conf.no_route_ts = true;
	assert_false(plan(&conf, OVLY_MODE_MULTIPOINT).has_route);
	conf.from_ts = 32;
	plan_refuses(&conf, OVLY_MODE_MULTIPOINT, "10.122.144.160/27");
}

static void plan_multipoint_needs_a_system_address(void **state)
{
	struct updown_conf conf = { 0 };

	(void)state;
	plan_refuses(&conf, OVLY_MODE_MULTIPOINT, "--system-addr");
	assert_int_equal(plan(&conf, OVLY_MODE_P2P).peer.addr.n, 0);
}

static void plan_order_of_system_addresses(void **state)
{
	struct updown_conf conf = { 0 };
	struct updown_want want;

	(void)state;
	set("PLUTO_PEER_SOURCEIP", "10.5.0.1");
	want = plan(&conf, OVLY_MODE_MULTIPOINT);
	assert_addr(&want.peer.addr.a[0], "10.5.0.1");
	assert_false(want.derived);

	set("PLUTO_PEER_CLIENT", "10.122.144.146/32");
	want = plan(&conf, OVLY_MODE_MULTIPOINT);
	assert_addr(&want.peer.addr.a[0], "10.122.144.146");
	assert_true(want.derived);
	/* it is a route already */
	assert_false(want.has_route);

	conf.system_addr.n = 1;
	conf.system_addr.a[0] = test_addr("10.9.9.9");
	want = plan(&conf, OVLY_MODE_MULTIPOINT);
	assert_addr(&want.peer.addr.a[0], "10.9.9.9");
	assert_true(want.has_route);
}

static void plan_never_routes_the_endpoint_into_its_tunnel(void **state)
{
	struct updown_conf conf = { .route_ts = true };

	(void)state;
	/* host to host: the selector is the outer address */
	set("PLUTO_PEER_CLIENT", "10.88.247.84/32");
	assert_int_equal(plan(&conf, OVLY_MODE_P2P).peer.addr.n, 0);
	assert_false(plan(&conf, OVLY_MODE_P2P).has_route);
	conf.system_addr.n = 1;
	conf.system_addr.a[0] = test_addr("10.88.247.84");
	plan_refuses(&conf, OVLY_MODE_P2P, "10.88.247.84");
}

static void plan_refuses_one_address_on_both_ends(void **state)
{
	struct updown_conf conf = {
		.system_addr = { 1, { test_addr("10.122.144.146") } },
		.local_addr = { 1, { test_addr("10.122.144.146") } },
	};

	(void)state;
	plan_refuses(&conf, OVLY_MODE_P2P, "10.122.144.146");
}

static void plan_names_peers_by_choice(void **state)
{
	struct updown_conf conf = { .peer_from = PEER_FROM_ID };

	(void)state;
	set("PLUTO_PEER_ID", "branch1.example.org");
	assert_string_equal(plan(&conf, OVLY_MODE_P2P).peer.name,
			    "branch1.example.org");
	conf.peer_from = PEER_FROM_ENDPOINT;
	assert_string_equal(plan(&conf, OVLY_MODE_P2P).peer.name,
			    "10.88.247.84");
	/* an identity may hold anything, a name may not */
	conf.peer_from = PEER_FROM_ID;
	set("PLUTO_PEER_ID", "C=CH, O=Example, CN=branch1");
	plan_refuses(&conf, OVLY_MODE_P2P, "--peer");
	strcpy(conf.peer, "hub");
	assert_string_equal(plan(&conf, OVLY_MODE_P2P).peer.name, "hub");
}

static void selectors_of_one_sa_add_up(void **state)
{
	struct ovly_addrs old = { 2, { test_addr("10.0.0.1"),
				       test_addr("2001:db8::1") } };
	struct ovly_addrs want = { 1, { test_addr("10.0.0.2") } };

	(void)state;
	assert_true(updown_merge(&old, true, &want));
	assert_int_equal(want.n, 3);
	/* a new SA starts over, family by family */
	want = (struct ovly_addrs){ 1, { test_addr("10.0.0.2") } };
	assert_true(updown_merge(&old, false, &want));
	assert_int_equal(want.n, 2);
	assert_addr(&want.a[0], "2001:db8::1");
	assert_addr(&want.a[1], "10.0.0.2");
	/* and a repeat changes nothing */
	old = want;
	want = (struct ovly_addrs){ 1, { test_addr("10.0.0.2") } };
	assert_true(updown_merge(&old, true, &want));
	assert_int_equal(want.n, 2);
}

static void a_late_down_leaves_the_replacement(void **state)
{
	struct ovly_path path = { .label = "myconn",
				  .endpoint = test_addr("10.88.247.84") };
	struct pluto env;
	struct err e;

	(void)state;
	set("PLUTO_VERB", "down-client");
	assert_true(env_read(lookup, &env, &e));
	assert_int_equal(updown_end(&path, &env, 1, 0), UPDOWN_DELETE);
	assert_int_equal(updown_end(&path, &env, 0, 0), UPDOWN_DELETE);
	assert_int_equal(updown_end(&path, &env, 2, 0), UPDOWN_KEEP);
	strcpy(path.label, "other");
	assert_int_equal(updown_end(&path, &env, 1, 0), UPDOWN_KEEP);
	strcpy(path.label, "myconn");
	path.endpoint = test_addr("10.88.247.85");
	assert_int_equal(updown_end(&path, &env, 1, 0), UPDOWN_KEEP);
	path.endpoint.family = 0;
	assert_int_equal(updown_end(&path, &env, 1, 0), UPDOWN_DELETE);
}

static void a_path_of_two_child_sas_outlives_the_first(void **state)
{
	struct ovly_path path = { .label = "myconn" };
	struct pluto env;
	struct err e;

	(void)state;
	set("PLUTO_VERB", "down-client");
	assert_true(env_read(lookup, &env, &e));
	assert_int_equal(env.reqid, 1);
	assert_int_equal(updown_end(&path, &env, 1, 1), UPDOWN_LEAVE);
	/* without a label it is whoever's comes last */
	strcpy(path.label, UPDOWN_NO_LABEL);
	assert_int_equal(updown_end(&path, &env, 1, 1), UPDOWN_LEAVE);
	assert_int_equal(updown_end(&path, &env, 1, 0), UPDOWN_DELETE);
	/* a successor of this one is there beside it */
	assert_int_equal(updown_end(&path, &env, 2, 1), UPDOWN_KEEP);
}

static void long_identities_are_cut_and_marked(void **state)
{
	static char id[400], other[400];
	struct pluto env, env2;
	struct err e;

	(void)state;
	memset(id, 'x', 300);
	strcpy(other, id);
	other[299] = 'y';
	set("PLUTO_PEER_ID", id);
	assert_true(env_read(lookup, &env, &e));
	assert_int_equal(strlen(env.peer_id), OVLY_REMOTE_ID_MAX);
	assert_non_null(strstr(env.peer_id, "xxx...#"));
	/* what differs behind the cut still differs */
	set("PLUTO_PEER_ID", other);
	assert_true(env_read(lookup, &env2, &e));
	assert_string_not_equal(env.peer_id, env2.peer_id);
	/* the module takes ASCII only */
	set("PLUTO_PEER_ID", "CN=Z\xc3\xbcrich");
	assert_true(env_read(lookup, &env, &e));
	assert_int_equal(strncmp(env.peer_id, "CN=Z??rich...#", 14), 0);
	assert_int_equal(strlen(env.peer_id), 14 + 16);
	/* the longest that fits stays as it is */
	memset(id, 'x', sizeof(id));
	id[OVLY_REMOTE_ID_MAX] = '\0';
	set("PLUTO_PEER_ID", id);
	assert_true(env_read(lookup, &env, &e));
	assert_string_equal(env.peer_id, id);
	refuses("PLUTO_PEER_ID", "a\nb", "PLUTO_PEER_ID");
}

static void plan_takes_what_is_said_of_the_peer(void **state)
{
	struct updown_conf conf = { .settings = {
		.has = HAS(OVLY_A_PEER_MARK) | HAS(OVLY_A_PEER_BACKUP_NAME),
		.mark = 7, .backup_name = "hub2",
	} };
	struct updown_want want;

	(void)state;
	conf.system_addr.n = 1;
	conf.system_addr.a[0] = test_addr("10.9.9.9");
	want = plan(&conf, OVLY_MODE_MULTIPOINT);
	assert_true(want.peer.has & HAS(OVLY_A_PEER_MARK));
	assert_int_equal(want.peer.mark, 7);
	assert_string_equal(want.peer.backup_name, "hub2");
	assert_false(want.peer.has & HAS(OVLY_A_PEER_ROUTE_LIMIT));
	plan_refuses(&conf, OVLY_MODE_P2P, "multipoint");
	strcpy(conf.settings.backup_name, "myconn");
	plan_refuses(&conf, OVLY_MODE_MULTIPOINT, "its own backup");
}

static void plan_tells_virtual_addresses(void **state)
{
	struct updown_conf conf = { 0 };
	struct updown_want want;

	(void)state;
	set("PLUTO_MY_SOURCEIP4_1", "10.122.144.146");
	want = plan(&conf, OVLY_MODE_P2P);
	assert_true(want.is_virtual);
	assert_addr(&want.local.a[0], "10.122.144.146");
	conf.local_addr.n = 1;
	conf.local_addr.a[0] = test_addr("10.9.9.9");
	want = plan(&conf, OVLY_MODE_P2P);
	assert_false(want.is_virtual);
	assert_int_equal(want.local.n, 1);
	assert_addr(&want.local.a[0], "10.9.9.9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reference_branch_is_read, branch),
		cmocka_unit_test_setup(verbs_of_charon, branch),
		cmocka_unit_test_setup(garbage_is_refused_and_named, branch),
		cmocka_unit_test_setup(missing_if_ids_say_what_to_set, branch),
		cmocka_unit_test_setup(if_ids_may_be_hex, branch),
		cmocka_unit_test_setup(unknown_interface_is_none, branch),
		cmocka_unit_test_setup(down_needs_little, branch),
		cmocka_unit_test_setup(virtual_addresses_are_collected_once,
				       branch),
		cmocka_unit_test_setup(plan_of_the_reference_branch, branch),
		cmocka_unit_test_setup(plan_of_a_hub_takes_the_nth_host, branch),
		cmocka_unit_test_setup(plan_multipoint_needs_a_system_address,
				       branch),
		cmocka_unit_test_setup(plan_order_of_system_addresses, branch),
		cmocka_unit_test_setup(
			plan_never_routes_the_endpoint_into_its_tunnel, branch),
		cmocka_unit_test_setup(plan_refuses_one_address_on_both_ends,
				       branch),
		cmocka_unit_test_setup(plan_names_peers_by_choice, branch),
		cmocka_unit_test_setup(selectors_of_one_sa_add_up, branch),
		cmocka_unit_test_setup(a_late_down_leaves_the_replacement,
				       branch),
		cmocka_unit_test_setup(
			a_path_of_two_child_sas_outlives_the_first, branch),
		cmocka_unit_test_setup(long_identities_are_cut_and_marked,
				       branch),
		cmocka_unit_test_setup(plan_takes_what_is_said_of_the_peer,
				       branch),
		cmocka_unit_test_setup(plan_tells_virtual_addresses, branch),
	};

	return SUITE(tests);
}

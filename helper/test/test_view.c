// SPDX-License-Identifier: GPL-2.0-only
/* What programs and people read. */
#include <net/if.h>

#include "test.h"

#include "../show.h"
#include "../view.h"

static bool is_null(json_t *object, const char *key)
{
	return json_is_null(json_object_get(object, key));
}

static void keys_are_there_without_a_value(void **state)
{
	const struct ovly_msg none = { 0 };
	json_t *peer = view_peer(&none);
	json_t *path = view_path(&none);
	json_t *route = view_route(&none);

	(void)state;
	assert_true(is_null(peer, "dev"));
	assert_true(is_null(peer, "active-path"));
	assert_true(is_null(peer, "backup"));
	assert_true(is_null(peer, "last-rx"));
	assert_true(is_null(peer, "stats"));
	assert_true(json_is_array(json_object_get(peer, "addr")));
	assert_true(is_null(path, "underlay"));
	assert_true(is_null(path, "mtu"));
	assert_true(is_null(path, "endpoint"));
	assert_true(is_null(route, "error"));
	assert_true(is_null(route, "peer-name"));
	json_decref(peer);
	json_decref(path);
	json_decref(route);
}

static void flags_are_true_or_false(void **state)
{
	struct ovly_msg msg = { .peer = {
		.has = HAS(OVLY_A_PEER_VIA_BACKUP) |
		       HAS(OVLY_A_PEER_ROUTES_DISABLED) |
		       HAS(OVLY_A_PEER_BACKUP_ID) |
		       HAS(OVLY_A_PEER_BACKUP_NAME),
		.via_backup = 1, .backup_id = 3, .backup_name = "hub2",
	} };
	json_t *peer = view_peer(&msg);

	(void)state;
	assert_true(json_is_true(json_object_get(peer, "via-backup")));
	assert_true(json_is_false(json_object_get(peer, "routes-disabled")));
	assert_string_equal(json_string_value(json_object_get(peer, "backup")),
			    "hub2");
	json_decref(peer);
	/* 0 is how the module says that there is none */
	msg.peer.backup_id = 0;
	msg.peer.backup_name[0] = '\0';
	peer = view_peer(&msg);
	assert_true(is_null(peer, "backup"));
	assert_true(is_null(peer, "backup-id"));
	json_decref(peer);
}

static void missing_underlay_is_said(void **state)
{
	struct ovly_msg msg = { .path = {
		.has = HAS(OVLY_A_PATH_UNDERLAY) |
		       HAS(OVLY_A_PATH_UNDERLAY_NAME),
		.underlay = UNDERLAY_MISSING, .underlay_name = "wan9",
	} };
	json_t *path = view_path(&msg);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(path,
						"underlay")), "wan9");
	assert_true(json_is_true(json_object_get(path, "underlay-missing")));
	json_decref(path);
	msg.path.underlay = 0;
	msg.path.underlay_name[0] = '\0';
	path = view_path(&msg);
	assert_true(is_null(path, "underlay"));
	assert_true(json_is_false(json_object_get(path, "underlay-missing")));
	json_decref(path);
}

static json_t *owned(const char *prefix, const char *peer, bool multipath)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:b, s:b}", "dev", "ovly0",
			 "prefix", prefix, "peer-name", peer, "metric", 0,
			 "installed", 1, "multipath", multipath);
}

static void owners_of_one_route_stand_together(void **state)
{
	static const char *const want[][2] = {
		{ "10.1.0.0/16", NULL }, { "  nexthop", "one" },
		{ "  nexthop", "two" }, { "10.2.0.0/16", "one" },
	};
	json_t *list = json_pack("[o, o, o]", owned("10.1.0.0/16", "one", true),
				 owned("10.2.0.0/16", "one", false),
				 owned("10.1.0.0/16", "two", true));
	size_t i;

	(void)state;
	list = show_routes_nested(list);
	assert_int_equal(json_array_size(list), 4);
	for (i = 0; i < 4; i++) {
		json_t *row = json_array_get(list, i);
		const char *peer =
			json_string_value(json_object_get(row, "peer-name"));

		assert_string_equal(json_string_value(json_object_get(row,
						"prefix")), want[i][0]);
		if (want[i][1])
			assert_string_equal(peer, want[i][1]);
		else
			assert_null(peer);
	}
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_there_without_a_value),
		cmocka_unit_test(flags_are_true_or_false),
		cmocka_unit_test(missing_underlay_is_said),
		cmocka_unit_test(owners_of_one_route_stand_together),
	};

	return SUITE(tests);
}

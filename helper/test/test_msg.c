// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "../msg.h"

static struct nl_msg *new_msg(int cmd)
{
	struct nl_msg *msg = nlmsg_alloc_size(32 << 10);

	assert_non_null(msg);
	assert_non_null(genlmsg_put(msg, 1, 1, 30, 0, 0, (uint8_t)cmd, 1));
	return msg;
}

/* Fills every field that can be sent with something of its own. */
static void fill(const struct field_set *set, void *object)
{
	unsigned int i;

	for (i = 0; i < set->n; i++) {
		const struct field *f = &set->field[i];
		void *value = (char *)object + f->off;
		struct ovly_addrs *addrs = value;

		switch (f->kind) {
		case FIELD_U32:
		case FIELD_ENUM:
		case FIELD_IFINDEX:
		case FIELD_FLAG:
			*(uint32_t *)value = 1000 + f->attr;
			break;
		case FIELD_U64:
			*(uint64_t *)value = (1ull << 40) + f->attr;
			break;
		case FIELD_STR:
			snprintf(value, f->size, "text-%u", f->attr);
			break;
		case FIELD_ADDR:
			*(struct ovly_addr *)value = test_addr("2001:db8::7");
			break;
		case FIELD_ADDRS:
			addrs->n = 2;
			addrs->a[0] = test_addr("10.0.0.1");
			addrs->a[1] = test_addr("2001:db8::1");
			break;
		case FIELD_STATS:
			continue;
		}
		*(uint32_t *)object |= HAS(f->attr);
	}
}

static void round_trip(unsigned int top, size_t off, size_t size)
{
	const struct field_set *set = fields_of(top);
	unsigned char object[2048] = { 0 };
	struct nl_msg *msg = new_msg(1);
	static struct ovly_msg got;

	assert_true(size <= sizeof(object));
	fill(set, object);
	assert_true(ovly_msg_put(msg, top, object));
	assert_true(ovly_msg_parse(nlmsg_hdr(msg), &got));
	assert_true(got.has & HAS(top));
	assert_memory_equal((char *)&got + off, object, size);
	nlmsg_free(msg);
}

static void objects_come_back_as_they_went(void **state)
{
	(void)state;
	round_trip(OVLY_A_DEV, offsetof(struct ovly_msg, dev),
		   sizeof(struct ovly_dev));
	round_trip(OVLY_A_PEER, offsetof(struct ovly_msg, peer),
		   sizeof(struct ovly_peer));
	round_trip(OVLY_A_PATH, offsetof(struct ovly_msg, path),
		   sizeof(struct ovly_path));
	round_trip(OVLY_A_ROUTE, offsetof(struct ovly_msg, route),
		   sizeof(struct ovly_route));
}

static void every_attribute_has_a_field(void **state)
{
	static const struct { const struct field_set *set; unsigned int max, pad; }
	sets[] = {
		{ &dev_fields, OVLY_A_DEV_MAX, OVLY_A_DEV_PAD },
		{ &peer_fields, OVLY_A_PEER_MAX, OVLY_A_PEER_PAD },
		{ &path_fields, OVLY_A_PATH_MAX, OVLY_A_PATH_PAD },
		{ &route_fields, OVLY_A_ROUTE_MAX, 0 },
		{ &refused_fields, OVLY_A_REFUSED_MAX, 0 },
	};
	unsigned int i, attr;

	(void)state;
	for (i = 0; i < 5; i++) {
		assert_true(sets[i].max < 32);
		for (attr = 1; attr <= sets[i].max; attr++)
			if (attr != sets[i].pad)
				assert_non_null(field_find(sets[i].set, attr));
	}
	for (attr = OVLY_A_STATS_PAD + 1; attr <= OVLY_A_STATS_MAX; attr++)
		assert_non_null(stats_name(attr));
}

static void only_given_fields_are_sent(void **state)
{
	struct ovly_peer peer = { .has = HAS(OVLY_A_PEER_NAME), .id = 9,
				  .name = "myconn" };
	struct nl_msg *msg = new_msg(1);
	static struct ovly_msg got;

	(void)state;
	assert_true(ovly_msg_put(msg, OVLY_A_PEER, &peer));
	assert_true(ovly_msg_parse(nlmsg_hdr(msg), &got));
	assert_int_equal(got.peer.has, HAS(OVLY_A_PEER_NAME));
	assert_int_equal(got.peer.id, 0);
	nlmsg_free(msg);
}

/* the attributes of a request's route, in their order */
static unsigned int owners_of(struct nl_msg *msg, struct nlattr *owner[8])
{
	struct nlattr *nest = nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN,
					      OVLY_A_ROUTE);
	struct nlattr *nla;
	unsigned int n = 0;
	int rem;

	nla_for_each_nested(nla, nest, rem)
		if (n < 8 && (nla_type(nla) == OVLY_A_ROUTE_PEER_NAME ||
			      nla_type(nla) == OVLY_A_ROUTE_VIA))
			owner[n++] = nla;
	return n;
}

static void several_owners_are_repeated_attributes(void **state)
{
	struct ovly_route route = {
		.has = HAS(OVLY_A_ROUTE_PREFIXLEN) |
		       HAS(OVLY_A_ROUTE_PEER_NAME),
		.peer_name = "one",
		.more = { .n = 2, .o = {
			{ .name = "two" },
			{ .via = test_addr("10.0.0.3") },
		} },
	};
	struct nl_msg *msg = new_msg(OVLY_CMD_ROUTE_NEW);
	struct nlattr *owner[8];

	(void)state;
	assert_true(ovly_msg_put(msg, OVLY_A_ROUTE, &route));
	assert_int_equal(owners_of(msg, owner), 3);
	assert_string_equal(nla_data(owner[0]), "one");
	assert_string_equal(nla_data(owner[1]), "two");
	assert_int_equal(nla_type(owner[2]), OVLY_A_ROUTE_VIA);
	assert_memory_equal(nla_data(owner[2]), "\x0a\0\0\3", 4);
	nlmsg_free(msg);
}

static void counters_are_read(void **state)
{
	struct nl_msg *msg = new_msg(1);
	static struct ovly_msg got;
	struct nlattr *peer, *stats;

	(void)state;
	peer = nla_nest_start(msg, OVLY_A_PEER);
	stats = nla_nest_start(msg, OVLY_A_PEER_STATS);
	nla_put_u64(msg, OVLY_A_STATS_RX_BYTES, 1ull << 50);
	nla_put_u64(msg, OVLY_A_STATS_RX_ERROR, 3);
	nla_put_u64(msg, OVLY_A_STATS_MAX + 1, 4);
	nla_nest_end(msg, stats);
	nla_nest_end(msg, peer);
	assert_true(ovly_msg_parse(nlmsg_hdr(msg), &got));
	assert_true(got.peer.stats.v[OVLY_A_STATS_RX_BYTES] == 1ull << 50);
	assert_int_equal(got.peer.stats.v[OVLY_A_STATS_RX_ERROR], 3);
	nlmsg_free(msg);
}

static void attributes_of_a_newer_module_are_skipped(void **state)
{
	struct nl_msg *msg = new_msg(1);
	static struct ovly_msg got;
	struct nlattr *peer;

	(void)state;
	nla_put_u32(msg, 99, 1);
	peer = nla_nest_start(msg, OVLY_A_PEER);
	nla_put_u32(msg, 99, 1);
	nla_put_u32(msg, OVLY_A_PEER_ID, 5);
	nla_nest_end(msg, peer);
	assert_true(ovly_msg_parse(nlmsg_hdr(msg), &got));
	assert_int_equal(got.peer.id, 5);
	nlmsg_free(msg);
}

static bool parses(int attr, int sub, int len)
{
	static const char zeros[64];
	struct nl_msg *msg = new_msg(1);
	static struct ovly_msg got;
	struct nlattr *nest;
	bool ok;

	nest = nla_nest_start(msg, attr);
	nla_put(msg, sub, len, zeros);
	nla_nest_end(msg, nest);
	ok = ovly_msg_parse(nlmsg_hdr(msg), &got);
	nlmsg_free(msg);
	return ok;
}

static void attributes_of_wrong_size_are_refused(void **state)
{
	(void)state;
	assert_true(parses(OVLY_A_PEER, OVLY_A_PEER_ID, 4));
	assert_false(parses(OVLY_A_PEER, OVLY_A_PEER_ID, 2));
	assert_false(parses(OVLY_A_PEER, OVLY_A_PEER_SINCE, 4));
	assert_true(parses(OVLY_A_PEER, OVLY_A_PEER_ADDR, 16));
	assert_false(parses(OVLY_A_PEER, OVLY_A_PEER_ADDR, 5));
	assert_false(parses(OVLY_A_PATH, OVLY_A_PATH_ENDPOINT, 0));
	/* a string need not end with 0 */
	assert_true(parses(OVLY_A_PATH, OVLY_A_PATH_LABEL, 0));
}

static void too_many_addresses_are_refused(void **state)
{
	struct ovly_addr a = test_addr("10.0.0.1");
	struct nl_msg *msg = new_msg(1);
	static struct ovly_msg got;
	struct nlattr *nest;
	int i;

	(void)state;
	nest = nla_nest_start(msg, OVLY_A_PEER);
	for (i = 0; i <= OVLY_PEER_ADDRS_MAX; i++)
		nla_put(msg, OVLY_A_PEER_ADDR, 4, a.b);
	nla_nest_end(msg, nest);
	assert_false(ovly_msg_parse(nlmsg_hdr(msg), &got));
	nlmsg_free(msg);
}

static void long_texts_are_cut(void **state)
{
	static char text[400];
	struct nl_msg *msg = new_msg(1);
	static struct ovly_msg got;
	struct nlattr *nest;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	nest = nla_nest_start(msg, OVLY_A_PATH);
	nla_put_string(msg, OVLY_A_PATH_REMOTE_ID, text);
	nla_nest_end(msg, nest);
	assert_true(ovly_msg_parse(nlmsg_hdr(msg), &got));
	assert_int_equal(strlen(got.path.remote_id), OVLY_REMOTE_ID_MAX);
	nlmsg_free(msg);
}

static void reports_name_what_was_refused(void **state)
{
	struct nl_msg *msg = new_msg(OVLY_CMD_ROUTE_NEW);
	static struct ovly_report report;
	struct nlattr *nest;
	int i;

	(void)state;
	nla_put_u32(msg, OVLY_A_APPLIED, 98);
	for (i = 0; i < OVLY_REFUSED_MAX + 5; i++) {
		nest = nla_nest_start(msg, OVLY_A_REFUSED);
		nla_put_u32(msg, OVLY_A_REFUSED_INDEX, (uint32_t)i);
		nla_put_u32(msg, OVLY_A_REFUSED_ERROR, 28);
		nla_put_string(msg, OVLY_A_REFUSED_MESSAGE, "limit");
		nla_nest_end(msg, nest);
	}
	assert_true(ovly_msg_parse_report(nlmsg_hdr(msg), &report));
	assert_int_equal(report.applied, 98);
	assert_int_equal(report.n, OVLY_REFUSED_MAX);
	assert_int_equal(report.refused[63].index, 63);
	assert_string_equal(report.refused[0].message, "limit");
	nlmsg_free(msg);
}

static unsigned int offset_of(struct nl_msg *msg, const void *attr)
{
	return (unsigned int)((const char *)attr - (char *)nlmsg_hdr(msg));
}

static void refused_attributes_have_names(void **state)
{
	struct nl_msg *msg = new_msg(OVLY_CMD_PEER_NEW);
	struct nlattr *nest, *addr;
	char name[48];

	(void)state;
	nla_put_u32(msg, OVLY_A_IFINDEX, 1);
	nest = nla_nest_start(msg, OVLY_A_PEER);
	nla_put_string(msg, OVLY_A_PEER_NAME, "x");
	addr = nlmsg_tail(nlmsg_hdr(msg));
	nla_put_u32(msg, OVLY_A_PEER_ADDR, 0);
	nla_nest_end(msg, nest);
	ovly_msg_name_at(nlmsg_hdr(msg), offset_of(msg, addr), name,
			 sizeof(name));
	assert_string_equal(name, "peer.addr");
	ovly_msg_name_at(nlmsg_hdr(msg), offset_of(msg, nest), name,
			 sizeof(name));
	assert_string_equal(name, "peer");
	ovly_msg_name_at(nlmsg_hdr(msg), 3, name, sizeof(name));
	assert_string_equal(name, "");
	ovly_msg_name_at(nlmsg_hdr(msg), 1u << 30, name, sizeof(name));
	assert_string_equal(name, "");
	ovly_msg_name_missing(nlmsg_hdr(msg), 0, OVLY_A_PATH, name,
			      sizeof(name));
	assert_string_equal(name, "path");
	ovly_msg_name_missing(nlmsg_hdr(msg), offset_of(msg, nest),
			      OVLY_A_PEER_ID, name, sizeof(name));
	assert_string_equal(name, "peer.id");
	nlmsg_free(msg);
}

/* The kernel is trusted, a broken message must still not be read past. */
static void cut_messages_do_no_harm(void **state)
{
	struct ovly_path path = { 0 };
	struct nl_msg *msg = new_msg(1);
	static struct ovly_report report;
	static struct ovly_msg got;
	uint32_t len, n;

	(void)state;
	fill(&path_fields, &path);
	assert_true(ovly_msg_put(msg, OVLY_A_PATH, &path));
	len = nlmsg_hdr(msg)->nlmsg_len;
	for (n = 0; n < len; n++) {
		struct nlmsghdr *cut = malloc(n < 16 ? 16 : n);

		memcpy(cut, nlmsg_hdr(msg), n < 16 ? 16 : n);
		cut->nlmsg_len = n < 16 ? 16 : n;
		ovly_msg_parse(cut, &got);
		ovly_msg_parse_report(cut, &report);
		free(cut);
	}
	nlmsg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_come_back_as_they_went),
		cmocka_unit_test(every_attribute_has_a_field),
		cmocka_unit_test(only_given_fields_are_sent),
		cmocka_unit_test(several_owners_are_repeated_attributes),
		cmocka_unit_test(counters_are_read),
		cmocka_unit_test(attributes_of_a_newer_module_are_skipped),
		cmocka_unit_test(attributes_of_wrong_size_are_refused),
		cmocka_unit_test(too_many_addresses_are_refused),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(reports_name_what_was_refused),
		cmocka_unit_test(refused_attributes_have_names),
		cmocka_unit_test(cut_messages_do_no_harm),
	};

	return SUITE(tests);
}

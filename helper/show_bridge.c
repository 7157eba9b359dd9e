// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper show bridge: what the bridges that run here say */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "bridge_sock.h"
#include "out.h"
#include "show.h"

static void on_answer(const char *text, size_t len, void *arg)
{
	json_t *state = json_loadb(text, len, 0, NULL);

	/* cut short: it ended while it spoke */
	if (state)
		json_array_append_new(arg, state);
}

static json_int_t number(json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *since(json_t *object, const char *key, char buf[32])
{
	return out_since((uint64_t)number(object, key), buf, 32);
}

/* the longest name's */
#define WIDTH 14

/* Like out_pairs(), and folded. */
static void say(const char *name, const char *text)
{
	printf("%-*s  ", WIDTH, name);
	out_words(text, WIDTH + 2);
}

static void say_routes(json_t *state)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "%" JSON_INTEGER_FORMAT " IPv4, %" JSON_INTEGER_FORMAT " IPv6",
		 number(state, "ipv4-routes"), number(state, "ipv6-routes"));
	say("routes", text);
	snprintf(text, sizeof(text),
		 "%" JSON_INTEGER_FORMAT " IPv4, %" JSON_INTEGER_FORMAT
		 " IPv6 routes without a peer, %" JSON_INTEGER_FORMAT
		 " next hops that are nobody's",
		 number(state, "ipv4-unresolved"),
		 number(state, "ipv6-unresolved"),
		 number(state, "unresolved-next-hops"));
	say("unresolved", text);
}

static void say_last(json_t *state)
{
	json_t *last = json_object_get(state, "last-reconcile");
	json_t *trouble = json_object_get(state, "last-error");
	char text[512], ago[32];

	if (json_is_object(last)) {
		snprintf(text, sizeof(text),
			 "%s ago in %" JSON_INTEGER_FORMAT
			 " ms: %" JSON_INTEGER_FORMAT
			 " routes in the table, %" JSON_INTEGER_FORMAT
			 " refused, %" JSON_INTEGER_FORMAT
			 " not followed, %" JSON_INTEGER_FORMAT " removed%s",
			 since(last, "ago", ago), number(last, "took"),
			 number(last, "staged"), number(last, "refused"),
			 number(last, "not-followed"), number(last, "removed"),
			 json_is_false(json_object_get(last, "complete")) ?
				 " (none: a request failed, or news were lost)" : "");
		say("last-reconcile", text);
	} else {
		say("last-reconcile", "none");
	}
	if (json_is_object(trouble)) {
		snprintf(text, sizeof(text), "%s ago: %.400s",
			 since(trouble, "ago", ago),
			 json_string_value(json_object_get(trouble, "text")));
		say("last-error", text);
	} else {
		say("last-error", "none");
	}
}

static void print_state(json_t *state)
{
	static const struct out_column columns[] = {
		{ "next-hop", "NEXT-HOP", OUT_PLAIN, false },
		{ "dev", "DEVICE", OUT_PLAIN, false },
		{ "prefixes", "PREFIXES", OUT_PLAIN, true },
		{ "since", "SINCE", OUT_SINCE, true },
		{ 0 },
	};
	static const char *const heads[] = { "state", "table", "pid",
					     "running", NULL };
	json_t *hops = json_object_get(state, "unresolved");
	char buf[32];

	json_object_set_new(state, "running",
			    json_string(since(state, "since", buf)));
	out_pairs(state, heads, WIDTH);
	say_routes(state);
	say_last(state);
	if (!json_array_size(hops))
		return;
	putchar('\n');
	out_table(hops, columns);
	if (json_is_true(json_object_get(state, "more-next-hops")))
		puts("and more");
}

bool show_bridge(int argc, char **argv, struct err *e)
{
	bool json = false;
	const struct arg args[] = {
		ARG("json", ARG_FLAG, &json),
		ARG_END,
	};
	json_t *list, *state;
	bool ok = false;
	size_t i;

	if (!args_parse(argc, argv, args, NULL, 0, e))
		return false;
	list = json_array();
	if (!bridge_sock_ask(BRIDGE_RUN_DIR, on_answer, list, e))
		goto out;
	ok = json_array_size(list) > 0 ||
	     err_set(e, EXIT_UNAVAILABLE,
		     "no bridge runs in this network namespace, start it with 'systemctl start ovly-bridge'");
	if (!ok)
		goto out;
	if (json) {
		out_json(json_incref(list));
		goto out;
	}
	json_array_foreach(list, i, state) {
		if (i)
			putchar('\n');
		print_state(state);
	}
out:
	json_decref(list);
	return ok;
}

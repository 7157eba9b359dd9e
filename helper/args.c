// SPDX-License-Identifier: GPL-2.0-only
#include "args.h"

#include <stdio.h>
#include <string.h>

#include "names.h"
#include "parse.h"
#include "suggest.h"

static bool list_full(struct err *e, unsigned int max)
{
	return err_set(e, EXIT_USAGE, "at most %u can be given", max);
}

static bool add_addr(struct ovly_addrs *list, const char *value, struct err *e)
{
	struct ovly_addr a;
	unsigned int i;

	if (!parse_addr(value, &a, e))
		return false;
	if (!addr_is_unicast(&a))
		return err_set(e, EXIT_USAGE, "'%s' is no unicast address",
			       value);
	for (i = 0; i < list->n; i++)
		if (addr_equal(&list->a[i], &a))
			return true;
	if (list->n == OVLY_PEER_ADDRS_MAX)
		return list_full(e, OVLY_PEER_ADDRS_MAX);
	list->a[list->n++] = a;
	return true;
}

static bool add_proto(struct arg_protos *list, const char *value,
		      struct err *e)
{
	uint32_t proto;

	if (!proto_parse(value, &proto, e))
		return false;
	if (proto == OVLY_RTPROT)
		return err_set(e, EXIT_USAGE,
			       "protocol %s is the module's own", value);
	list->n += !list->set[proto];
	list->set[proto] = 1;
	return true;
}

static bool set_backup(struct ovly_peer *peer, const char *value,
		       struct err *e)
{
	uint32_t id = HAS(OVLY_A_PEER_BACKUP_ID);
	uint32_t name = HAS(OVLY_A_PEER_BACKUP_NAME);

	if (!parse_name(value, peer->backup_name, e))
		return false;
	peer->backup_id = 0;
	peer->has &= ~(id | name);
	if (strcmp(value, "none")) {
		peer->has |= name;
	} else {
		peer->has |= id;
		peer->backup_name[0] = '\0';
	}
	return true;
}

/* The first owner is the route's own, the others follow it. */
static bool add_owner(struct ovly_route *route, enum arg_kind kind,
		      const char *value, struct err *e)
{
	bool first = !(route->has & (HAS(OVLY_A_ROUTE_PEER_NAME) |
				     HAS(OVLY_A_ROUTE_VIA)));
	struct ovly_owner *next = &route->more.o[route->more.n];
	char name[OVLY_NAME_MAX + 1];
	struct ovly_addr via = { 0 };

	if (kind == ARG_OWNER_PEER ? !parse_name(value, name, e) :
				     !parse_addr(value, &via, e))
		return false;
	if (!first) {
		if (route->more.n == OVLY_OWNERS_MAX - 1)
			return list_full(e, OVLY_OWNERS_MAX);
		next->name = kind == ARG_OWNER_PEER ? value : NULL;
		next->via = via;
		route->more.n++;
	} else if (kind == ARG_OWNER_PEER) {
		memcpy(route->peer_name, name, sizeof(name));
		route->has |= HAS(OVLY_A_ROUTE_PEER_NAME);
	} else {
		route->via = via;
		route->has |= HAS(OVLY_A_ROUTE_VIA);
	}
	return true;
}

bool args_value(const struct arg *arg, const char *value, struct err *e)
{
	struct arg_prefixes *prefixes = arg->dst;
	struct arg_ifnames *ifnames = arg->dst;

	switch (arg->kind) {
	case ARG_FLAG:
		*(bool *)arg->dst = true;
		return true;
	case ARG_U32:
		return parse_u32(value, arg->min,
				 arg->max ? arg->max : UINT32_MAX, arg->dst, e);
	case ARG_IFNAME:
		return parse_ifname(value, arg->dst, e);
	case ARG_NAME:
		return parse_name(value, arg->dst, e);
	case ARG_LABEL:
		return parse_text(value, arg->dst, OVLY_NAME_MAX + 1, e);
	case ARG_REMOTE_ID:
		return parse_text(value, arg->dst, OVLY_REMOTE_ID_MAX + 1, e);
	case ARG_TEXT:
		*(const char **)arg->dst = value;
		return true;
	case ARG_ADDR:
		return parse_addr(value, arg->dst, e);
	case ARG_ADDRS:
		return add_addr(arg->dst, value, e);
	case ARG_PREFIX:
		return parse_prefix(value, arg->dst, e);
	case ARG_PREFIXES:
		if (prefixes->n == ARG_LIST_MAX)
			return list_full(e, ARG_LIST_MAX);
		if (!parse_prefix(value, &prefixes->p[prefixes->n], e))
			return false;
		prefixes->n++;
		return true;
	case ARG_WORD:
		return parse_word(value, arg->words, arg->dst, e);
	case ARG_PROTO:
		return proto_parse(value, arg->dst, e);
	case ARG_IFNAMES:
		if (ifnames->n == ARG_LIST_MAX)
			return list_full(e, ARG_LIST_MAX);
		if (!parse_ifname(value, ifnames->name[ifnames->n], e))
			return false;
		ifnames->n++;
		return true;
	case ARG_PROTOS:
		return add_proto(arg->dst, value, e);
	case ARG_BACKUP:
		return set_backup(arg->dst, value, e);
	case ARG_OWNER_PEER:
	case ARG_OWNER_VIA:
		return add_owner(arg->dst, arg->kind, value, e);
	}
	return false;
}

static const struct arg *find(const struct arg *args, const char *name,
			      size_t len)
{
	for (; args->name; args++)
		if (strlen(args->name) == len && !strncmp(args->name, name, len))
			return args;
	return NULL;
}

/* An option that is not in the table, or one word too many. */
static bool unknown(const struct arg *args, const char *given, struct err *e)
{
	struct suggest s = { .given = given + strspn(given, "-") };
	const char *dashes = s.given > given ? "--" : "";
	char name[40];

	/* "--mtuu=1400" */
	if (dashes[0] && strcspn(s.given, "=") < sizeof(name)) {
		snprintf(name, sizeof(name), "%.*s",
			 (int)strcspn(s.given, "="), s.given);
		s.given = name;
	}
	for (; args->name; args++)
		suggest_try(&s, args->name, strlen(args->name));
	if (s.best)
		return err_set(e, EXIT_USAGE,
			       "unknown argument '%.60s', did you mean '%s%s'?",
			       given, dashes, s.best);
	return err_usage(e, "unknown argument '%.60s'", given);
}

bool args_parse(int argc, char **argv, const struct arg *args,
		const char **positional, unsigned int max, struct err *e)
{
	unsigned int n = 0;
	int i;

	for (i = 0; i < (int)max; i++)
		positional[i] = NULL;
	for (i = 0; i < argc; i++) {
		bool dashed = !strncmp(argv[i], "--", 2);
		const char *name = argv[i] + (dashed ? 2 : 0);
		const char *equals = dashed ? strchr(name, '=') : NULL;
		const char *value = equals ? equals + 1 : NULL;
		const struct arg *arg;
		size_t len;

		len = equals ? (size_t)(equals - name) : strlen(name);
		if (!dashed && n < max) {
			positional[n++] = argv[i];
			continue;
		}
		arg = find(args, name, len);
		if (!arg)
			return unknown(args, argv[i], e);
		if (arg->kind == ARG_FLAG && value)
			return err_usage(e, "'%s' takes no value", arg->name);
		if (arg->kind != ARG_FLAG && !value) {
			if (++i == argc)
				return err_usage(e, "'%s' needs a value",
						 arg->name);
			value = argv[i];
		}
		if (!args_value(arg, value, e))
			return err_prefix(e, "%s", arg->name);
		if (arg->has)
			*arg->has |= arg->bit;
	}
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arguments of the subcommands, described by a table.
 *
 * An option is "--name value", "--name=value" or, as ip(8) has it, "name
 * value" once the positional arguments are there.  Pure.
 */
#ifndef OVLY_ARGS_H
#define OVLY_ARGS_H

#include "err.h"
#include "model.h"

enum arg_kind {
	ARG_FLAG, /* bool, takes no value */
	ARG_U32,
	ARG_IFNAME, /* char[IFNAMSIZ] */
	ARG_NAME, /* char[OVLY_NAME_MAX + 1], a peer name */
	ARG_LABEL, /* char[OVLY_NAME_MAX + 1] */
	ARG_REMOTE_ID, /* char[OVLY_REMOTE_ID_MAX + 1] */
	ARG_TEXT, /* const char *, kept as given */
	ARG_ADDR, /* struct ovly_addr */
	ARG_ADDRS, /* struct ovly_addrs, repeatable */
	ARG_PREFIX, /* struct ovly_prefix */
	ARG_PREFIXES, /* struct arg_prefixes, repeatable */
	ARG_WORD, /* uint32_t */
	ARG_PROTO, /* uint32_t */
	ARG_IFNAMES, /* struct arg_ifnames, repeatable */
	ARG_PROTOS, /* struct arg_protos, repeatable */
	ARG_BACKUP, /* struct ovly_peer, a peer name or "none" */
	ARG_OWNER_PEER, /* struct ovly_route, a peer name, repeatable */
	ARG_OWNER_VIA, /* struct ovly_route, an address, repeatable */
};

#define ARG_LIST_MAX 64

struct arg_prefixes {
	unsigned int n;
	struct ovly_prefix p[ARG_LIST_MAX];
};

struct arg_ifnames {
	unsigned int n;
	char name[ARG_LIST_MAX][IFNAMSIZ];
};

struct arg_protos {
	unsigned int n;
	uint8_t set[256];
};

struct arg {
	const char *name; /* NULL ends the table */
	enum arg_kind kind;
	void *dst;
	const char *const *words; /* ARG_WORD */
	uint32_t min, max; /* ARG_U32; max 0: no limit */
	uint32_t *has; /* gets "bit" when given; may be NULL */
	uint32_t bit;
};

#define ARG(n, k, d, ...) { .name = n, .kind = k, .dst = d, __VA_ARGS__ }
#define ARG_END { .name = NULL }

/* positional: up to "max" of them go there, unset ones are NULL. */
bool args_parse(int argc, char **argv, const struct arg *args,
		const char **positional, unsigned int max, struct err *e);
/* A single value as the table describes it (bash completion, tests, env). */
bool args_value(const struct arg *arg, const char *value, struct err *e);

#endif /* OVLY_ARGS_H */

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OVLYNL_ATTRS_H
#define OVLYNL_ATTRS_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>

/* How the text of a value becomes bytes, and back. */
enum form {
	F_BIN,	/* hex digits */
	F_U8,
	F_U16,
	F_U32,
	F_U64,
	F_STR,	/* with its NUL; %20 is a space */
	F_RAWSTR, /* without NUL */
	F_IP,
	F_NEST,
	F_EVENT, /* u32 with a name */
	F_PAD,
};

struct attr {
	const char *name;
	enum form form;
	const struct attr_set *nest;
	bool restless;	/* changes by itself */
};

struct attr_set {
	const struct attr *attrs;
	unsigned int n;
};

/* A request that the tool can make. */
struct command {
	const char *name;
	int type;	/* genl command, or type of an rtnetlink message */
	bool rtnl;
	const struct attr_set *attrs;
};

/* All of generic netlink by number, or NULL. */
const struct command *command_nth(unsigned int n);
const struct command *command_find(const char *name, size_t len);
const struct command *command_of(bool rtnl, int type);

const struct attr *attr_get(const struct attr_set *set, unsigned int type);
int attr_find(const struct attr_set *set, const char *name, size_t len);
int form_find(const char *name, size_t len);

void attrs_print(const struct attr_set *set, const void *data, size_t len, bool stable);
const struct attr_set *attrs_print_path(const struct attr_set *set, const void *data, size_t len,
					size_t offset);

#endif

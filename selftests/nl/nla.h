/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OVLYNL_NLA_H
#define OVLYNL_NLA_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>

/* Is there a whole attribute in the @len bytes at @nla? */
static inline bool nla_ok(const struct nlattr *nla, size_t len)
{
	return len >= sizeof(*nla) && nla->nla_len >= sizeof(*nla) && nla->nla_len <= len;
}

static inline const struct nlattr *nla_next(const struct nlattr *nla, size_t *len)
{
	size_t step = NLA_ALIGN((size_t)nla->nla_len);

	*len = step < *len ? *len - step : 0;
	return (const void *)((const char *)nla + step);
}

#define nla_for_each(nla, data, len)						\
	for ((nla) = (const void *)(data); nla_ok(nla, len); (nla) = nla_next(nla, &(len)))

static inline unsigned int nla_number(const struct nlattr *nla)
{
	return nla->nla_type & NLA_TYPE_MASK;
}

static inline const struct nlattr *nla_find(const void *data, size_t len, unsigned int type)
{
	const struct nlattr *nla;

	nla_for_each(nla, data, len)
		if (nla_number(nla) == type)
			return nla;
	return NULL;
}

#endif

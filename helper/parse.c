// SPDX-License-Identifier: GPL-2.0-only
#include "parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Input goes into messages and logs: bounded, and nothing a terminal obeys. */
static const char *shown(const char *s, char buf[100])
{
	size_t i;

	for (i = 0; s[i] && i < 96; i++)
		buf[i] = isprint((unsigned char)s[i]) ? s[i] : '?';
	buf[i] = '\0';
	if (s[i])
		strcpy(buf + i, "...");
	return buf;
}

bool parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *out,
	       struct err *e)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	unsigned long long v;
	char buf[100];
	char *end;

	errno = 0;
	v = strtoull(s, &end, hex ? 16 : 10);
	/* strtoull() takes signs and blanks, a number here has neither */
	if (!isdigit((unsigned char)s[0]) || *end || errno ||
	    (hex && !isxdigit((unsigned char)s[2])))
		return err_set(e, EXIT_USAGE,
			       "'%s' is not a number, give one like 220 or 0xdc",
			       shown(s, buf));
	if (v < min || v > max)
		return err_set(e, EXIT_USAGE,
			       "%s is out of range, %u to %u can be given",
			       shown(s, buf), min, max);
	*out = (uint32_t)v;
	return true;
}

bool parse_addr(const char *s, struct ovly_addr *out, struct err *e)
{
	struct ovly_addr a = { 0 };
	char buf[100];

	if (inet_pton(AF_INET, s, a.b) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, s, a.b) == 1)
		a.family = AF_INET6;
	else
		return err_set(e, EXIT_USAGE,
			       "'%s' is not an IPv4 or IPv6 address",
			       shown(s, buf));
	*out = a;
	return true;
}

bool parse_net(const char *s, struct ovly_prefix *out, struct err *e)
{
	const char *slash = strchr(s, '/');
	struct ovly_prefix p = { 0 };
	char addr[ADDR_STRLEN];
	char buf[100];
	uint32_t len;
	size_t n;

	n = slash ? (size_t)(slash - s) : strlen(s);
	if (n >= sizeof(addr))
		return err_set(e, EXIT_USAGE,
			       "'%s' is not a prefix like 10.0.0.0/8 or 2001:db8::/32",
			       shown(s, buf));
	memcpy(addr, s, n);
	addr[n] = '\0';
	if (!parse_addr(addr, &p.addr, e))
		return err_set(e, EXIT_USAGE,
			       "'%s' is not a prefix like 10.0.0.0/8 or 2001:db8::/32",
			       shown(s, buf));
	len = addr_bits(&p.addr);
	if (slash && !parse_u32(slash + 1, 0, len, &len, e))
		return err_prefix(e, "prefix length of '%s'", shown(s, buf));
	p.len = (uint8_t)len;
	prefix_mask(&p);
	*out = p;
	return true;
}

bool parse_prefix(const char *s, struct ovly_prefix *out, struct err *e)
{
	char addr[ADDR_STRLEN] = "";
	char str[PREFIX_STRLEN];
	struct ovly_prefix p;
	struct ovly_addr a;
	char buf[100];

	if (!parse_net(s, &p, e))
		return false;
	/* parse_net() took it, so what is before the slash fits */
	memcpy(addr, s, strcspn(s, "/"));
	if (!parse_addr(addr, &a, e))
		return false;
	if (!addr_equal(&a, &p.addr))
		return err_set(e, EXIT_USAGE,
			       "prefix '%s' has host bits set, did you mean %s?",
			       shown(s, buf), prefix_str(&p, str));
	*out = p;
	return true;
}

bool parse_ifname(const char *s, char out[IFNAMSIZ], struct err *e)
{
	size_t n = strlen(s);
	char buf[100];
	size_t i;

	if (!n || n >= IFNAMSIZ || !strcmp(s, ".") || !strcmp(s, ".."))
		return err_set(e, EXIT_USAGE,
			       "'%s' is not a device name of 1 to %d characters",
			       shown(s, buf), IFNAMSIZ - 1);
	for (i = 0; i < n; i++)
		if (s[i] == '/' || s[i] == ':' || isspace((unsigned char)s[i]))
			return err_set(e, EXIT_USAGE,
				       "'%s' is not a device name: it has a blank, / or :",
				       shown(s, buf));
	memcpy(out, s, n + 1);
	return true;
}

bool parse_name(const char *s, char out[OVLY_NAME_MAX + 1], struct err *e)
{
	size_t n = strlen(s);
	char buf[100];
	size_t i;

	if (!n || n > OVLY_NAME_MAX)
		return err_set(e, EXIT_USAGE,
			       "'%s' is not a peer name of 1 to %d characters",
			       shown(s, buf), OVLY_NAME_MAX);
	for (i = 0; i < n; i++)
		if (!isgraph((unsigned char)s[i]))
			return err_set(e, EXIT_USAGE,
				       "'%s' has a space or an unprintable character, a peer name cannot",
				       shown(s, buf));
	memcpy(out, s, n + 1);
	return true;
}

bool parse_text(const char *s, char *out, size_t size, struct err *e)
{
	size_t n = strlen(s);
	char buf[100];
	size_t i;

	if (n >= size)
		return err_set(e, EXIT_USAGE,
			       "'%s' is longer than %zu characters",
			       shown(s, buf), size - 1);
	for (i = 0; i < n; i++)
		if (iscntrl((unsigned char)s[i]))
			return err_set(e, EXIT_USAGE,
				       "'%s' has a control character",
				       shown(s, buf));
	memcpy(out, s, n + 1);
	return true;
}

bool parse_word(const char *s, const char *const *words, uint32_t *out,
		struct err *e)
{
	char list[200] = "";
	char buf[100];
	uint32_t i;

	for (i = 0; words[i]; i++) {
		if (!strcmp(s, words[i])) {
			*out = i;
			return true;
		}
		if (i)
			strncat(list, words[i + 1] ? ", " : " or ",
				sizeof(list) - strlen(list) - 1);
		strncat(list, words[i], sizeof(list) - strlen(list) - 1);
	}
	return err_set(e, EXIT_USAGE, "'%s' is not one of %s", shown(s, buf),
		       list);
}

unsigned int addr_bits(const struct ovly_addr *a)
{
	return a->family == AF_INET ? 32 : 128;
}

bool addr_equal(const struct ovly_addr *a, const struct ovly_addr *b)
{
	return addr_compare(a, b) == 0;
}

bool addrs_have(const struct ovly_addrs *addrs, int family)
{
	unsigned int i;

	for (i = 0; i < addrs->n; i++)
		if (addrs->a[i].family == family)
			return true;
	return false;
}

bool addrs_contain(const struct ovly_addrs *addrs, const struct ovly_addr *a)
{
	unsigned int i;

	for (i = 0; i < addrs->n; i++)
		if (addr_equal(&addrs->a[i], a))
			return true;
	return false;
}

bool addrs_equal(const struct ovly_addrs *a, const struct ovly_addrs *b)
{
	unsigned int i;

	for (i = 0; i < a->n; i++)
		if (!addrs_contain(b, &a->a[i]))
			return false;
	return a->n == b->n;
}

int addr_compare(const struct ovly_addr *a, const struct ovly_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (!a->family)
		return 0;
	return memcmp(a->b, b->b, addr_bits(a) / 8);
}

bool addr_is_unicast(const struct ovly_addr *a)
{
	static const uint8_t zero[16];

	if (a->family == AF_INET)
		return a->b[0] != 0 && a->b[0] != 127 && a->b[0] < 224;
	if (a->family != AF_INET6 || a->b[0] == 0xff)
		return false;
	/* :: and ::1 */
	return memcmp(a->b, zero, 15) || a->b[15] > 1;
}

bool prefix_host(const struct ovly_prefix *p, uint32_t n, struct ovly_addr *out)
{
	uint64_t carry = n;
	struct ovly_addr a = p->addr;
	int i;

	for (i = (int)addr_bits(&a) / 8 - 1; i >= 0 && carry; i--) {
		carry += a.b[i];
		a.b[i] = (uint8_t)carry;
		carry >>= 8;
	}
	if (carry || !prefix_covers(p, &a))
		return false;
	*out = a;
	return true;
}

bool prefix_covers(const struct ovly_prefix *p, const struct ovly_addr *a)
{
	struct ovly_prefix q = { .addr = *a, .len = p->len };

	if (a->family != p->addr.family)
		return false;
	prefix_mask(&q);
	return addr_equal(&q.addr, &p->addr);
}

bool prefix_contains(const struct ovly_prefix *p, const struct ovly_prefix *q)
{
	return q->len >= p->len && prefix_covers(p, &q->addr);
}

bool prefix_is_host(const struct ovly_prefix *p)
{
	return p->len == addr_bits(&p->addr);
}

void prefix_mask(struct ovly_prefix *p)
{
	unsigned int bytes = addr_bits(&p->addr) / 8;
	unsigned int i;

	for (i = 0; i < bytes; i++) {
		if (i >= p->len / 8u + 1)
			p->addr.b[i] = 0;
		else if (i == p->len / 8u)
			p->addr.b[i] &= (uint8_t)(0xff00 >> (p->len % 8));
	}
}

const char *addr_str(const struct ovly_addr *a, char buf[ADDR_STRLEN])
{
	if (!a->family || !inet_ntop(a->family, a->b, buf, ADDR_STRLEN))
		strcpy(buf, "-");
	return buf;
}

const char *prefix_str(const struct ovly_prefix *p, char buf[PREFIX_STRLEN])
{
	char addr[ADDR_STRLEN];

	snprintf(buf, PREFIX_STRLEN, "%s/%u", addr_str(&p->addr, addr), p->len);
	return buf;
}

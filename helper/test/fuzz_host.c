// SPDX-License-Identifier: GPL-2.0-only
/*
 * What "doctor" and "show route" read from others, broken: the files of strongSwan
 * and BIRD, and messages of rtnetlink and XFRM.
 *
 *	fuzz_host	for OVLY_FUZZ_SECONDS (3); OVLY_FUZZ_SEED repeats a run
 *
 * They must not crash; a prefix that is taken is no longer than its address, and
 * no name lacks its end.
 */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <time.h>

#include "test.h"

#include <netlink/msg.h>

#include "../doctor.h"
#include "../doctor_conf.h"

#define TEXT_MAX 4096

static const char *const texts[] = {
	"charon {\n  install_routes = no # c\n  plugins {\n a { load = yes }\n }\n}\ninclude \"self\"\n",
	"define T = 220;\nprotocol kernel k { ipv4 { export all; }; kernel table T; }\n"
	"/* c */ include \"self\"; protocol bgp { disabled; } # c\n",
};

static const char *const words[] = {
	"{", "}", "=", "\"", "\\", "#", "/*", "*/", "include ", "define ",
	";", "\n", "protocol kernel {", "kernel table ", "disabled", "4294967296",
};

static unsigned long long seed;
static unsigned long settings, tables, messages;
static char text[TEXT_MAX + 1];

static unsigned int below(unsigned int n)
{
	/* xorshift64: the same on every system */
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned int)(seed >> 16) % n;
}

static bool read_text(struct host *host, const char *path, char *buf,
		      size_t size)
{
	(void)host;
	(void)path;
	snprintf(buf, size, "%s", text);
	return true;
}

/* Every file includes itself, as often as it is let. */
static void expand(const char *pattern,
		   void (*cb)(const char *path, void *arg), void *arg)
{
	cb(pattern, arg);
}

static void on_setting(const char *key, const char *value, void *arg)
{
	(void)arg;
	settings += !!strlen(key) + !!strlen(value);
}

static void on_table(uint32_t table, void *arg)
{
	(void)arg;
	tables += !!table;
}

static void change_text(void)
{
	size_t len = strlen(text), at = below((unsigned int)len + 1), n;
	const char *word = words[below(sizeof(words) / sizeof(words[0]))];

	n = strlen(word);
	if (below(2) && at < len)
		text[at] = (char)(1 + below(255));
	else if (below(2) && at < len)
		memmove(text + at, text + at + 1, len - at);
	else if (len + n < TEXT_MAX) {
		memmove(text + at + n, text + at, len - at + 1);
		memcpy(text + at, word, n);
	}
}

static void fuzz_texts(void)
{
	const struct host_ops host_is_text = { .file = read_text };
	const struct doctor_ops ops = { .glob = expand };
	struct host host = { .ops = &host_is_text };
	struct doctor d = { .host = &host, .ops = &ops };
	unsigned int i;

	strcpy(text, texts[below(2)]);
	for (i = 1 + below(8); i; i--)
		change_text();
	conf_strongswan(&d, "", "/f", on_setting, NULL);
	conf_bird(&d, "", "/f", on_table, NULL);
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

static bool fits(const struct ovly_prefix *p)
{
	return p->len <= addr_bits(&p->addr);
}

static void fuzz_messages(void)
{
	static const struct { uint16_t type; size_t fixed; } kinds[] = {
		{ RTM_NEWRULE, sizeof(struct fib_rule_hdr) },
		{ RTM_NEWROUTE, sizeof(struct rtmsg) },
		{ RTM_NEWLINK, sizeof(struct ifinfomsg) },
		{ XFRM_MSG_NEWPOLICY, sizeof(struct xfrm_userpolicy_info) },
		{ XFRM_MSG_NEWSA, sizeof(struct xfrm_usersa_info) },
	};
	unsigned int kind = below(5), len, at, i;
	struct host_policy policy;
	struct host_route route;
	struct host_rule rule;
	struct host_link link;
	struct nlmsghdr *hdr;
	struct host_sa sa;
	char *body;

	/* of its own size, so that the sanitizer sees what is read behind it */
	len = below(600);
	hdr = calloc(1, NLMSG_HDRLEN + len);
	check(hdr);
	hdr->nlmsg_len = NLMSG_HDRLEN + len;
	hdr->nlmsg_type = kinds[kind].type;
	body = (char *)hdr + NLMSG_HDRLEN;
	for (i = 0; i < len; i++)
		body[i] = (char)below(below(4) ? 4 : 256);
	if (len)
		body[0] = below(2) ? AF_INET : AF_INET6;
	/* mostly attributes that could be ones */
	for (at = NLMSG_ALIGN((unsigned int)kinds[kind].fixed);
	     below(20) && at + 4 <= len;) {
		uint16_t size = (uint16_t)(4 + below(90));
		uint16_t attr = (uint16_t)below(40);

		memcpy(body + at, &size, 2);
		memcpy(body + at + 2, &attr, 2);
		at += NLMSG_ALIGN(size);
	}
	if (host_rule_parse(hdr, &rule)) {
		check(fits(&rule.src) && fits(&rule.dst));
		check(strnlen(rule.iifname, IFNAMSIZ) < IFNAMSIZ);
		messages++;
	}
	if (host_route_parse(hdr, &route)) {
		check(fits(&route.dst));
		messages++;
	}
	if (host_link_parse(hdr, &link)) {
		check(strnlen(link.link.name, IFNAMSIZ) < IFNAMSIZ);
		messages++;
	}
	if (host_policy_parse(hdr, &policy)) {
		check(fits(&policy.src) && fits(&policy.dst));
		messages++;
	}
	if (host_sa_parse(hdr, &sa)) {
		check(strnlen(sa.cipher, 64) < 64 && strnlen(sa.auth, 64) < 64);
		messages++;
	}
	free(hdr);
}

int main(void)
{
	const char *seconds = getenv("OVLY_FUZZ_SECONDS");
	const char *given = getenv("OVLY_FUZZ_SEED");
	time_t end;
	int i;

	seed = given ? strtoull(given, NULL, 0) : (unsigned long long)time(NULL);
	seed = seed ? seed : 1;
	printf("TAP version 13\n1..1\n# OVLY_FUZZ_SEED=%llu\n", seed);
	fflush(stdout);
	end = time(NULL) + (seconds ? atoi(seconds) : 3);
	while (time(NULL) < end) {
		for (i = 0; i < 100; i++)
			fuzz_messages();
		fuzz_texts();
	}
	printf("# %lu settings, %lu tables, %lu messages\n", settings, tables,
	       messages);
	if (!settings || !tables || !messages) {
		puts("not ok 1 - fuzz_host: something was never reached");
		return 1;
	}
	puts("ok 1 - fuzz_host: broken files and messages");
	return 0;
}

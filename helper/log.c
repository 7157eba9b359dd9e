// SPDX-License-Identifier: GPL-2.0-only
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static bool log_levels;

void log_init(bool daemon)
{
	log_levels = daemon && getenv("JOURNAL_STREAM");
}

/* One write per line: charon and journald read lines, and two processes may
 * share the pipe.
 */
static void log_line(int level, const char *fmt, va_list ap)
{
	char text[1024];
	char line[1100];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (log_levels)
		snprintf(line, sizeof(line), "<%d>%s\n", level, text);
	else
		snprintf(line, sizeof(line), "ovlyhelper: %s\n", text);
	fputs(line, stderr);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(3, fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(4, fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(6, fmt, ap);
	va_end(ap);
}

uint64_t log_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

bool log_allowed(struct log_limit *limit, uint64_t now_ms)
{
	if (now_ms - limit->since_ms >= limit->interval_ms) {
		limit->since_ms = now_ms;
		limit->said = 0;
	}
	if (limit->said >= limit->burst) {
		limit->dropped++;
		return false;
	}
	limit->said++;
	return true;
}

void log_warn_limited(struct log_limit *limit, const char *fmt, ...)
{
	va_list ap;

	if (!log_allowed(limit, log_now_ms()))
		return;
	if (limit->dropped) {
		log_warn("%u similar lines were left out", limit->dropped);
		limit->dropped = 0;
	}
	va_start(ap, fmt);
	log_line(4, fmt, ap);
	va_end(ap);
}

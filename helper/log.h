/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines on stderr: one per event or problem. */
#ifndef OVLY_LOG_H
#define OVLY_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Under systemd (JOURNAL_STREAM is set) lines carry an sd-daemon level. */
void log_init(bool daemon);
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* At most "burst" lines in "interval_ms"; the next one allowed tells how many
 * were left out.
 */
struct log_limit {
	unsigned int burst;
	unsigned int interval_ms;
	unsigned int said;
	unsigned int dropped;
	uint64_t since_ms;
};

bool log_allowed(struct log_limit *limit, uint64_t now_ms);
void log_warn_limited(struct log_limit *limit, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

uint64_t log_now_ms(void);

#endif /* OVLY_LOG_H */

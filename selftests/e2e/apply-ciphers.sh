#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# apply-ciphers.sh: every cipher that the field configures, by "ovlyhelper apply" on
# both ends: negotiated as written, kept by a rekey, and traffic flows.

# shellcheck source=selftests/e2e/setup.sh
. "$(dirname "$0")/setup.sh"
# shellcheck source=selftests/e2e/apply-setup.sh
. "$E2E/apply-setup.sh"

suite_setup() { apply_setup; }

sa_is() { matches "$1" node branch swanctl --list-sas; }

# cipher IKE ESP SA CHILD: the words of the file, and strongSwan's for them; the
# group of an ESP cipher counts from the first rekey on.
cipher() {
	local n s=("s/ike-cipher .*/ike-cipher $1/" "s/esp-cipher .*/esp-cipher $2/")

	for n in hub branch; do
		conf "$n" "${s[@]}"
		apply "$n" --force
	done
	sa_is "^  $3\$"
	swanctl_q branch --rekey --child myconn
	wait_for 60 "rekeyed with $2" sa_is "INSTALLED, TUNNEL, ESP:$4\$"
	wait_for 60 "the way there, by BGP" has_route branch 81.81.81.1
	pings branch "$BR_SYSTEM" 81.81.81.1
}

AES128=AES_CBC-128
AES256=AES_CBC-256

test_ike_aes128_sha1_modp1536() {
	cipher aes128-sha1-modp1536 aes128-sha1 \
		"$AES128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1536" "$AES128/HMAC_SHA1_96"
	cipher aes128-sha1-modp1536 aes128-sha1-modp1536 \
		"$AES128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1536" "$AES128/HMAC_SHA1_96/MODP_1536"
}

test_ike_aes256_sha512_modp2048() {
	local sa=$AES256/HMAC_SHA2_512_256/PRF_HMAC_SHA2_512/MODP_2048

	cipher aes256-sha512-modp2048 aes256-sha512 "$sa" "$AES256/HMAC_SHA2_512_256"
	cipher aes256-sha512-modp2048 aes256-sha1-modp2048 "$sa" "$AES256/HMAC_SHA1_96/MODP_2048"
	cipher aes256-sha512-modp2048 aes256-sha256-modp2048 "$sa" "$AES256/HMAC_SHA2_256_128/MODP_2048"
	cipher aes256-sha512-modp2048 aes256-sha512-modp2048 "$sa" "$AES256/HMAC_SHA2_512_256/MODP_2048"
}

test_ike_aes256_sha512_modp4096() {
	cipher aes256-sha512-modp4096 aes256-sha512-modp4096 \
		"$AES256/HMAC_SHA2_512_256/PRF_HMAC_SHA2_512/MODP_4096" \
		"$AES256/HMAC_SHA2_512_256/MODP_4096"
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_ike_aes128_sha1_modp1536	IKE aes128-sha1-modp1536, ESP aes128-sha1 and with modp1536
test_ike_aes256_sha512_modp2048	IKE aes256-sha512-modp2048, the ESP ciphers with and without modp2048
test_ike_aes256_sha512_modp4096	IKE and ESP aes256-sha512-modp4096
"
run_cases "$@"

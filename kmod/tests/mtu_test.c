// SPDX-License-Identifier: GPL-2.0
/*
 * The path MTU of a tunnel is what the SA leaves of the underlay's.  The kernel
 * computes it; these cases hold it, for each cipher and encapsulation that a
 * tunnel may have, against the sizes that the RFCs give.
 */
#include <kunit/test.h>
#include <net/net_namespace.h>
#include <net/udp.h>
#include <net/xfrm.h>

#include "tests/suites.h"

#define LINK_MTU	1500
#define KEY_MAX		128

/**
 * struct cipher - an ESP transform
 * @name: as people write it
 * @aead: name of the combined algorithm, or NULL
 * @enc: name of the encryption algorithm if not combined
 * @auth: name of the integrity algorithm if not combined
 * @enc_bits: of the key, with the salt
 * @auth_bits: of the key
 * @icv: bytes of the integrity check value on the wire
 * @iv: bytes of the initialisation vector on the wire
 * @align: the payload and its trailer are a multiple of this, RFC 4303 section 2.4
 */
struct cipher {
	const char *name;
	const char *aead;
	const char *enc;
	const char *auth;
	unsigned int enc_bits;
	unsigned int auth_bits;
	unsigned int icv;
	unsigned int iv;
	unsigned int align;
};

#define AES_CBC(_bits, _sha, _auth_bits, _icv)					\
	{									\
		.name = "aes" #_bits,						\
		.enc = "cbc(aes)", .enc_bits = (_bits), .iv = 16, .align = 16,	\
		.auth = "hmac(" _sha ")", .auth_bits = (_auth_bits), .icv = (_icv),	\
	}

#define AES_GCM(_bits, _icv)							\
	{									\
		.name = "aes" #_bits "gcm",					\
		.aead = "rfc4106(gcm(aes))", .enc_bits = (_bits) + 32,		\
		.iv = 8, .align = 4, .icv = (_icv),				\
	}

static const struct cipher ciphers[] = {
	AES_CBC(128, "sha1", 160, 12),
	AES_CBC(256, "sha1", 160, 12),
	AES_CBC(128, "sha256", 256, 16),
	AES_CBC(256, "sha256", 256, 16),
	AES_CBC(256, "sha384", 384, 24),
	AES_CBC(256, "sha512", 512, 32),
	AES_GCM(128, 16),
	AES_GCM(256, 16),
	AES_GCM(256, 8),
};

static void cipher_name(const struct cipher *cipher, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s %s icv %u", cipher->name, cipher->auth ?: "",
		 cipher->icv);
}

KUNIT_ARRAY_PARAM(ovly_mtu, ciphers, cipher_name);

/* XFRM knows an algorithm once somebody has asked for it. */
static bool known(const struct cipher *cipher)
{
	if (cipher->aead)
		return xfrm_aead_get_byname(cipher->aead, cipher->icv * 8, 1);
	return xfrm_ealg_get_byname(cipher->enc, 1) && xfrm_aalg_get_byname(cipher->auth, 1);
}

static void set_aead(struct xfrm_state *x, const struct cipher *cipher)
{
	x->aead = kzalloc(sizeof(*x->aead) + KEY_MAX, GFP_KERNEL);
	strscpy(x->aead->alg_name, cipher->aead, sizeof(x->aead->alg_name));
	x->aead->alg_key_len = cipher->enc_bits;
	x->aead->alg_icv_len = cipher->icv * 8;
	x->geniv = "seqiv";
}

static void set_enc_and_auth(struct xfrm_state *x, const struct cipher *cipher)
{
	x->ealg = kzalloc(sizeof(*x->ealg) + KEY_MAX, GFP_KERNEL);
	strscpy(x->ealg->alg_name, cipher->enc, sizeof(x->ealg->alg_name));
	x->ealg->alg_key_len = cipher->enc_bits;
	x->aalg = kzalloc(sizeof(*x->aalg) + KEY_MAX, GFP_KERNEL);
	strscpy(x->aalg->alg_name, cipher->auth, sizeof(x->aalg->alg_name));
	x->aalg->alg_key_len = cipher->auth_bits;
	x->aalg->alg_trunc_len = cipher->icv * 8;
	x->props.ealgo = SADB_X_EALG_AESCBC;
	x->geniv = "echainiv";
}

/* An outbound tunnel-mode SA as an IKE daemon would install it. */
static struct xfrm_state *make_sa(struct kunit *test, const struct cipher *cipher, u16 family,
				  bool nat)
{
	struct xfrm_state *x = xfrm_state_alloc(&init_net);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, x);
	x->id.proto = IPPROTO_ESP;
	x->id.spi = htonl(0x1000);
	x->props.family = family;
	x->props.mode = XFRM_MODE_TUNNEL;
	/* For both families of inner packets. */
	x->props.flags = XFRM_STATE_AF_UNSPEC;
	if (cipher->aead)
		set_aead(x, cipher);
	else
		set_enc_and_auth(x, cipher);
	if (nat) {
		x->encap = kzalloc(sizeof(*x->encap), GFP_KERNEL);
		x->encap->encap_type = UDP_ENCAP_ESPINUDP;
	}
	return x;
}

static void free_sa(struct xfrm_state *x)
{
	x->km.state = XFRM_STATE_DEAD;
	xfrm_state_put(x);
}

/* RFC 4303: SPI and sequence number, IV, padded payload with its two trailing
 * bytes, ICV; RFC 3948: a UDP header before.
 */
static u32 expected_mtu(const struct cipher *cipher, u16 family, bool nat)
{
	u32 room = LINK_MTU - (family == AF_INET ? 20 : 40) - (nat ? 8 : 0);

	room -= 8 + cipher->iv + cipher->icv;
	return room / cipher->align * cipher->align - 2;
}

static void leaves_what_the_rfcs_say(struct kunit *test)
{
	const struct cipher *cipher = test->param_value;
	static const u16 families[] = { AF_INET, AF_INET6 };
	int i, nat;

	KUNIT_ASSERT_TRUE_MSG(test, known(cipher), "%s: the kernel has no such cipher",
			      cipher->name);
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		for (nat = 0; nat < 2; nat++) {
			struct xfrm_state *x = make_sa(test, cipher, families[i], nat);

			if (!xfrm_init_state(x))
				KUNIT_EXPECT_EQ_MSG(test, xfrm_state_mtu(x, LINK_MTU),
						    expected_mtu(cipher, families[i], nat),
						    "%s over IPv%d%s", cipher->name,
						    families[i] == AF_INET ? 4 : 6,
						    nat ? " in UDP" : "");
			else
				KUNIT_FAIL(test, "%s: the kernel has no such cipher", cipher->name);
			free_sa(x);
		}
	}
}

static struct kunit_case ovly_mtu_cases[] = {
	KUNIT_CASE_PARAM(leaves_what_the_rfcs_say, ovly_mtu_gen_params),
	{}
};

struct kunit_suite ovly_mtu_suite = {
	.name = "ovly_mtu",
	.test_cases = ovly_mtu_cases,
};

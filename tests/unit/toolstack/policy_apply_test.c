/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `cpuid =` on a CPU policy: every letter, leaves that are not there, and the line that levels hosts. */
#include "policy_cpu.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define X16 "xxxxxxxxxxxxxxxx"

static char why[256];

/* A configuration with this setting in it. */
static void config(struct domain_config *c, const char *setting)
{
	char text[2048], error[256] = "";

	snprintf(text, sizeof(text), "name = 'g'\nmemory = 1\n%s\n", setting);
	if (config_from_cfg(c, "test", text, strlen(text), NULL, error, sizeof(error), NULL))
		fail_msg("%s: %s", setting, error);
}

/* `setting` on a domain's policy of Haswell, the host being Skylake. */
static int apply(struct xc_policy *p, const char *setting)
{
	struct domain_config c;
	struct xc_policy host;
	int rc;

	cpu_policy(p, &haswell);
	cpu_policy(&host, &skylake);
	config(&c, setting);
	why[0] = 0;
	rc = policy_apply(p, &host, &c, why, sizeof(why));
	config_free(&c);
	xc_policy_free(&host);
	return rc;
}

static uint32_t leaf_7b(const char *setting)
{
	struct xc_policy p;
	uint32_t v;

	assert_int_equal(apply(&p, setting), 0);
	v = cpu_leaf(&p, 7, 0)->b;
	xc_policy_free(&p);
	return v;
}

static void letters(void **state)
{
	const uint32_t own = leaf_7b("");

	(void)state;
	assert_true(own & 1 && !(own >> 18 & 1)); /* FSGSBASE; RDSEED is the other one's */
	assert_int_equal(leaf_7b("cpuid = 'host'"), own);
	assert_int_equal(leaf_7b("cpuid = 'host,fsgsbase=x,rdseed=x'"), own);
	assert_int_equal(leaf_7b("cpuid = 'host,fsgsbase=0'"), own & ~1u);
	assert_int_equal(leaf_7b("cpuid = 'host,rdseed=1,fsgsbase=1'"), own | 1u << 18);
	assert_int_equal(leaf_7b("cpuid = 'host,rdseed=k'"), own | 1u << 18);
	assert_int_equal(leaf_7b("cpuid = 'host,rdseed=s,avx512vl=k'"), own | 1u << 18 | 1u << 31);
	assert_int_equal(leaf_7b("cpuid = 'host,adx=k'"), own); /* neither has it */
	assert_int_equal(leaf_7b("cpuid = [ '7,0:ebx=" X16 "xxxxxxxxxxxxxxx0' ]"), own & ~1u);
	assert_int_equal(leaf_7b("cpuid = [ '7:ebx=" X16 "xxxxxxxxxxxxxxx0' ]"), own & ~1u);
	assert_int_equal(leaf_7b("cpuid = [ '0x7:ebx=01010101010101010101010101010101' ]"), 0x55555555);
	/* The last word counts. */
	assert_int_equal(leaf_7b("cpuid = 'host,fsgsbase=0,fsgsbase=x'"), own);
}

static void fields(void **state)
{
	struct xc_policy p;
	xen_cpuid_leaf_t *l;

	(void)state;
	assert_int_equal(apply(&p, "cpuid = 'host,family=0x19,model=0x21,stepping=0,brandid=7,clflush=9'"),
			 0);
	l = cpu_leaf(&p, 1, XEN_CPUID_NO_SUBLEAF);
	assert_int_equal(l->a, (haswell.signature & 0xf000f000) | 0xa20f10);
	assert_int_equal(l->b & 0xffff, 0x0907);
	xc_policy_free(&p);
	assert_int_equal(apply(&p, "cpuid = 'host,family=6,maxleaf=7'"), 0);
	l = cpu_leaf(&p, 1, XEN_CPUID_NO_SUBLEAF);
	assert_int_equal(l->a, haswell.signature);
	assert_int_equal(cpu_leaf(&p, 0, XEN_CPUID_NO_SUBLEAF)->a, 7);
	xc_policy_free(&p);
}

/* A leaf that is not there is one of zeros. */
static void absent(void **state)
{
	struct xc_policy p;

	(void)state;
	assert_int_equal(apply(&p, "cpuid = 'host,lfence-dispatch=0,psfd=x'"), 0);
	xc_policy_free(&p);
	assert_int_equal(apply(&p, "cpuid = 'host,lfence+=1'"), -ENOENT);
	assert_string_equal(why, "this host gives its domains no CPUID leaf 0x80000021: eax cannot be set");
	xc_policy_free(&p);
	assert_int_equal(apply(&p, "cpuid = [ '7,2:edx=1" X16 "xxxxxxxxxxxxxxx' ]"), -ENOENT);
	assert_string_equal(why, "this host gives its domains no CPUID leaf 0x7,2: edx cannot be set");
	xc_policy_free(&p);
}

static void host_is_asked_for_k(void **state)
{
	struct domain_config c;

	(void)state;
	config(&c, "cpuid = 'host,avx=0,fma=1,aes=x'");
	assert_false(policy_wants_host(&c));
	config_free(&c);
	config(&c, "cpuid = [ '1:eax=" X16 X16 ",edx=k" X16 "xxxxxxxxxxxxxxx' ]");
	assert_true(policy_wants_host(&c));
	config_free(&c);
}

/* Flags `a` has and `b` has not; those in an MSR, and warnings, are no line's business. */
static bool has_more(const struct xc_policy *a, const struct xc_policy *b)
{
	uint32_t words[XC_FEATURE_WORDS];

	(void)policy_lacks(a, b, words);
	for (unsigned int bit = 0; bit < 16 * 32; bit++)
		if (words[bit / 32] >> bit % 32 & 1 && !policy_warning(bit))
			return true;
	return false;
}

/* What cpu-policy common prints makes the same flags of any of the hosts. */
static void levelled(void **state)
{
	const struct cpu *const pool[] = {&haswell, &skylake};
	uint32_t words[XC_FEATURE_WORDS] = {0};
	struct xc_policy in[2], common;
	struct domain_config c;
	char *line;

	(void)state;
	for (unsigned int i = 0; i < 2; i++)
		cpu_policy(&in[i], pool[i]);
	assert_int_equal(policy_common(&common, in, 2, why, sizeof(why)), 0);
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t more[XC_FEATURE_WORDS];

		(void)policy_lacks(&in[i], &common, more);
		for (unsigned int w = 0; w < XC_FEATURE_WORDS; w++)
			words[w] |= more[w];
	}
	line = policy_cpuid_line(&common, words);
	config(&c, line);
	assert_true(has_more(&in[1], &common)); /* or there were nothing to show */
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(policy_apply(&in[i], &in[i], &c, why, sizeof(why)), 0);
		assert_false(has_more(&in[i], &common));
		assert_false(has_more(&common, &in[i]));
		xc_policy_free(&in[i]);
	}
	xc_policy_free(&common);
	config_free(&c);
	free(line);
}

/* Rules survive the way through xl's JSON. */
static void kept(void **state)
{
	struct domain_config c, copy;

	(void)state;
	config(&c, "cpuid = 'host,avx=0,rdseed=k,svm_npt=0'");
	assert_int_equal(config_copy(&copy, &c), 0);
	assert_int_equal(copy.nr_cpuid, 3);
	assert_memory_equal(copy.cpuid, c.cpuid, 3 * sizeof(*c.cpuid));
	config_free(&copy);
	config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters),  cmocka_unit_test(fields),
		cmocka_unit_test(absent),   cmocka_unit_test(host_is_asked_for_k),
		cmocka_unit_test(levelled), cmocka_unit_test(kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

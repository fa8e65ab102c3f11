/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai cpu-policy: print, compare and level what CPUs tell their guests. */
#include "cli.h"
#include "../lib/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *const register_names[] = {"eax", "ebx", "ecx", "edx"};

static const char *component_name(unsigned int n)
{
	static const char *const names[] = {"x87",    "sse",       "avx",      "bndregs", "bndcsr",
					    "opmask", "zmm_hi256", "hi16_zmm", "",        "pkru"};

	if (n == 17 || n == 18)
		return n == 17 ? "tilecfg" : "tiledata";
	return n < sizeof(names) / sizeof(names[0]) ? names[n] : "";
}

static void print_xstate(const char *label, const struct policy_xstate *x)
{
	const char *sep = " (";

	printf("%-10s %#llx", label, (unsigned long long)x->mask);
	for (unsigned int n = 0; n < 63; n++) {
		if (!(x->mask >> n & 1))
			continue;
		if (*component_name(n))
			printf("%s%s", sep, component_name(n));
		else
			printf("%s%u", sep, n);
		sep = " ";
	}
	printf("%s, %u bytes\n", x->mask ? ")" : "", x->size);
}

/* -------- show -------- */

static void word_title(unsigned int w, char *t, size_t len)
{
	uint32_t leaf, subleaf;
	unsigned int reg;

	if (xc_feature_word(w, &leaf, &subleaf, &reg) < 0)
		snprintf(t, len, "msr 0x10a%s", w == 17 ? " high" : "");
	else if (subleaf == XEN_CPUID_NO_SUBLEAF)
		snprintf(t, len, "%#x.%s", leaf, register_names[reg]);
	else
		snprintf(t, len, "%#x.%u.%s", leaf, subleaf, register_names[reg]);
}

static void print_features(const uint32_t words[XC_FEATURE_WORDS])
{
	char name[XC_FEATURE_NAME], title[32];

	for (unsigned int w = 0; w < XC_FEATURE_WORDS; w++) {
		if (!words[w])
			continue;
		word_title(w, title, sizeof(title));
		printf("  %-16s", title);
		for (unsigned int b = 0; b < 32; b++)
			if (words[w] >> b & 1)
				printf(" %s", xc_feature_name(w * 32 + b, name));
		putchar('\n');
	}
}

static void print_policy(const struct xc_policy *p, const char *source)
{
	uint32_t words[XC_FEATURE_WORDS];
	struct policy_xstate x;
	char vendor[13];

	policy_vendor(p, vendor);
	policy_xstate(p, &x);
	printf("%-10s %s\n%-10s %s\n", "source", source, "vendor", vendor);
	print_xstate("xstate", &x);
	printf("\n%-10s %8s %8s %8s %8s %8s\n", "CPUID", "subleaf", "eax", "ebx", "ecx", "edx");
	for (uint32_t i = 0; i < p->nr_leaves; i++) {
		const xen_cpuid_leaf_t *l = &p->leaves[i];
		char sub[12] = "-";

		if (l->subleaf != XEN_CPUID_NO_SUBLEAF)
			snprintf(sub, sizeof(sub), "%u", l->subleaf);
		printf("0x%08x %8s %08x %08x %08x %08x\n", l->leaf, sub, l->a, l->b, l->c, l->d);
	}
	if (p->nr_msrs)
		printf("\n%-10s %17s\n", "MSR", "value");
	for (uint32_t i = 0; i < p->nr_msrs; i++)
		printf("0x%08x  %016llx\n", p->msrs[i].idx, (unsigned long long)p->msrs[i].val);
	printf("\nFeatures\n");
	xc_policy_features(p, words);
	print_features(words);
}

static int show(struct cli *cli, const char *what)
{
	struct xc_policy p;
	int rc = policy_load(&cli->s, what, &p);

	if (rc < 0)
		return rc;
	if (cli->json)
		rc = print_json(policy_to_json(&p, what));
	else
		print_policy(&p, what);
	xc_policy_free(&p);
	return rc;
}

/* -------- diff -------- */

static struct json_object *names_json(const uint32_t words[XC_FEATURE_WORDS])
{
	struct json_object *list = json_object_new_array();
	char name[XC_FEATURE_NAME];

	for (unsigned int bit = 0; bit < XC_FEATURE_WORDS * 32; bit++)
		if (words[bit / 32] >> bit % 32 & 1)
			json_object_array_add(list, json_str(xc_feature_name(bit, name)));
	return list;
}

static struct json_object *side_json(const char *source, const struct xc_policy *p,
				     const uint32_t only[XC_FEATURE_WORDS])
{
	struct json_object *o = json_object_new_object(), *x = json_object_new_object();
	struct policy_xstate xs;
	char vendor[13], mask[24];

	policy_vendor(p, vendor);
	policy_xstate(p, &xs);
	snprintf(mask, sizeof(mask), "0x%llx", (unsigned long long)xs.mask);
	json_put(o, "source", json_str(source));
	json_put(o, "vendor", json_str(vendor));
	json_put(o, "only", names_json(only));
	json_put(x, "mask", json_str(mask));
	json_put(x, "size", json_u64(xs.size));
	json_put(o, "xstate", x);
	return o;
}

static void print_side(const char *label, const char *source, const struct xc_policy *p,
		       const uint32_t only[XC_FEATURE_WORDS])
{
	struct policy_xstate x;
	char vendor[13];

	policy_vendor(p, vendor);
	policy_xstate(p, &x);
	printf("%s: %s, %s\n", label, source, vendor);
	print_xstate("  xstate", &x);
	print_features(only);
}

/* Prints, and returns 1 when a guest could tell one from the other by what it can execute. */
static int compare(struct cli *cli, char *const *name, const struct xc_policy *p)
{
	uint32_t first[XC_FEATURE_WORDS], second[XC_FEATURE_WORDS];
	unsigned int n = policy_lacks(&p[0], &p[1], first) + policy_lacks(&p[1], &p[0], second);
	struct policy_xstate x, y;
	char a[13], b[13];
	bool differ;

	policy_vendor(&p[0], a);
	policy_vendor(&p[1], b);
	policy_xstate(&p[0], &x);
	policy_xstate(&p[1], &y);
	differ = n || x.mask != y.mask || x.size != y.size || strcmp(a, b);
	if (cli->json) {
		struct json_object *o = json_object_new_object();

		json_put(o, "different", json_object_new_boolean(differ));
		json_put(o, "a", side_json(name[0], &p[0], first));
		json_put(o, "b", side_json(name[1], &p[1], second));
		(void)print_json(o);
	} else if (differ) {
		print_side("only A", name[0], &p[0], first);
		print_side("only B", name[1], &p[1], second);
	}
	return differ;
}

static int diff(struct cli *cli, char *const *name)
{
	struct xc_policy p[2];
	int rc = policy_load(&cli->s, name[0], &p[0]);

	if (rc < 0)
		return rc;
	rc = policy_load(&cli->s, name[1], &p[1]);
	if (rc == 0) {
		rc = compare(cli, name, p);
		xc_policy_free(&p[1]);
	}
	xc_policy_free(&p[0]);
	return rc;
}

/* -------- common -------- */

/* What at least one has and the common set has not; warnings cannot be hidden. */
static void hidden(const struct xc_policy *in, unsigned int n, const struct xc_policy *common,
		   uint32_t words[XC_FEATURE_WORDS])
{
	memset(words, 0, XC_FEATURE_WORDS * sizeof(*words));
	for (unsigned int i = 0; i < n; i++) {
		uint32_t more[XC_FEATURE_WORDS];

		(void)policy_lacks(&in[i], common, more);
		for (unsigned int w = 0; w < XC_FEATURE_WORDS; w++)
			words[w] |= more[w];
	}
}

/* Flags in MSRs go when the MSR goes, which ARCH_CAPS announces; no line hides them one by one. */
static void print_hidden(const uint32_t words[XC_FEATURE_WORDS])
{
	const bool all = words[9] >> 29 & 1;
	bool stay = false;
	char name[XC_FEATURE_NAME];

	printf("\n# Hidden:");
	for (unsigned int bit = 0; bit < XC_FEATURE_WORDS * 32; bit++) {
		if (!(words[bit / 32] >> bit % 32 & 1))
			continue;
		if (all || xc_feature_word(bit / 32, &(uint32_t){0}, &(uint32_t){0}, &(unsigned int){0}) == 0)
			printf(" %s", xc_feature_name(bit, name));
		else
			stay = true;
	}
	if (stay)
		printf("\n# Not hidden, being in an MSR:");
	for (unsigned int bit = 16 * 32; stay && bit < 18 * 32; bit++)
		if (words[bit / 32] >> bit % 32 & 1)
			printf(" %s", xc_feature_name(bit, name));
	putchar('\n');
}

static int policy_write(struct cli *cli, struct json_object *o, const char *file)
{
	FILE *f = fopen(file, "we");
	int rc;

	if (!f)
		return serai_fail(&cli->s, -errno, "%s: %s", file, strerror(errno));
	fprintf(f, "%s\n",
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	rc = ferror(f) ? -EIO : 0;
	if (fclose(f) && rc == 0)
		rc = -errno;
	return rc < 0 ? serai_fail(&cli->s, rc, "%s: not written: %s", file, strerror(-rc)) : 0;
}

static int common_print(struct cli *cli, char *const *name, const struct xc_policy *in, unsigned int n,
			const struct xc_policy *p, const char *file)
{
	uint32_t words[XC_FEATURE_WORDS];
	struct json_object *o = policy_to_json(p, "common");
	char *line;
	int rc = 0;

	hidden(in, n, p, words);
	line = policy_cpuid_line(p, words);
	if (!o || !line) {
		free(line);
		json_object_put(o);
		return serai_fail(&cli->s, -ENOMEM, "out of memory");
	}
	json_put(o, "hidden", names_json(words));
	json_put(o, "cpuid", json_str(line));
	if (file)
		rc = policy_write(cli, o, file);
	if (rc == 0 && cli->json) {
		rc = print_json(json_object_get(o));
	} else if (rc == 0) {
		printf("# Common to");
		for (unsigned int i = 0; i < n; i++)
			printf(" %s", name[i]);
		print_hidden(words);
		printf("%s\n", line);
	}
	free(line);
	json_object_put(o);
	return rc;
}

static int common(struct cli *cli, char *const *name, unsigned int n, const char *file)
{
	struct xc_policy *in = calloc(n, sizeof(*in)), p;
	char why[256];
	unsigned int i;
	int rc = in ? 0 : serai_fail(&cli->s, -ENOMEM, "out of memory");

	for (i = 0; i < n && rc == 0; i++)
		rc = policy_load(&cli->s, name[i], &in[i]);
	if (rc == 0 && (rc = policy_common(&p, in, n, why, sizeof(why))) < 0)
		(void)serai_fail(&cli->s, rc, "%s", why);
	if (rc == 0) {
		rc = common_print(cli, name, in, n, &p, file);
		xc_policy_free(&p);
	}
	for (i = 0; in && i < n; i++)
		xc_policy_free(&in[i]);
	free(in);
	return rc;
}

struct words {
	const char *host, *file;
	char **operand;
	int n;
};

/* Options may stand anywhere: "show" and its like are operands to getopt. Operands move to the front. */
static int sort_words(struct cli *cli, int argc, char **argv, struct words *w)
{
	static const struct option opts[] = {{"host", required_argument, NULL, 'H'},
					     {"output", required_argument, NULL, 'o'},
					     {NULL, 0, NULL, 0}};
	int o;

	w->operand = argv + 1;
	for (;;) {
		while ((o = cli_option(cli, argc, argv, "o:", opts)) >= 0)
			*(o == 'H' ? &w->host : &w->file) = optarg;
		if (o == -2)
			return 1;
		if (optind == argc)
			return 0;
		w->operand[w->n++] = argv[optind++];
	}
}

VERB(cpu_policy)
{
	struct words w = {0};
	char source[64];
	const char *verb;

	if (sort_words(cli, argc, argv, &w))
		return 1;
	verb = w.n ? w.operand[0] : "";
	if (!strcmp(verb, "show") && !w.file && w.n <= (w.host ? 1 : 2)) {
		snprintf(source, sizeof(source), "host:%s", w.host ? w.host : "pv-max");
		return show(cli, w.n == 2 ? w.operand[1] : source);
	}
	if (!strcmp(verb, "diff") && !w.host && !w.file && w.n == 3)
		return diff(cli, w.operand + 1);
	if (!strcmp(verb, "common") && !w.host && w.n >= 2)
		return common(cli, w.operand + 1, w.n - 1, w.file);
	return cli_usage("cpu-policy");
}

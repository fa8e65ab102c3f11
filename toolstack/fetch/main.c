/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai-fetch: the part of the toolstack that talks to strangers. The caller, who is root, opens a file and
 * passes it as descriptor 3; this process becomes nobody before it looks at a byte from the network, and can
 * write to that file and its standard output only.
 *
 *   serai-fetch get URL OFFSET ETAG SINCE   go on at OFFSET (0: start) if the server still has ETAG; nothing
 *                                           at all if it is no newer than SINCE
 *   serai-fetch sha256                      of descriptor 3
 *
 * Exit status 0; 1: it failed for good; 2: try again from where the file ends; 3: not changed since SINCE.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <unistd.h>

#define FILE_FD 3
#define NOBODY 65534

enum { FETCH_OK, FETCH_FAILED, FETCH_AGAIN, FETCH_UNCHANGED };

struct transfer {
	CURL *curl;
	char etag[256];
	curl_off_t offset;
	bool started;
	int error; /* of writing, negative errno */
};

/* Root becomes nobody; somebody else stays what they are. Neither gets anything back. */
static int drop(void)
{
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static size_t on_header(char *p, size_t one, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len;

	(void)one;
	/* A redirection's headers come first; what counts are the last answer's. */
	if (n > 5 && !strncmp(p, "HTTP/", 5))
		t->etag[0] = 0;
	if (n < 6 || strncasecmp(p, "etag:", 5))
		return n;
	for (len = n; len > 5 && (unsigned char)p[len - 1] <= ' '; len--)
		;
	for (p += 5, len -= 5; len && *p == ' '; p++, len--)
		;
	if (len < sizeof(t->etag)) {
		memcpy(t->etag, p, len);
		t->etag[len] = 0;
	}
	return n;
}

/* The first byte tells whether the server goes on where we asked (206) or starts again (200). */
static int place(struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 206)
		t->offset = 0;
	if (ftruncate(FILE_FD, t->offset) < 0 || lseek(FILE_FD, t->offset, SEEK_SET) < 0)
		return -errno;
	return 0;
}

static size_t on_data(char *p, size_t one, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t left = n;

	(void)one;
	if (!t->started) {
		t->started = true;
		t->error = place(t);
		/* Known from the first byte on, so that a broken transfer can be gone on with. */
		printf("ETAG %s\n", t->etag);
		fflush(stdout);
	}
	while (left && !t->error) {
		ssize_t w = write(FILE_FD, p, left);

		if (w < 0 && errno != EINTR)
			t->error = -errno;
		if (w > 0) {
			p += w;
			left -= w;
		}
	}
	return t->error ? 0 : n;
}

static void prepare(CURL *c, struct transfer *t, const char *url, const char *since)
{
	/* Nobody is led from https to http, nor to any other protocol. */
	const char *protocols = strncmp(url, "https:", 6) ? "http,https" : "https";
	const char *ca = getenv("CURL_CA_BUNDLE");

	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols);
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, 8L);
	curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 30L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
	curl_easy_setopt(c, CURLOPT_FILETIME, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "serai/" PACKAGE_VERSION);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	if (ca && *ca)
		curl_easy_setopt(c, CURLOPT_CAINFO, ca);
	if (*since && strcmp(since, "0")) {
		curl_easy_setopt(c, CURLOPT_TIMECONDITION, (long)CURL_TIMECOND_IFMODSINCE);
		curl_easy_setopt(c, CURLOPT_TIMEVALUE_LARGE, (curl_off_t)strtoll(since, NULL, 10));
	}
}

static bool worth_another_try(CURLcode rc, long status)
{
	switch (rc) {
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_OPERATION_TIMEDOUT:
		return true;
	case CURLE_HTTP_RETURNED_ERROR:
		return status == 416 || status == 429 || status >= 500;
	default:
		return false;
	}
}

static int conclude(struct transfer *t, CURLcode rc, const char *url, const char *why)
{
	long status = 0, unmet = 0;
	curl_off_t filetime = -1;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->curl, CURLINFO_CONDITION_UNMET, &unmet);
	if (rc == CURLE_OK && (unmet || status == 304))
		return FETCH_UNCHANGED;
	if (rc == CURLE_OK && !t->started)
		t->error = place(t); /* an empty file */
	if (t->error)
		fprintf(stderr, "%s: cannot be written: %s\n", url, strerror(-t->error));
	else if (rc != CURLE_OK && status == 416 && ftruncate(FILE_FD, 0) == 0)
		fprintf(stderr, "%s: what was there of it is not the server's any more\n", url);
	else if (rc != CURLE_OK)
		fprintf(stderr, "%s: %s\n", url, *why ? why : curl_easy_strerror(rc));
	if (t->error)
		return FETCH_FAILED;
	if (rc != CURLE_OK)
		return worth_another_try(rc, status) ? FETCH_AGAIN : FETCH_FAILED;
	curl_easy_getinfo(t->curl, CURLINFO_FILETIME_T, &filetime);
	printf("MTIME %lld\n", (long long)filetime);
	return FETCH_OK;
}

static int get(const char *url, const char *offset, const char *etag, const char *since)
{
	struct transfer t = {.offset = strtoll(offset, NULL, 10)};
	struct curl_slist *headers = NULL;
	char why[CURL_ERROR_SIZE] = "", text[300];
	int rc;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) || !(t.curl = curl_easy_init())) {
		fprintf(stderr, "libcurl cannot be started\n");
		return FETCH_FAILED;
	}
	prepare(t.curl, &t, url, since);
	curl_easy_setopt(t.curl, CURLOPT_ERRORBUFFER, why);
	if (t.offset > 0 && *etag) {
		snprintf(text, sizeof(text), "If-Range: %s", etag);
		headers = curl_slist_append(NULL, text);
		curl_easy_setopt(t.curl, CURLOPT_HTTPHEADER, headers);
		snprintf(text, sizeof(text), "%lld-", (long long)t.offset);
		curl_easy_setopt(t.curl, CURLOPT_RANGE, text);
	}
	rc = conclude(&t, curl_easy_perform(t.curl), url, why);
	curl_slist_free_all(headers);
	curl_easy_cleanup(t.curl);
	curl_global_cleanup();
	return rc;
}

static int sha256(void)
{
	unsigned char sum[EVP_MAX_MD_SIZE], *buf = malloc(1 << 16);
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	unsigned int len = 0;
	off_t at = 0;
	ssize_t n = -1;

	if (buf && m && EVP_DigestInit_ex(m, EVP_sha256(), NULL))
		while ((n = pread(FILE_FD, buf, 1 << 16, at)) > 0 && EVP_DigestUpdate(m, buf, n))
			at += n;
	if (n == 0)
		EVP_DigestFinal_ex(m, sum, &len);
	for (unsigned int i = 0; i < len; i++)
		printf("%02x", sum[i]);
	printf("\n");
	EVP_MD_CTX_free(m);
	free(buf);
	return len ? FETCH_OK : FETCH_FAILED;
}

int main(int argc, char **argv)
{
	int rc = drop();

	if (rc < 0) {
		fprintf(stderr, "serai-fetch: privileges cannot be given up: %s\n", strerror(-rc));
		return FETCH_FAILED;
	}
	if (fcntl(FILE_FD, F_GETFD) >= 0) {
		if (argc == 6 && !strcmp(argv[1], "get"))
			rc = get(argv[2], argv[3], argv[4], argv[5]);
		else if (argc == 2 && !strcmp(argv[1], "sha256"))
			rc = sha256();
		else
			rc = -EINVAL;
	} else {
		rc = -EBADF;
	}
	if (rc >= 0)
		return fflush(stdout) ? FETCH_FAILED : rc;
	fprintf(stderr, "serai-fetch is serai's helper: serai fetch URL FILE is for people\n");
	return FETCH_FAILED;
}

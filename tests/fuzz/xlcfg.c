/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer: xl.cfg, JSON and XML configurations; what is understood must survive being written again. */
#include "toolstack/conf/model.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct domain_config c, again;
	char error[512], *json;
	int rc;

	if (size && *data == '{')
		rc = config_from_json(&c, text, size, error, sizeof(error));
	else if (size && *data == '<')
		rc = config_from_xml(&c, text, size, error, sizeof(error));
	else
		rc = config_from_cfg(&c, "fuzz", text, size, NULL, error, sizeof(error), NULL);
	if (rc)
		return 0;
	json = config_to_json(&c);
	if (json && *data != '{' && config_from_json(&again, json, strlen(json), error, sizeof(error)) == 0)
		config_free(&again);
	free(json);
	config_free(&c);
	return 0;
}
